package world

import (
	"context"
	"strings"
	"testing"
	"time"

	"brine.test/brine/world/record"
	"brine.test/brine/xdpfault"
)

func TestPast(t *testing.T) {
	for sentence, want := range map[string]string{
		"node2 is isolated for 5s":                                     "node2 was isolated",
		"node2 and node3 are isolated for the next 5s":                 "node2 and node3 was isolated",
		"node1 cannot reach node2":                                     "node1 could not reach node2",
		"name resolution fails on node1 for 2 minutes":                 "name resolution failed on node1",
		"the link between node1 and node2 flaps every 500ms for 5s":    "the link between node1 and node2 flapped every 500ms",
		"existing connections between node1 and node2 hang":            "existing connections between node1 and node2 hung",
		"packets to node2 are delayed by 100ms ± 20ms for the next 1s": "packets to node2 was delayed by 100ms ± 20ms",
		`the network is split into "node1" and "node2, node3" for 5s`:  `the network was split into "node1" and "node2, node3"`,
		"fsync on the disk of node2 takes 500ms":                       "fsync on the disk of node2 took 500ms",
		"nodes were isolated":                                          "nodes was isolated",
	} {
		if got := past(sentence); got != want {
			t.Errorf("%s: got %q, want %q", sentence, got, want)
		}
	}
}

// scene is a world with three nodes, and harms that were done to it.
func scene(harms ...*active) (*World, []*Node) {
	w := &World{last: map[string][]*Node{}, memoWho: map[string][]*Node{}}
	c := &Cluster{w: w}
	for _, name := range []string{"node1", "node2", "node3"} {
		c.nodes = append(c.nodes, &Node{Name: name, cluster: c})
	}
	w.clusters = []*Cluster{c}
	w.harms = harms
	return w, c.nodes
}

func TestDuringFindsTheHarmThatIsMeant(t *testing.T) {
	w, n := scene()
	at := time.Now()
	harm := func(id string, kind harmKind, said string, done bool, who ...*Node) *active {
		at = at.Add(time.Second)
		return &active{
			id: id, kind: kind, what: id, said: past(said), who: who, done: done,
			from: mark{at: at}, until: mark{at: at.Add(time.Second)},
		}
	}
	w.harms = []*active{
		harm("first", kindIsolate, "node2 is isolated", true, n[1]),
		harm("leader", kindIsolate, "the leader is isolated for 5s", true, n[0]),
		harm("again", kindIsolate, "node2 is isolated from node1", true, n[1]),
		harm("both", kindKill, "node2 and node3 are killed", true, n[1], n[2]),
		harm("slow", kindDelay, "packets to node2 are delayed by 1s", true, n[1]),
		harm("on", kindPause, "node3 is paused", false, n[2]),
		harm("split", kindSplit, `the network is split into halves`, false, n...),
	}
	w.harms[6].freed = map[*Node]mark{n[1]: {at: at}}
	for text, want := range map[string]string{
		"node2 was isolated":              "again",
		"node2 was isolated from node1":   "again",
		"the leader was isolated":         "leader",
		"node1 was isolated":              "leader",
		"node3 was killed":                "both",
		"node2 and node3 were killed":     "both",
		"packets to node2 were delayed":   "slow",
		"packets to node2 are delayed":    "slow",
		"node3 was paused":                "!still on",
		"the network was split":           "!still on",
		"node1 was paused":                "!no harm of this scenario",
		"node9 was isolated":              "!no such node",
		"the moon was full":               "!hint: write `while node2 was isolated`",
		"node2 was isolated from zone az": "!no harm",
	} {
		span, err := w.During(context.Background(), text)
		if fault, ok := strings.CutPrefix(want, "!"); ok {
			if err == nil || !strings.Contains(err.Error(), fault) {
				t.Errorf("while %s: got %v, want %s", text, err, fault)
			}
			continue
		}
		if err != nil || span.ID != want || span.End.Sub(span.Begin) != time.Second {
			t.Errorf("while %s: got %+v, %v, want %s", text, span, err, want)
		}
	}
}

// A harm that goes on beside the sentences is waited for; one that nothing ends is not.
func TestDuringWaitsForTheEnd(t *testing.T) {
	w, n := scene()
	a := &active{kind: kindPause, what: "node2 paused", said: "node2 was paused", who: n[1:2], begun: time.Now(), lasts: Length{Kind: ForNext, D: 100 * time.Millisecond}}
	w.harms = []*active{a}
	end := a.begun.Add(100 * time.Millisecond)
	time.AfterFunc(100*time.Millisecond, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.done, a.until = true, mark{at: end}
	})
	if span, err := w.During(t.Context(), "node2 was paused"); err != nil || !span.End.Equal(end) {
		t.Errorf("got %+v, %v", span, err)
	}
	w.harms = []*active{{kind: kindPause, said: "node2 was paused", who: n[1:2], begun: time.Now()}}
	if _, err := w.During(t.Context(), "node2 was paused"); err == nil {
		t.Error("node2 is paused until a sentence resumes it")
	}
}

// A node that was released from a harm looks back at its own part of it.
func TestDuringAPart(t *testing.T) {
	w, n := scene()
	end := time.Now().Add(time.Second)
	w.harms = []*active{{
		kind: kindIsolate, said: "node2 and node3 was isolated", who: n[1:], from: mark{at: time.Now()},
		freed: map[*Node]mark{n[1]: {at: end}},
	}}
	if span, err := w.During(context.Background(), "node2 was isolated"); err != nil || !span.End.Equal(end) {
		t.Errorf("got %+v, %v", span, err)
	}
	if _, err := w.During(context.Background(), "node3 was isolated"); err == nil {
		t.Error("node3 is isolated still")
	}
}

func TestStrictFaults(t *testing.T) {
	touched := func() record.Receipt { return record.Receipt{Dropped: record.Count{Packets: 1}} }
	met := func() record.Receipt { return record.Receipt{Matched: record.Count{Packets: 100}} }
	w, _ := scene(&active{what: "node2 isolated", gauge: touched}, &active{what: "1% lost", gauge: met})
	if err := w.untouched(); err != nil {
		t.Errorf("not strict: %v", err)
	}
	w.scenario.Info.Tags = []string{"@strict-faults"}
	err := w.untouched()
	if err == nil || !strings.Contains(err.Error(), "1% lost: touched nothing") || strings.Contains(err.Error(), "isolated") {
		t.Errorf("got %v", err)
	}
}

func TestLinksOfAnEnding(t *testing.T) {
	all := xdpfault.All
	to := []xdpfault.Link{{From: all, To: 3}}
	if !sameLinks(to, []xdpfault.Link{{From: all, To: 3}}) || sameLinks(to, []xdpfault.Link{{From: 2, To: 3}}) || sameLinks(to, nil) {
		t.Error("sets of links are compared wrongly")
	}
	on := covers(to)
	if !on(xdpfault.Link{From: 2, To: 3}) || on(xdpfault.Link{From: 3, To: 2}) {
		t.Error("All covers every port, one way")
	}
}
