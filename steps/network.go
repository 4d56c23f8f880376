package steps

import (
	"context"
	"fmt"

	"brine.test/brine/world"
	"brine.test/brine/world/selector"
)

// network states the sentences that cut links, those that heal them, and those of finer harm.
//
// No word of a selector but the number in "2 random nodes" begins with a digit, so that "every 5s node2 is isolated" is
// another sentence.
func network(sc Registrar) {
	sc.Step(`^((?:[^" ]| [^" \d]| \d+ r)+) (?:is|are) isolated(?: from ([^"]+?))?( (?:within|for|while) .+)?$`, isolate)
	sc.Step(`^((?:[^" ]| [^" \d]| \d+ r)+) cannot reach ([^"]+?)( (?:within|for|while) .+)?$`, cannotReach)
	sc.Step(`^the network is split into ("(?:[^"]|"")*"(?:(?:,|,? and) "(?:[^"]|"")*")*)( (?:within|for|while) .+)?$`, splitIntoParts)
	sc.Step(`^the network is split into (halves|a majority and a minority|a minority and a majority|a ring of majorities)( (?:within|for|while) .+)?$`, splitByShape)
	sc.Step(`^the network is split with (the leader(?: of [^ ]+)?) in the minority( (?:within|for|while) .+)?$`, splitLeader)
	sc.Step(`^the network is split except through ([^"]+?)( (?:within|for|while) .+)?$`, splitBridge)
	sc.Step(`^(?:(TCP|UDP|ICMP) )?traffic ((?:from|to|between) [^"]+?)(?: on port ([^" ]+))? (?:is|are) dropped( (?:within|for|while) .+)?$`, dropTraffic)
	sc.Step(`^((?:[^" ]| [^" \d]| \d+ r)+) rejoins?$`, rejoin)
	sc.Step(`^the links? between ([^"]+) heals?$`, healLink)
	sc.Step(`^the network heals$`, healNetwork)
	losses(sc)
	delays(sc)
	connections(sc)
	nameFaults(sc)
	endings(sc)
}

// isolate cuts nodes off at one instant, both ways: from all nodes and the clients, or from those alone that are named.
// Inside an isolated zone traffic flows; "from the other zones" leaves it the clients.
//
//	node2 is isolated
//	node2 is isolated for 5s
//	node2 and node3 are isolated for the next 5s
//	node2 is isolated from the other nodes
//	node2 is isolated from node1
//	node2 is isolated from the clients
//	zone az1 is isolated
//	zone az1 is isolated from the other zones
func isolate(ctx context.Context, who, from, tail string) error {
	s := read(ctx)
	nodes, length := s.who(who), s.length(tail)
	zoned := nodes.Kind == selector.Zone && nodes.Service == ""
	if zoned && (from == "" || from == "the other zones") {
		return s.do(func(w *world.World) error { return w.IsolateZone(ctx, nodes.Zone, from != "", length) })
	}
	var others *selector.Selector
	if from == "each other" {
		s.keep(fmt.Errorf("isolated from each other: a node is isolated from others\nhint: write `%s cannot reach each other`", who))
	}
	if from != "" {
		other := s.who(from)
		others = &other
	}
	return s.do(func(w *world.World) error { return w.Isolate(ctx, nodes, others, length) })
}

// cannotReach drops the packets from one side to the other; those back still flow, unless neither can reach the other.
//
//	node1 cannot reach node2
//	node1 cannot reach node2 for the next 5s
//	node1 and node2 cannot reach each other
func cannotReach(ctx context.Context, from, to, tail string) error {
	s := read(ctx)
	length := s.length(tail)
	if to != "each other" {
		a, b := s.who(from), s.who(to)
		return s.do(func(w *world.World) error { return w.Cut(ctx, a, b, false, length) })
	}
	a, b := s.pair(from)
	return s.do(func(w *world.World) error { return w.Cut(ctx, a, b, true, length) })
}

// rejoin ends the isolations of nodes and their side of a split; other harm on their links stays.
//
//	node2 rejoins
//	node2 and node3 rejoin
func rejoin(ctx context.Context, who string) error {
	s := read(ctx)
	nodes := s.who(who)
	return s.do(func(w *world.World) error { return w.Rejoin(ctx, nodes) })
}

// healLink ends all network harm on the links between two sides.
//
//	the link between node1 and node2 heals
//	the links between all nodes heal
func healLink(ctx context.Context, sides string) error {
	s := read(ctx)
	a, b := s.pair(sides)
	return s.do(func(w *world.World) error { return w.HealLink(ctx, a, b) })
}

// healNetwork ends all harm to the network.
//
//	the network heals
func healNetwork(ctx context.Context) error {
	return read(ctx).do(func(w *world.World) error { return w.HealNetwork(ctx) })
}

// pair reads the two sides of "between A and B". All nodes, or three and more names, stand on both sides: each is meant
// with each other one.
func (s *words) pair(text string) (a, b selector.Selector) {
	both := s.who(text)
	each := both.Each()
	switch {
	case s.err != nil:
	case len(each) == 2:
		return each[0], each[1]
	case both.Kind == selector.Named && len(each) == 1, both.Kind == selector.Clients:
		s.keep(fmt.Errorf("%s: expected two sides\nhint: write `node1 and node2`, or `all nodes`", both))
	}
	return both, both
}
