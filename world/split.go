package world

import (
	"context"
	"fmt"

	sel "brine.test/brine/world/selector"
	"brine.test/brine/xdpfault"
)

// SplitKind is how a network is split.
type SplitKind int

const (
	// SplitParts splits into the parts that the sentence names.
	SplitParts SplitKind = iota
	// SplitHalves splits into two parts of equal size, or one node apart.
	SplitHalves
	// SplitMajority splits into a majority and a minority.
	SplitMajority
	// SplitLeaderMinority puts the leader into the minority.
	SplitLeaderMinority
	// SplitRing lets each node see a majority, no two the same one.
	SplitRing
	// SplitBridge leaves one node that sees both halves.
	SplitBridge
)

// Split describes a split of the network between nodes. The clients reach all.
type Split struct {
	Kind   SplitKind
	Parts  []sel.Selector
	Bridge sel.Selector
	Of     string // SplitLeaderMinority: the service whose leader is meant, or ""
}

// Split cuts the links between the parts at one instant.
func (w *World) Split(ctx context.Context, s Split, l Length) error {
	if s.Kind == SplitRing {
		return w.splitRing(ctx, l)
	}
	parts, what, err := w.splitParts(ctx, s)
	if err != nil {
		return err
	}
	var cut []xdpfault.Link
	var who []*Node
	for i, a := range parts {
		who = append(who, a...)
		for _, b := range parts[i+1:] {
			cut = append(cut, links(portsOf(a), portsOf(b), true)...)
		}
	}
	return w.cut(ctx, kindSplit, "network split into "+what, who, cut, l)
}

func (w *World) splitParts(ctx context.Context, s Split) ([][]*Node, string, error) {
	all := w.allNodes()
	if len(all) < 2 {
		return nil, "", fmt.Errorf("split: a cluster of %d cannot be split", len(all))
	}
	switch s.Kind {
	case SplitParts:
		parts, err := w.namedParts(ctx, s.Parts)
		return parts, partNames(parts), err
	case SplitHalves:
		parts, err := w.halves(ctx, all)
		return parts, partNames(parts), err
	case SplitMajority:
		return w.minorityApart(ctx, sel.Selector{Kind: sel.Minority, Text: "a minority"})
	case SplitLeaderMinority:
		return w.minorityApart(ctx, sel.Selector{Kind: sel.Minority, WithLeader: true, Of: s.Of, Text: "a minority with the leader"})
	case SplitBridge:
		bridge, err := w.One(ctx, s.Bridge)
		if err != nil {
			return nil, "", err
		}
		parts, err := w.halves(ctx, without(all, []*Node{bridge}))
		return parts, partNames(parts) + " except through " + bridge.Name, err
	}
	return nil, "", fmt.Errorf("split kind %d: unknown", s.Kind)
}

// minorityApart splits those who elect into a minority and the rest of them.
func (w *World) minorityApart(ctx context.Context, s sel.Selector) ([][]*Node, string, error) {
	minority, err := w.Resolve(ctx, s)
	if err != nil {
		return nil, "", err
	}
	all, err := w.members(s.Of)
	if err != nil {
		return nil, "", err
	}
	parts := [][]*Node{without(all, minority), minority}
	return parts, partNames(parts), nil
}

func (w *World) namedParts(ctx context.Context, parts []sel.Selector) ([][]*Node, error) {
	if len(parts) < 2 {
		return nil, fmt.Errorf("split: expected two or more parts, got %d", len(parts))
	}
	in := map[*Node]int{}
	out, err := w.resolveEach(ctx, parts)
	if err != nil {
		return nil, err
	}
	for i, nodes := range out {
		for _, n := range nodes {
			if before, ok := in[n]; ok && before != i {
				return nil, fmt.Errorf("%s: stands in two parts of the split", n.Name)
			}
			in[n] = i
		}
	}
	return out, nil
}

// halves splits nodes into two parts by the scenario's seed.
func (w *World) halves(ctx context.Context, nodes []*Node) ([][]*Node, error) {
	if len(nodes) < 2 {
		return nil, fmt.Errorf("split: %s cannot be halved", names(nodes))
	}
	s := sel.Selector{Kind: sel.Random, N: len(nodes) / 2, Text: "one half"}
	half, err := w.pick(ctx, nodes, len(nodes)/2, s)
	if err != nil {
		return nil, err
	}
	w.choice(ctx, "one half", nodeNames(half))
	return [][]*Node{half, without(nodes, half)}, nil
}

// splitRing arranges the nodes in a ring, by the seed, and lets each see just
// as many neighbours on both sides as make a majority with itself.
func (w *World) splitRing(ctx context.Context, l Length) error {
	all, err := w.members("")
	if err != nil {
		return err
	}
	n := len(all)
	if n < 4 {
		return fmt.Errorf("split into a ring of majorities: needs at least 4 nodes, there are %d\nhint: with 3 nodes say \"node1 and node3 cannot reach each other\"", n)
	}
	order := w.perm(ctx, n)
	reach := ringReach(n)
	ring := make([]string, n)
	var cut []xdpfault.Link
	for i := range n {
		ring[i] = all[order[i]].Name
		for j := i + 1; j < n; j++ {
			distance := min(j-i, n-(j-i))
			if distance > reach {
				cut = append(cut, links(ports{all[order[i]].Port()}, ports{all[order[j]].Port()}, true)...)
			}
		}
	}
	w.choice(ctx, "a ring of majorities", ring)
	if len(cut) == 0 {
		return fmt.Errorf("split into a ring of majorities: every majority of %d nodes in a ring sees all\nhint: use 5 nodes or more", n)
	}
	return w.cut(ctx, kindSplit, "network split into a ring of majorities", all, cut, l)
}

// ringReach is how many neighbours on each side a node of the ring sees. A
// majority is n/2+1 nodes: itself and n/2 neighbours. With n/2 odd one neighbour
// would be left over, so the reach is rounded up on both sides.
func ringReach(n int) int { return (n/2 + 1) / 2 }

func without(all, not []*Node) []*Node {
	skip := map[*Node]bool{}
	for _, n := range not {
		skip[n] = true
	}
	var out []*Node
	for _, n := range all {
		if !skip[n] {
			out = append(out, n)
		}
	}
	return out
}

func partNames(parts [][]*Node) string {
	words := make([]string, len(parts))
	for i, p := range parts {
		words[i] = "{" + names(p) + "}"
	}
	return listWords(words)
}
