package steps

import (
	"context"

	"brine.test/brine/world"
)

// delays states the sentences that make links slow or unsteady.
func delays(sc Registrar) {
	sc.Step(`^(?:all )?(?:(TCP|UDP|ICMP) )?packets(?: ((?:from|to|between) [^"]+?))?(?: on port ([^" ]+))? (?:is|are) delayed by (\d[^"±+]*?)(?: ?(?:±|\+/-) ?(\d[^"]*?))?(?: with an? (normal|pareto|uniform) distribution)?( (?:within|for|while) .+)?$`, delay)
	sc.Step(`^(?:the )?(?:(TCP|UDP|ICMP) )?bandwidth(?: ((?:from|to|between) [^"]+?))?(?: on port ([^" ]+))? is limited to (\d[\d.]* ?[A-Za-z]+/?[a-z]*)(?: (?:and|with) a queue of (\d+) packets?)?( (?:within|for|while) .+)?$`, limitBandwidth)
	sc.Step(`^the links? between ([^"]+?) flaps? every (\d[^"]*?)( (?:within|for|while) .+)?$`, flap)
}

// delay holds every packet back, one way; an answer is late by both ways where both are delayed. With ± each packet has
// its own delay: uniform means evenly spread up to that far, normal and pareto have it as standard deviation. The order
// of packets is kept.
//
//	packets from node1 to node2 are delayed by 100ms
//	packets between node1 and node2 are delayed by 100ms ± 20ms
//	packets to node2 are delayed by 100ms ± 20ms with a normal distribution
//	packets from node2 are delayed by 1s for 5s
//	UDP packets between all nodes are delayed by 50ms for the next 5s
func delay(ctx context.Context, proto, links, port, by, jitter, spread, tail string) error {
	s := read(ctx)
	traffic, length := s.traffic(proto, links, port), s.length(tail)
	late := world.Lateness{By: s.time(by), Spread: world.Spread(spread)}
	if jitter != "" {
		late.Jitter = s.duration(jitter)
	}
	return s.do(func(w *world.World) error { return w.Delay(ctx, traffic, late, length) })
}

// limitBandwidth lets so many bits per second pass, frames with their headers. What comes faster waits in a queue (50 ms
// of full packets, at least 64, or what the sentence says), and what finds it full is dropped. "from" or "to" a node
// alone, all its links share the rate; else each link and direction has it for itself.
//
//	bandwidth from node1 to node2 is limited to 1 Mbit/s
//	bandwidth from node1 to node2 is limited to 1 Mbit/s and a queue of 64 packets
//	bandwidth to node2 is limited to 10 Mbit/s for 5s
//	bandwidth between all nodes is limited to 100 Mbit/s
func limitBandwidth(ctx context.Context, proto, links, port, rate, queue, tail string) error {
	s := read(ctx)
	traffic, bits, length, packets := s.traffic(proto, links, port), s.bitRate(rate), s.length(tail), 0
	if queue != "" {
		packets = s.atLeastOne(queue, "a queue of "+queue+" packets")
	}
	return s.do(func(w *world.World) error { return w.LimitBandwidth(ctx, traffic, bits, packets, length) })
}

// flap lets a link go down, up, down …, each for as long as the sentence says; it begins down.
//
//	the link between node1 and node2 flaps every 500ms
//	the links between all nodes flap every 1s for 5s
func flap(ctx context.Context, sides, every, tail string) error {
	s := read(ctx)
	a, b := s.pair(sides)
	half, length := s.time(every), s.length(tail)
	return s.do(func(w *world.World) error {
		return w.Flap(ctx, world.Traffic{From: &a, To: &b, Both: true}, half, length)
	})
}
