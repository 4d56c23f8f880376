package steps

import (
	"context"

	"brine.test/brine/world"
	"brine.test/brine/world/quantity"
)

// machines states the sentences about a node's memory and CPU. Of the selectors, `redis on node1` means that service alone.
func machines(sc Registrar) {
	sc.Step(`^(?:the )?memory of ([^"]+?) (?:is|are) limited to (\d[\d.]* ?[A-Za-z]+)( (?:within|for|while) .+)?$`, limitMemory)
	sc.Step(`^((?:[^" ]| [^" \d]| \d+ r)+) runs? out of memory( (?:within|for|while) .+)?$`, runOutOfMemory)
	sc.Step(`^(?:the )?CPU of ([^"]+?) (?:is|are) limited to (\d[\d.]* ?(?:%|percent))( (?:within|for|while) .+)?$`, limitCPU)
	sc.Step(`^(?:the )?CPU of ([^"]+?) (?:is|are) stressed( (?:within|for|while) .+)?$`, stressCPU)
}

// limitMemory limits the memory of all services of a node together, caches of files included. Below what they need, the
// kernel kills the largest of their programs; `everything heals` starts it again.
//
//	memory of node2 is limited to 64 MiB
//	memory of node2 and node3 is limited to 1 GiB for 10s
//	memory of redis on node1 is limited to 64 MiB
func limitMemory(ctx context.Context, who, size, tail string) error {
	s := read(ctx)
	nodes, length := s.who(who), s.length(tail)
	bytes, err := quantity.Size(size)
	s.keep(err)
	return s.do(func(w *world.World) error { return w.LimitMemory(ctx, nodes, bytes, length) })
}

// runOutOfMemory takes all memory that is left to a node, until the kernel kills the largest of its programs. After that
// the node has its memory again and can be started. It is momentary, so it takes no length.
//
//	node2 runs out of memory
//	the leader runs out of memory
//	redis on node1 runs out of memory
func runOutOfMemory(ctx context.Context, who, tail string) error {
	s := read(ctx)
	nodes := s.who(who)
	s.none(tail, "a kill for lack of memory is momentary and takes no length\nhint: write `node2 runs out of memory`, and later `node2 is started again`; or `memory of node2 is limited to 64 MiB for 5s`")
	return s.do(func(w *world.World) error { return w.RunOutOfMemory(ctx, nodes) })
}

// limitCPU limits the CPU time of all services of a node together: 100% is one processor.
//
//	CPU of node2 is limited to 10%
//	CPU of the leader is limited to 5% for 10s
//	CPU of redis on node1 is limited to 10%
func limitCPU(ctx context.Context, who, share, tail string) error {
	s := read(ctx)
	nodes, part, length := s.who(who), s.share(share), s.length(tail)
	return s.do(func(w *world.World) error { return w.LimitCPU(ctx, nodes, part, length) })
}

// stressCPU keeps every processor busy inside a node: its services are left with about a tenth of what the node gets.
//
//	CPU of node2 is stressed
//	CPU of all nodes is stressed for 10s
func stressCPU(ctx context.Context, who, tail string) error {
	s := read(ctx)
	nodes, length := s.who(who), s.length(tail)
	return s.do(func(w *world.World) error { return w.StressCPU(ctx, nodes, length) })
}
