package steps

import (
	"context"

	"brine.test/brine/world"
)

// members states the sentences about membership, versions and health.
func members(sc Registrar) {
	sc.Step(`^([^"]+) leaves?$`, leave)
	sc.Step(`^([^"]+) (?:is|are) replaced by (?:an empty node|empty nodes)$`, replace)
	sc.Step(`^the nodes are upgraded to ([^" ]+) ([^" ]+) one by one$`, upgrade)
	sc.Step(`^the cluster is healthy( (?:within|for|while) .+)?$`, clusterHealthy)
	sc.Step(`^([^"]+) (?:is|are) ready( (?:within|for|while) .+)?$`, ready)
	sc.Step(`^([^"]+) (?:is|are) running( (?:within|for|while) .+)?$`, running)
	sc.Step(`^([^"]+) (?:has|have) exited with code (\d+)( (?:within|for|while) .+)?$`, exited)
	sc.Step(`^([^"]+) (?:was|were) killed for lack of memory( (?:within|for|while) .+)?$`, killedByOOM)
}

// leave takes a node out of the cluster by the service's own means, where the catalogue has them, and ends it.
//
//	node4 leaves
//	node4 and node5 leave
func leave(ctx context.Context, who string) error {
	s := read(ctx)
	nodes := s.who(who)
	return s.do(func(w *world.World) error { return w.Leave(ctx, nodes) })
}

// replace puts a node with an empty disk in a node's place, its membership renewed by the service's own means.
//
//	node2 is replaced by an empty node
//	node2 and node3 are replaced by empty nodes
func replace(ctx context.Context, who string) error {
	s := read(ctx)
	nodes := s.who(who)
	return s.do(func(w *world.World) error { return w.Replace(ctx, nodes) })
}

// upgrade stops each node in turn and starts it with that version on its disk; each is ready before the next.
//
//	the nodes are upgraded to etcd 3.6.8 one by one
func upgrade(ctx context.Context, service, version string) error {
	s := read(ctx)
	ref := world.ServiceRef{Name: s.name(service), Version: version}
	return s.do(func(w *world.World) error { return w.Upgrade(ctx, ref) })
}

// clusterHealthy: every service of every node is ready.
//
//	the cluster is healthy
//	the cluster is healthy within 10s
func clusterHealthy(ctx context.Context, tail string) error {
	s := read(ctx)
	bound := s.bound(tail)
	return s.do(func(w *world.World) error { return w.ClusterHealthy(ctx, bound) })
}

// ready: the readiness probe of every service of the nodes passes.
//
//	node2 is ready within 10s
//	all nodes are ready for 5s
func ready(ctx context.Context, who, tail string) error {
	s := read(ctx)
	nodes, bound := s.who(who), s.bound(tail)
	return s.do(func(w *world.World) error { return w.Ready(ctx, nodes, bound) })
}

// running: the processes of the nodes' services are there, ready or not.
//
//	node2 is running
//	node1 and node2 are running for 5s
func running(ctx context.Context, who, tail string) error {
	s := read(ctx)
	nodes, bound := s.who(who), s.bound(tail)
	return s.do(func(w *world.World) error { return w.Running(ctx, nodes, bound) })
}

// exited: the nodes' services have ended by themselves or by a signal (128 + its number), with that exit code.
//
//	node2 has exited with code 1
//	node2 and node3 have exited with code 1 within 10s
func exited(ctx context.Context, who, code, tail string) error {
	s := read(ctx)
	nodes, n, bound := s.who(who), s.number(code), s.bound(tail)
	return s.do(func(w *world.World) error { return w.Exited(ctx, nodes, n, bound) })
}

// killedByOOM: the kernel killed a process of the node because its memory had run out.
//
//	node2 was killed for lack of memory
//	node2 and node3 were killed for lack of memory within 10s
func killedByOOM(ctx context.Context, who, tail string) error {
	s := read(ctx)
	nodes, bound := s.who(who), s.bound(tail)
	return s.do(func(w *world.World) error { return w.KilledByOOM(ctx, nodes, bound) })
}
