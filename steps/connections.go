package steps

import (
	"context"

	"brine.test/brine/world"
)

// connections states the sentences about TCP connections.
func connections(sc Registrar) {
	sc.Step(`^(?:existing )?connections ((?:from|to|between) [^"]+?)(?: on port ([^" ]+))? (?:is|are) reset( (?:within|for|while) .+)?$`, resetConnections)
	sc.Step(`^((?:[^" ]| [^" \d]| \d+ r)+) cannot open new connections to ([^"]+?)(?: on port ([^" ]+))?( (?:within|for|while) .+)?$`, refuseConnections)
	sc.Step(`^existing connections ((?:from|to|between) [^"]+?)(?: on port ([^" ]+))? hangs?( (?:within|for|while) .+)?$`, hangConnections)
	sc.Step(`^existing connections ((?:from|to|between) [^"]+?)(?: on port ([^" ]+))? resumes?$`, resumeConnections)
}

// resetConnections resets the live TCP connections between two sides, whoever opened them: both ends get an RST. New
// ones may be made at once, so it takes no length.
//
//	connections between node1 and node2 are reset
//	connections to node2 on port 2380 are reset
func resetConnections(ctx context.Context, links, port, tail string) error {
	s := read(ctx)
	traffic := s.traffic("", links, port)
	s.none(tail, "connections are reset in a moment, which takes no length\nhint: to keep new ones from being made, write `node1 cannot open new connections to node2 for 5s`")
	return s.do(func(w *world.World) error { return w.ResetConnections(ctx, traffic) })
}

// refuseConnections drops what would open a new TCP connection from one side to the other: it times out. Connections
// that are open live on.
//
//	node1 cannot open new connections to node2
//	node1 cannot open new connections to node2 on port 2380 for 5s
//	node1 and node2 cannot open new connections to each other
func refuseConnections(ctx context.Context, from, to, port, tail string) error {
	s := read(ctx)
	length := s.length(tail)
	traffic := world.Traffic{Port: port}
	if to == "each other" {
		a, b := s.pair(from)
		traffic.From, traffic.To, traffic.Both = &a, &b, true
	} else {
		a, b := s.who(from), s.who(to)
		traffic.From, traffic.To = &a, &b
	}
	return s.do(func(w *world.World) error { return w.RefuseConnections(ctx, traffic, length) })
}

// hangConnections drops both directions of the TCP connections that are open now: nothing arrives, and nobody is told.
// New ones may be made.
//
//	existing connections between node1 and node2 hang
//	existing connections between node1 and node2 hang for 5s
func hangConnections(ctx context.Context, links, port, tail string) error {
	s := read(ctx)
	traffic, length := s.traffic("", links, port), s.length(tail)
	return s.do(func(w *world.World) error { return w.HangConnections(ctx, traffic, length) })
}

// resumeConnections lets connections that hang go on.
//
//	existing connections between node1 and node2 resume
func resumeConnections(ctx context.Context, links, port string) error {
	s := read(ctx)
	traffic := s.traffic("", links, port)
	return s.do(func(w *world.World) error { return w.ResumeConnections(ctx, traffic) })
}
