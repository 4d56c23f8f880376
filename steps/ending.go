package steps

import (
	"context"

	"brine.test/brine/world"
)

// endings states the sentences that end one kind of harm.
func endings(sc Registrar) {
	sc.Step(`^the (loss|corruption|duplication|reordering|delay|bandwidth limit|flapping)(?: of (?:(TCP|UDP|ICMP) )?(?:packets|traffic|the links?))?(?: ((?:from|to|between) [^"]+?))?(?: on port ([^" ]+))? ends$`, endHarm)
}

// endHarm ends one kind of harm and leaves the others on the same links: what was asked for with the same words, or else
// that kind of harm on those links alone. Without a direction, all harm of that kind.
//
//	the delay from node1 to node2 ends
//	the loss between node1 and node2 ends
//	the loss of TCP packets from node1 to node2 on port 2380 ends
//	the corruption to node2 ends
//	the duplication from node2 ends
//	the reordering between all nodes ends
//	the bandwidth limit from node1 to node2 ends
//	the flapping between node1 and node2 ends
//	the delay ends
func endHarm(ctx context.Context, kind, proto, links, port string) error {
	s := read(ctx)
	traffic := s.traffic(proto, links, port)
	return s.do(func(w *world.World) error { return w.EndHarm(ctx, kind, traffic) })
}
