package steps

import (
	"context"
	"regexp"

	"brine.test/brine/world"
	"brine.test/brine/world/selector"
)

var quotedPart = regexp.MustCompile(`"(?:[^"]|"")*"`)

// splitIntoParts splits the network between nodes into the parts named; the clients reach all.
//
//	the network is split into "node1, node2" and "node3, node4, node5"
//	the network is split into "node1", "node2" and "the other nodes" for 5s
func splitIntoParts(ctx context.Context, parts, tail string) error {
	s := read(ctx)
	split := world.Split{Kind: world.SplitParts}
	for _, part := range quotedPart.FindAllString(parts, -1) {
		split.Parts = append(split.Parts, s.who(s.quoted(part)))
	}
	return s.split(ctx, split, tail)
}

// splitByShape splits the network into parts that are chosen with the scenario's seed. In a ring of majorities each
// node sees a majority, no two the same one.
//
//	the network is split into halves
//	the network is split into a majority and a minority
//	the network is split into a ring of majorities
func splitByShape(ctx context.Context, shape, tail string) error {
	kind := world.SplitMajority
	switch shape {
	case "halves":
		kind = world.SplitHalves
	case "a ring of majorities":
		kind = world.SplitRing
	}
	return read(ctx).split(ctx, world.Split{Kind: kind}, tail)
}

// splitLeader puts the leader into the smaller part, chosen with the scenario's seed.
//
//	the network is split with the leader in the minority
//	the network is split with the leader of etcd in the minority
func splitLeader(ctx context.Context, leader, tail string) error {
	s := read(ctx)
	return s.split(ctx, world.Split{Kind: world.SplitLeaderMinority, Of: s.who(leader).Of}, tail)
}

// splitBridge splits the network into halves that one node sees both of.
//
//	the network is split except through node3
func splitBridge(ctx context.Context, bridge, tail string) error {
	s := read(ctx)
	return s.split(ctx, world.Split{Kind: world.SplitBridge, Bridge: s.who(bridge)}, tail)
}

func (s *words) split(ctx context.Context, split world.Split, tail string) error {
	length := s.length(tail)
	return s.do(func(w *world.World) error { return w.Split(ctx, split, length) })
}

// dropTraffic drops packets by direction, protocol and destination port (a number, or a name of the service file).
//
//	traffic to node2 on port 2380 is dropped
//	TCP traffic from node1 to node2 on port 2380 is dropped
//	UDP traffic between node1 and node2 is dropped for 5s
//	traffic from node1 is dropped
func dropTraffic(ctx context.Context, proto, links, port, tail string) error {
	s := read(ctx)
	traffic, length := s.traffic(proto, links, port), s.length(tail)
	return s.do(func(w *world.World) error { return w.DropTraffic(ctx, traffic, length) })
}

var directed = regexp.MustCompile(`^(from|to|between) (.+?)(?: to (.+))?$`)

// direction reads "from A to B", "from A", "to B", "between A and B"; a side that is nil is any.
func (s *words) direction(text string) (from, to *selector.Selector, both bool) {
	m := directed.FindStringSubmatch(text)
	switch m[1] {
	case "between":
		a, b := s.pair(m[2])
		return &a, &b, true
	case "to":
		b := s.who(m[2])
		return nil, &b, false
	}
	a := s.who(m[2])
	if m[3] == "" {
		return &a, nil, false
	}
	b := s.who(m[3])
	return &a, &b, false
}
