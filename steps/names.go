package steps

import (
	"context"

	"brine.test/brine/world"
)

// nameFaults states the sentences about the resolution of names.
func nameFaults(sc Registrar) {
	sc.Step(`^name resolution fails on ([^"]+?)( (?:within|for|while) .+)?$`, failNames)
	sc.Step(`^name resolution is slow by (\d[^"]*?) on ([^"]+?)( (?:within|for|while) .+)?$`, slowNames)
}

// failNames lets every question for a name that the nodes ask fail at once (SERVFAIL). Addresses still work.
//
//	name resolution fails on node1
//	name resolution fails on all nodes for 5s
func failNames(ctx context.Context, who, tail string) error {
	s := read(ctx)
	nodes, length := s.who(who), s.length(tail)
	return s.do(func(w *world.World) error { return w.FailNames(ctx, nodes, length) })
}

// slowNames lets every question for a name that the nodes ask wait before it is answered.
//
//	name resolution is slow by 2s on node1
//	name resolution is slow by 500ms on node1 for the next 5s
func slowNames(ctx context.Context, by, who, tail string) error {
	s := read(ctx)
	nodes, late, length := s.who(who), s.time(by), s.length(tail)
	return s.do(func(w *world.World) error { return w.SlowNames(ctx, nodes, late, length) })
}
