package world

import (
	"context"
	"strings"
	"testing"

	"brine.test/brine/world/record"
	sel "brine.test/brine/world/selector"
)

// fourNodes is a world that was told of a cluster, without a network.
func fourNodes(t *testing.T) *World {
	w := testWorld(t)
	w.rec = w.suite.rec.Scenario(record.ScenarioInfo{Name: t.Name()})
	c := &Cluster{w: w}
	for _, name := range []string{"node1", "node2", "node3", "node4"} {
		c.nodes = append(c.nodes, &Node{Name: name, cluster: c})
	}
	w.clusters = []*Cluster{c}
	return w
}

// "The other nodes" are all but those that the same sentence names, wherever in
// it they are named, and whatever the sentence before named.
func TestTheOtherNodes(t *testing.T) {
	tests := []struct {
		ends []string
		want []string
	}{
		{[]string{"node1", "the other nodes"}, []string{"node1", "node2, node3 and node4"}},
		{[]string{"the other nodes", "node1"}, []string{"node2, node3 and node4", "node1"}},
		{[]string{"the other nodes", "node1 and node2"}, []string{"node3 and node4", "node1 and node2"}},
		{[]string{"the other nodes", "the other nodes"}, []string{"node1, node2 and node3", "node1, node2 and node3"}},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.ends, " to "), func(t *testing.T) {
			w := fourNodes(t)
			before, end := w.Sentence(context.Background(), "node4 is paused")
			if _, err := w.Resolve(before, sel.Only("node4")); err != nil {
				t.Fatal(err)
			}
			end()
			selectors := make([]sel.Selector, len(tt.ends))
			for i, words := range tt.ends {
				var err error
				if selectors[i], err = sel.Parse(words); err != nil {
					t.Fatal(err)
				}
			}
			ctx, end := w.Sentence(context.Background(), "packets")
			defer end()
			got, err := w.resolveEach(ctx, selectors)
			if err != nil {
				t.Fatal(err)
			}
			for i := range got {
				if names(got[i]) != tt.want[i] {
					t.Errorf("%s: expected %s, got %s", tt.ends[i], tt.want[i], names(got[i]))
				}
			}
			ctx, end = w.Sentence(context.Background(), "requests")
			defer end()
			asked, err := w.askedEnds(ctx, tt.ends...)
			if err != nil {
				t.Fatal(err)
			}
			for i := range asked {
				var nodes []*Node
				for _, a := range asked[i] {
					nodes = append(nodes, a.node)
				}
				if names(nodes) != tt.want[i] {
					t.Errorf("requests: %s: expected %s, got %s", tt.ends[i], tt.want[i], names(nodes))
				}
			}
		})
	}
}
