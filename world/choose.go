package world

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"

	sel "brine.test/brine/world/selector"
)

// Resolve finds the nodes that a selector stands for at this moment. What a
// choice (a random node, the leader) stood for is written into the record.
func (w *World) Resolve(ctx context.Context, s sel.Selector) ([]*Node, error) {
	nodes, err := w.resolve(ctx, s)
	if err != nil {
		return nil, err
	}
	if s.Kind != sel.Others {
		name(ctx, nodes...)
	}
	if s.Kind != sel.Named && s.Kind != sel.List {
		w.choice(ctx, s.String(), nodeNames(nodes))
	}
	return nodes, nil
}

func (w *World) resolve(ctx context.Context, s sel.Selector) ([]*Node, error) {
	all := w.allNodes()
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: there is no cluster yet\nhint: begin with \"Given a 3-node cluster running etcd\"", s)
	}
	switch s.Kind {
	case sel.Named:
		return w.named(s.Names)
	case sel.All:
		return all, nil
	case sel.Others:
		return w.others(ctx, all)
	case sel.List:
		return w.list(ctx, s)
	case sel.Leader:
		n, _, err := w.leaderOf(ctx, s.Of)
		return one(n, err)
	case sel.Followers, sel.AFollower:
		return w.followers(ctx, s)
	case sel.Random:
		return w.pick(ctx, all, max(1, s.N), s)
	case sel.Minority, sel.Majority:
		return w.part(ctx, s)
	case sel.Zone:
		return w.zone(s.Zone)
	case sel.Isolated:
		return w.lastOf("isolated", s)
	case sel.Killed:
		return w.lastOf("killed", s)
	case sel.Paused:
		return w.lastOf("paused", s)
	case sel.OldLeader:
		return one(w.oldLeader(ctx, s.Of))
	case sel.Clients:
		return nil, fmt.Errorf("%s: are no node, so they cannot stand here", s)
	}
	return nil, fmt.Errorf("%s: a selector that this sentence cannot use", s)
}

// list resolves the parts of a selector.
func (w *World) list(ctx context.Context, s sel.Selector) ([]*Node, error) {
	parts, err := w.resolveEach(ctx, s.Parts)
	return unique(slices.Concat(parts...)), err
}

// resolveEach resolves selectors of one sentence. "The other nodes" come last,
// wherever they stand: they are all but those that the sentence names.
func (w *World) resolveEach(ctx context.Context, all []sel.Selector) ([][]*Node, error) {
	out := make([][]*Node, len(all))
	for _, i := range othersLast(all) {
		nodes, err := w.Resolve(ctx, all[i])
		if err != nil {
			return nil, err
		}
		out[i] = nodes
	}
	return out, nil
}

func one(n *Node, err error) ([]*Node, error) {
	if err != nil {
		return nil, err
	}
	return []*Node{n}, nil
}

// One resolves a selector that must stand for exactly one node.
func (w *World) One(ctx context.Context, s sel.Selector) (*Node, error) {
	nodes, err := w.Resolve(ctx, s)
	if err != nil {
		return nil, err
	}
	if len(nodes) != 1 {
		return nil, fmt.Errorf("%s: stands for %s, but this sentence wants one node", s, names(nodes))
	}
	return nodes[0], nil
}

func (w *World) named(wanted []string) ([]*Node, error) {
	var out []*Node
	for _, name := range wanted {
		if who, ok := w.remembered(name); ok {
			out = append(out, who...)
			continue
		}
		n := w.node(name)
		if n == nil {
			return nil, w.noSuchNode(name)
		}
		out = append(out, n)
	}
	return unique(out), nil
}

// CheckNames tells whether the nodes that a selector names are there, without
// finding out whom it stands for.
func (w *World) CheckNames(s sel.Selector) error {
	for _, part := range s.Parts {
		if err := w.CheckNames(part); err != nil {
			return err
		}
	}
	_, err := w.named(s.Names)
	return err
}

func (w *World) followers(ctx context.Context, s sel.Selector) ([]*Node, error) {
	leader, e, err := w.leaderOf(ctx, s.Of)
	if err != nil {
		return nil, err
	}
	var out []*Node
	for _, v := range w.voters(e) {
		if v.node != leader && v.isUp() {
			out = append(out, v.node)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s: %s leads and no other node runs", s, leader.Name)
	}
	if s.Kind == sel.AFollower {
		return w.pick(ctx, out, 1, s)
	}
	return out, nil
}

// pick chooses n of the nodes with the scenario's seed, in the order in which
// they stand in the cluster.
func (w *World) pick(ctx context.Context, from []*Node, n int, s sel.Selector) ([]*Node, error) {
	if n > len(from) {
		return nil, fmt.Errorf("%s: there are only %d nodes: %s", s, len(from), names(from))
	}
	chosen := w.perm(ctx, len(from))[:n]
	sort.Ints(chosen)
	out := make([]*Node, n)
	for i, at := range chosen {
		out[i] = from[at]
	}
	return out, nil
}

// perm shuffles the numbers below n with the scenario's seed, or with that of the
// random fault that ctx belongs to: what strikes beside the steps takes no draws
// from them.
func (w *World) perm(ctx context.Context, n int) (perm []int) {
	w.drawing(ctx, func(r *rand.Rand) { perm = r.Perm(n) })
	return perm
}

// draw gives a number from the same seed.
func (w *World) draw(ctx context.Context) (n uint64) {
	w.drawing(ctx, func(r *rand.Rand) { n = r.Uint64() })
	return n
}

func (w *World) drawing(ctx context.Context, f func(*rand.Rand)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if b := blowOf(ctx); b != nil {
		f(b.rng)
		return
	}
	f(w.rng)
}

// part finds a minority or a majority of those who elect: with or without the
// leader where the sentence says so.
func (w *World) part(ctx context.Context, s sel.Selector) ([]*Node, error) {
	all, err := w.members(s.Of)
	if err != nil {
		return nil, err
	}
	n := len(all)
	size := n/2 + 1
	if s.Kind == sel.Minority {
		size = (n - 1) / 2
		if size == 0 {
			return nil, fmt.Errorf("%s: a cluster of %d has no minority", s, n)
		}
	}
	if !s.WithLeader && !s.WithoutLeader {
		return w.pick(ctx, all, size, s)
	}
	leader, _, err := w.leaderOf(ctx, s.Of, all...)
	if err != nil {
		return nil, err
	}
	rest := make([]*Node, 0, n)
	for _, node := range all {
		if node != leader {
			rest = append(rest, node)
		}
	}
	if s.WithoutLeader {
		return w.pick(ctx, rest, size, s)
	}
	others, err := w.pick(ctx, rest, size-1, s)
	if err != nil {
		return nil, err
	}
	return inOrder(append(others, leader)), nil
}

func (w *World) zone(zone string) ([]*Node, error) {
	var out []*Node
	zones := map[string]bool{}
	for _, n := range w.allNodes() {
		if n.Zone == zone {
			out = append(out, n)
		}
		if n.Zone != "" {
			zones[n.Zone] = true
		}
	}
	if len(out) == 0 {
		known := make([]string, 0, len(zones))
		for z := range zones {
			known = append(known, z)
		}
		sort.Strings(known)
		if len(known) == 0 {
			return nil, fmt.Errorf("zone %s: no such zone, for no node has one\nhint: say \"zone %s has node1 and node2\", or give the table of the cluster a column zone", zone, zone)
		}
		return nil, fmt.Errorf("zone %s: no such zone\nhint: there is %s", zone, listWords(known))
	}
	return out, nil
}

func (w *World) lastOf(what string, s sel.Selector) ([]*Node, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	who := w.last[what]
	if len(who) == 0 {
		return nil, fmt.Errorf("%s: no node was %s in this scenario", s, what)
	}
	return who, nil
}

func (w *World) setLast(what string, nodes []*Node) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last[what] = nodes
}

// RememberWho gives the nodes of a selector a name for this scenario.
func (w *World) RememberWho(ctx context.Context, who sel.Selector, name string) error {
	if err := sel.CheckName(name); err != nil {
		return err
	}
	nodes, err := w.Resolve(ctx, who)
	if err != nil {
		return err
	}
	if n := w.node(name); n != nil {
		return fmt.Errorf("%s: is the name of a node already", name)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.memoWho[name] = nodes
	w.memo[name] = strings.Join(nodeNames(nodes), " and ")
	return nil
}

func (w *World) remembered(name string) ([]*Node, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	who, ok := w.memoWho[name]
	return who, ok
}

func unique(nodes []*Node) []*Node {
	seen := map[*Node]bool{}
	out := nodes[:0:0]
	for _, n := range nodes {
		if !seen[n] {
			seen[n] = true
			out = append(out, n)
		}
	}
	return out
}

func inOrder(nodes []*Node) []*Node {
	sort.SliceStable(nodes, func(i, j int) bool { return nodes[i].Port() < nodes[j].Port() })
	return nodes
}

// newRand makes the generator of a scenario from the run's seed and the
// scenario's name and its file's, so that the same seed chooses the same nodes
// wherever the project lies.
func newRand(seed uint64, id string) *rand.Rand {
	const prime, basis = 1099511628211, 14695981039346656037 // FNV-1a, 64 bit
	h := uint64(basis)
	for _, b := range []byte(id) {
		h = (h ^ uint64(b)) * prime
	}
	return rand.New(rand.NewPCG(seed, h))
}
