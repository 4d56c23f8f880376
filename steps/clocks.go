package steps

import (
	"context"

	"brine.test/brine/world"
)

// clocks states the sentences about a node's wall clock.
func clocks(sc Registrar) {
	sc.Step(`^the clocks? of ([^"]+?) jumps? (ahead|back) by (\d[^"]*?)( (?:within|for|while) .+)?$`, clockJumps)
	sc.Step(`^the clocks? of ([^"]+?) runs? (\d[\d.]* ?(?:%|percent)) (fast|slow)( (?:within|for|while) .+)?$`, clockDrifts)
	sc.Step(`^the clocks? of ([^"]+?) (?:is|are) right again( (?:within|for|while) .+)?$`, clockRight)
}

// clockJumps moves the wall clock of a node, for all its processes and those started later; nobody else's moves. It stays
// wrong until it is right again. A jump is momentary, so it takes no length.
//
//	the clock of node2 jumps ahead by 5m
//	the clock of node2 jumps back by 5m
//	the clocks of node1 and node2 jump ahead by 2 hours
func clockJumps(ctx context.Context, who, way, by, tail string) error {
	s := read(ctx)
	nodes, d := s.who(who), s.duration(by)
	s.none(tail, "a jump is momentary and takes no length\nhint: write `the clock of node2 jumps ahead by 5m`, and later `the clock of node2 is right again`")
	if way == "back" {
		d = -d
	}
	return s.do(func(w *world.World) error { return w.JumpClock(ctx, nodes, d) })
}

// clockDrifts lets the wall clock of a node run too fast or too slow from now on.
//
//	the clock of node2 runs 10% fast
//	the clock of the leader runs 0.1% slow for 30s
func clockDrifts(ctx context.Context, who, share, way, tail string) error {
	s := read(ctx)
	nodes, part, length := s.who(who), s.share(share), s.length(tail)
	if way == "slow" {
		part = -part
	}
	return s.do(func(w *world.World) error { return w.DriftClock(ctx, nodes, 1+part, length) })
}

// clockRight sets the wall clock of a node right, after jumps and drifts.
//
//	the clock of node2 is right again
//	the clocks of all nodes are right again
func clockRight(ctx context.Context, who, tail string) error {
	s := read(ctx)
	nodes := s.who(who)
	s.none(tail, "a clock is set right at once")
	return s.do(func(w *world.World) error { return w.RightClock(ctx, nodes) })
}
