package steps

import (
	"context"
	"fmt"
	"strings"

	"brine.test/brine/world"
)

// counting states the sentences about packets that the kernel counted.
func counting(sc Registrar) {
	sc.Step(`^([^"]+?) sent (no|at least \d+|at most \d+|exactly \d+) (?:(TCP|UDP|ICMP) )?packets?(?: to ([^"]+?))?(?: on port ([^" ]+))?( (?:within|for|while) .+)?$`, sentPackets)
	sc.Step(`^(no|at least \d+|at most \d+|exactly \d+) (?:(TCP|UDP|ICMP) )?packets?(?: from ([^"]+?))? reached ([^"]+?)(?: on port ([^" ]+))?( (?:within|for|while) .+)?$`, reachedPackets)
	sc.Step(`^packets of ([^"]+?) (?:is|are) captured( (?:within|for|while) .+)?$`, capturePackets)
}

// sentPackets judges what a node put on the wire, before any harm, since the scenario began; with "for 2s" in the next
// two seconds, with "while" in the time of a harm. The port is the destination's.
//
//	node1 sent no packets to node2
//	node1 sent at least 100 packets to node2 on port 2380
//	node1 sent no UDP packets to node2 for 2s
//	node2 sent at least 10 packets to node1 while node2 was isolated
func sentPackets(ctx context.Context, from, count, proto, to, port, tail string) error {
	s := read(ctx)
	return s.count(ctx, world.PacketCount{Traffic: s.ends(proto, from, to, port)}, count, tail)
}

// reachedPackets judges what arrived, after all harm.
//
//	no packets from node1 reached node2
//	at least 100 packets from node1 reached node2
//	no packets from node2 reached node1 while node2 was isolated
//	no packets reached node3 for 2s
func reachedPackets(ctx context.Context, count, proto, from, to, port, tail string) error {
	s := read(ctx)
	return s.count(ctx, world.PacketCount{Traffic: s.ends(proto, from, to, port), Arrived: true}, count, tail)
}

// ends reads who sent to whom; "" is anyone.
func (s *words) ends(proto, from, to, port string) world.Traffic {
	t := world.Traffic{Proto: proto, Port: port}
	if from != "" {
		who := s.who(from)
		t.From = &who
	}
	if to != "" {
		who := s.who(to)
		t.To = &who
	}
	return t
}

func (s *words) count(ctx context.Context, c world.PacketCount, count, tail string) error {
	c.Compare = world.AtMost // no
	if at := strings.LastIndexByte(count, ' '); at > 0 {
		c.Compare, c.N = world.Compare(count[:at]), uint64(s.number(count[at+1:]))
	}
	bound := s.bound(tail)
	if bound.Kind == world.Within && c.Compare != world.AtLeast {
		s.keep(fmt.Errorf("%q: that there were few packets could only be looked at once\nhint: write `for %s`: the packets of that time are counted", strings.TrimSpace(tail), bound.D))
	}
	return s.do(func(w *world.World) error { return w.CountPackets(ctx, c, bound) })
}

// capturePackets writes the nodes' packets from now on into pcapng files among the scenario's artifacts, one a node:
// what it sends before any harm, what it receives after all harm. What a harm dropped is among them, with a comment that
// says which harm it was.
//
//	packets of node1 are captured
//	packets of all nodes are captured
func capturePackets(ctx context.Context, who, tail string) error {
	s := read(ctx)
	nodes := s.who(who)
	s.none(tail, "a capture goes on until the scenario ends")
	return s.do(func(w *world.World) error { return w.CapturePackets(ctx, nodes) })
}
