package world

import (
	"errors"
	"testing"

	"brine.test/brine/world/client"
)

func TestElected(t *testing.T) {
	a, b, c := &Node{Name: "a"}, &Node{Name: "b"}, &Node{Name: "c"}
	leads := func(n *Node, term uint64) claim {
		return claim{node: n, Claim: client.Claim{Self: true, Leader: n.Name, Term: term}}
	}
	names := func(n *Node, leader string) claim { return claim{node: n, Claim: client.Claim{Leader: leader}} }
	silent := func(n *Node) claim { return claim{node: n, err: errors.New("no answer")} }
	tests := map[string]struct {
		claims []claim
		want   *Node
	}{
		"one claimant":                   {[]claim{leads(a, 2), names(b, "a"), names(c, "a")}, a},
		"none":                           {[]claim{names(a, ""), names(b, ""), names(c, "")}, nil},
		"two claimants, the higher term": {[]claim{leads(a, 2), leads(b, 3), names(c, "b")}, b},
		"two of one term, the one that most name":      {[]claim{leads(a, 0), leads(b, 0), names(c, "b")}, b},
		"two of one term that nobody decides":          {[]claim{leads(a, 0), leads(b, 0), silent(c)}, nil},
		"one claimant among the silent":                {[]claim{silent(a), leads(b, 7), silent(c)}, b},
		"one that did not answer is no claimant":       {[]claim{{node: a, Claim: client.Claim{Self: true, Term: 9}, err: errors.New("late")}, leads(b, 1)}, b},
		"nobody is asked":                              {nil, nil},
		"a node's own claim counts before its opinion": {[]claim{leads(a, 1), names(b, "c"), names(c, "c")}, a},
	}
	for name, tt := range tests {
		got, ok := electedOf(tt.claims, 3)
		if got != tt.want || ok != (tt.want != nil) {
			t.Errorf("%s: expected %v, got %v", name, tt.want, got)
		}
	}
}
