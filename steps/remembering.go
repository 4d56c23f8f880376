package steps

import (
	"context"

	"brine.test/brine/world"
)

// remembering states the sentences that wait, and those that keep something for later ones.
func remembering(sc Registrar) {
	sc.Step(`^I wait ([^"]+)$`, wait)
	sc.Step(`^the response JSON at "((?:[^"]|"")*)" is remembered as "((?:[^"]|"")*)"$`, rememberJSON)
	sc.Step(`^([^"]+) (?:is|are) remembered as "((?:[^"]|"")*)"$`, rememberWho)
}

// wait lets time pass.
//
//	I wait 5s
func wait(ctx context.Context, d string) error {
	s := read(ctx)
	pause := s.duration(d)
	return s.do(func(w *world.World) error { return w.Wait(ctx, pause) })
}

// rememberJSON keeps the value at a path of the last response; ${ID} stands for it from then on.
//
//	the response JSON at "id" is remembered as "ID"
func rememberJSON(ctx context.Context, path, name string) error {
	s := read(ctx)
	at, as := s.data(path), s.name(s.data(name))
	return s.do(func(w *world.World) error { return w.RememberJSON(ctx, at, as) })
}

// rememberWho keeps whom a selector stands for now: ${L} stands for their names, and L is a selector.
//
//	the leader is remembered as "L"
//	node1 and node2 are remembered as "PAIR"
func rememberWho(ctx context.Context, who, name string) error {
	s := read(ctx)
	nodes, as := s.who(who), s.name(s.data(name))
	return s.do(func(w *world.World) error { return w.RememberWho(ctx, nodes, as) })
}
