package steps

import (
	"context"
	"fmt"

	"brine.test/brine/world"
)

// leaders states the sentences about who leads.
func leaders(sc Registrar) {
	sc.Step(`^there is exactly one leader(?: of ([^" ]+))?( (?:within|for|while) .+)?$`, exactlyOneLeader)
	sc.Step(`^there is never more than one leader(?: of ([^" ]+))?( (?:within|for|while) .+)?$`, neverMoreLeaders)
	sc.Step(`^([^"]+) is the leader(?: of ([^" ]+))?( (?:within|for|while) .+)?$`, isLeader)
	sc.Step(`^the leader(?: of ([^" ]+))? is one of ([^"]+?)( (?:within|for|while) .+)?$`, leaderIsOneOf)
	sc.Step(`^the leader(?: of ([^" ]+))? has changed( (?:within|for|while) .+)?$`, leaderChanged)
	sc.Step(`^([^"]+) becomes the leader(?: of ([^" ]+))?( (?:within|for|while) .+)?$`, becomeLeader)
	sc.Step(`^([^"]+) (?:has|have) caught up with the leader(?: of ([^" ]+))?( (?:within|for|while) .+)?$`, caughtUp)
}

// exactlyOneLeader: one node claims to lead, by the highest term where there are terms.
//
//	there is exactly one leader
//	there is exactly one leader within 10s
//	there is exactly one leader of redis
func exactlyOneLeader(ctx context.Context, of, tail string) error {
	s := read(ctx)
	bound := s.bound(tail)
	return s.do(func(w *world.World) error { return w.ExactlyOneLeader(ctx, of, bound) })
}

// neverMoreLeaders: at no look do two nodes lead in one term.
//
//	there is never more than one leader for 30s
func neverMoreLeaders(ctx context.Context, of, tail string) error {
	s := read(ctx)
	bound := s.boundOfNot(tail)
	return s.do(func(w *world.World) error { return w.NeverMoreThanOneLeader(ctx, of, bound) })
}

// isLeader: that node leads. Where several services or clusters have a leader, it is the one of the node named; "of redis",
// or "of db" for a cluster of that name, says which.
//
//	node1 is the leader
//	node1 is the leader within 10s
func isLeader(ctx context.Context, who, of, tail string) error {
	s := read(ctx)
	node, bound := s.who(who), s.bound(tail)
	return s.do(func(w *world.World) error { return w.IsLeader(ctx, node, of, bound) })
}

// leaderIsOneOf: one of those nodes leads.
//
//	the leader is one of node1 and node3
func leaderIsOneOf(ctx context.Context, of, who, tail string) error {
	return isLeader(ctx, who, of, tail)
}

// leaderChanged: another node leads than the last known leader, the one named or found last in this scenario.
//
//	the leader has changed
//	the leader has changed within 10s
func leaderChanged(ctx context.Context, of, tail string) error {
	s := read(ctx)
	bound := s.bound(tail)
	return s.do(func(w *world.World) error { return w.LeaderChanged(ctx, of, bound) })
}

// becomeLeader asks the service to move its leader and waits until it has, up to 30 s, or up to "within".
//
//	node1 becomes the leader
//	node1 becomes the leader within 10s
func becomeLeader(ctx context.Context, who, of, tail string) error {
	s := read(ctx)
	node, bound := s.who(who), s.bound(tail)
	if bound.Kind != world.Now && bound.Kind != world.Within {
		s.keep(fmt.Errorf("%q: becoming the leader takes no such bound\nhint: write `node1 becomes the leader within 10s`, then `node1 is the leader for 5s`", tail[1:]))
	}
	return s.do(func(w *world.World) error {
		if bound.Kind == world.Within {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, bound.D)
			defer cancel()
		}
		return w.BecomeLeader(ctx, node, of)
	})
}

// caughtUp: the node's replication position has reached the leader's.
//
//	node2 has caught up with the leader
//	the followers have caught up with the leader within 10s
func caughtUp(ctx context.Context, who, of, tail string) error {
	s := read(ctx)
	nodes, bound := s.who(who), s.bound(tail)
	return s.do(func(w *world.World) error { return w.CaughtUp(ctx, nodes, of, bound) })
}
