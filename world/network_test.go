package world

import (
	"testing"

	"pgregory.net/rapid"

	"brine.test/brine/xdpfault"
)

func TestLinksAreDirectedAndUnique(t *testing.T) {
	got := links(ports{2, 3}, ports{3, 4}, false)
	want := []xdpfault.Link{{From: 2, To: 3}, {From: 2, To: 4}, {From: 3, To: 4}}
	if len(got) != len(want) {
		t.Fatalf("expected %v, got %v", want, got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("expected %v, got %v", want, got)
		}
	}
	for _, l := range links(ports{2, 3}, ports{2, 3}, true) {
		if l.From == l.To {
			t.Errorf("a link to itself: %v", l)
		}
	}
}

// A ring of majorities: every node sees a majority, no two the same one.
func TestRingReach(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(4, 101).Draw(t, "nodes")
		views := map[string]bool{}
		for i := range n {
			view := make([]byte, n)
			sees := 0
			for j := range n {
				d := i - j
				if d < 0 {
					d = -d
				}
				if min(d, n-d) <= ringReach(n) {
					view[j] = 1
					sees++
				}
			}
			if sees <= n/2 {
				t.Fatalf("%d nodes: node %d sees %d, no majority", n, i, sees)
			}
			views[string(view)] = true
		}
		if len(views) != n && ringReach(n)*2+1 < n {
			t.Fatalf("%d nodes: only %d different views", n, len(views))
		}
	})
}

func TestSameSeedChoosesTheSame(t *testing.T) {
	a, b := newRand(42, "f:s"), newRand(42, "f:s")
	other := newRand(43, "f:s")
	differs := false
	for range 100 {
		x, y, z := a.IntN(1000), b.IntN(1000), other.IntN(1000)
		if x != y {
			t.Fatalf("the same seed gave %d and %d", x, y)
		}
		differs = differs || x != z
	}
	if !differs {
		t.Error("another seed gave the same choices")
	}
}
