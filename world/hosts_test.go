package world

import (
	"strings"
	"testing"
)

func TestNoSuchNodeTellsWhoThereIs(t *testing.T) {
	c := &Cluster{}
	c.nodes = []*Node{{Name: "node1", cluster: c}, {Name: "node2", cluster: c}, {Name: "consumer", cluster: c}}
	w := &World{clusters: []*Cluster{c}, aliases: map[string][]string{"node1": {"shop.example"}}}
	for name, want := range map[string]string{
		"node9":         "hint: there is node1, node2, consumer and shop.example",
		"consumr":       "did you mean consumer?",
		"shop.exmaple":  "did you mean shop.example?",
		"somebody.else": "somebody.else: no such node",
	} {
		if got := w.noSuchNode(name).Error(); !strings.Contains(got, want) || name == "node9" && strings.Contains(got, "mean") {
			t.Errorf("%s: got %q, want %q in it", name, got, want)
		}
	}
}
