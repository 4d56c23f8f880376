package steps

import (
	"context"

	"brine.test/brine/world"
)

// losses states the sentences about a share of the packets.
func losses(sc Registrar) {
	sc.Step(`^(\d[\d.]* ?(?:%|percent)) of (?:all )?(?:(TCP|UDP|ICMP) )?packets(?: ((?:from|to|between) [^"]+?))?(?: on port ([^" ]+))? (?:is|are) lost(?: in bursts of (\d+)(?: packets)?)?( (?:within|for|while) .+)?$`, lose)
	sc.Step(`^(\d[\d.]* ?(?:%|percent)) of (?:all )?(?:(TCP|UDP|ICMP) )?packets(?: ((?:from|to|between) [^"]+?))?(?: on port ([^" ]+))? (?:is|are) corrupted(,? (?:but )?undetected)?( (?:within|for|while) .+)?$`, corrupt)
	sc.Step(`^(\d[\d.]* ?(?:%|percent)) of (?:all )?(?:(TCP|UDP|ICMP) )?packets(?: ((?:from|to|between) [^"]+?))?(?: on port ([^" ]+))? (?:is|are) duplicated( (?:within|for|while) .+)?$`, duplicate)
	sc.Step(`^(\d[\d.]* ?(?:%|percent)) of (?:all )?(?:(TCP|UDP|ICMP) )?packets(?: ((?:from|to|between) [^"]+?))?(?: on port ([^" ]+))? (?:is|are) reordered( (?:within|for|while) .+)?$`, reorder)
}

// lose drops a share of the packets, each by a draw of its own, or in bursts of so many on average (Gilbert-Elliott).
// Faults add up: a second one on the same link leaves the first as it is. The port is the destination's.
//
//	10% of packets from node1 to node2 are lost
//	10% of packets between node1 and node2 are lost in bursts of 20
//	0.5% of packets to node2 are lost for 5s
//	10% of TCP packets from node1 to node2 on port 2380 are lost
//	5% of packets between all nodes are lost for the next 5s
func lose(ctx context.Context, share, proto, links, port, burst, tail string) error {
	s := read(ctx)
	part, traffic, length, packets := s.share(share), s.traffic(proto, links, port), s.length(tail), 0
	if burst != "" {
		packets = s.atLeastOne(burst, "a burst of "+burst+" packets")
	}
	return s.do(func(w *world.World) error { return w.Lose(ctx, traffic, part, packets, length) })
}

// corrupt flips a bit in a share of the packets: the receiver's checksum fails and its kernel drops them. With
// "undetected" the checksum is right again, and the program gets changed data.
//
//	1% of packets from node1 to node2 are corrupted
//	1% of packets to node2 are corrupted undetected
//	1% of UDP packets between all nodes are corrupted for 5s
func corrupt(ctx context.Context, share, proto, links, port, undetected, tail string) error {
	s := read(ctx)
	part, traffic, length := s.share(share), s.traffic(proto, links, port), s.length(tail)
	return s.do(func(w *world.World) error { return w.Corrupt(ctx, traffic, part, undetected != "", length) })
}

// duplicate sends a share of the packets twice.
//
//	1% of packets from node2 are duplicated
//	50% of UDP packets from node1 to node2 are duplicated for 5s
func duplicate(ctx context.Context, share, proto, links, port, tail string) error {
	s := read(ctx)
	part, traffic, length := s.share(share), s.traffic(proto, links, port), s.length(tail)
	return s.do(func(w *world.World) error { return w.Duplicate(ctx, traffic, part, length) })
}

// reorder holds a share of the packets back for 20 ms, so that later ones overtake them.
//
//	1% of packets between all nodes are reordered
//	25% of packets from node1 to node2 are reordered for 5s
func reorder(ctx context.Context, share, proto, links, port, tail string) error {
	s := read(ctx)
	part, traffic, length := s.share(share), s.traffic(proto, links, port), s.length(tail)
	return s.do(func(w *world.World) error { return w.Reorder(ctx, traffic, part, length) })
}

// traffic reads which packets a sentence means; none of the words is any.
func (s *words) traffic(proto, links, port string) world.Traffic {
	t := world.Traffic{Proto: proto, Port: port}
	if links != "" {
		t.From, t.To, t.Both = s.direction(links)
	}
	return t
}
