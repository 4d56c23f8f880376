package world

import (
	"context"
	"errors"
	"fmt"
	"time"

	"brine.test/brine/world/catalogue"
	"brine.test/brine/world/client"
	sel "brine.test/brine/world/selector"
)

// setLeader notes the last known leader, and the one before it.
func (w *World) setLeader(e electorate, n *Node) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := w.leaders[e]
	if l == nil {
		w.leaders[e] = &leadership{now: n}
		return
	}
	if l.now != n {
		l.old, l.now = l.now, n
	}
}

// leadership is the last known leader of an electorate and the one before. moved
// says that a sentence moved it and that no harm was done since: "the leader
// has changed" then means that move.
type leadership struct {
	now, old *Node
	moved    bool
}

// lastLeader is the last known leader, or nil.
func (w *World) lastLeader(e electorate) *Node {
	w.mu.Lock()
	defer w.mu.Unlock()
	if l := w.leaders[e]; l != nil {
		return l.now
	}
	return nil
}

// oldLeader is the last known leader before the present one. Where nobody else
// leads yet, it is the last known leader itself, once a harm has taken it down
// or cut it off.
func (w *World) oldLeader(ctx context.Context, of string) (*Node, error) {
	e, err := w.electorate(of)
	if err != nil {
		return nil, err
	}
	now, asked := w.findLeader(ctx, e)
	w.mu.Lock()
	var l leadership
	if known := w.leaders[e]; known != nil {
		l = *known
	}
	w.mu.Unlock()
	switch {
	case asked != nil && l.now != nil:
		return l.now, nil
	case l.old != nil:
		return l.old, nil
	case asked == nil && len(w.active(func(a *active) bool { return overlap(a.who, []*Node{now}) })) > 0:
		return now, nil
	}
	return nil, errors.New("the old leader: no change of leader was seen in this scenario\nhint: say \"Then the leader has changed within 10s\" before it")
}

// ExactlyOneLeader holds when just one node claims to lead, in the highest term.
func (w *World) ExactlyOneLeader(ctx context.Context, of string, b Bound) error {
	e, err := w.electorate(of)
	if err != nil {
		return err
	}
	return w.Check(ctx, b, func(ctx context.Context) error { return w.oneLeads(ctx, e) })
}

func (w *World) oneLeads(ctx context.Context, e electorate) error {
	claimants, all := w.claimants(ctx, e)
	if len(claimants) != 1 {
		return fmt.Errorf("expected exactly one leader, got %d: %s", len(claimants), listClaims(all))
	}
	return nil
}

// NeverMoreThanOneLeader holds while no term has two claimants.
func (w *World) NeverMoreThanOneLeader(ctx context.Context, of string, b Bound) error {
	e, err := w.electorate(of)
	if err != nil {
		return err
	}
	return w.Check(ctx, b, func(ctx context.Context) error {
		claimants, all := w.claimants(ctx, e)
		if len(claimants) > 1 {
			return fmt.Errorf("expected at most one leader, got %d: %s", len(claimants), listClaims(all))
		}
		return nil
	})
}

// claimants are those who claim to lead in the highest term.
func (w *World) claimants(ctx context.Context, e electorate) (top, all []claim) {
	all = w.claims(ctx, e)
	for _, c := range all {
		switch {
		case c.err != nil || !c.Self:
		case len(top) == 0 || c.Term > top[0].Term:
			top = []claim{c}
		case c.Term == top[0].Term:
			top = append(top, c)
		}
	}
	return top, all
}

// IsLeader holds when the leader is one of the nodes.
func (w *World) IsLeader(ctx context.Context, who sel.Selector, of string, b Bound) error {
	nodes, err := w.Resolve(ctx, who)
	if err != nil {
		return err
	}
	e, err := w.electorate(word(of, who.Service), nodes...)
	if err != nil {
		return err
	}
	return w.Check(ctx, b, func(ctx context.Context) error {
		leader, err := w.findLeader(ctx, e)
		if err != nil {
			return err
		}
		for _, n := range nodes {
			if n == leader {
				return nil
			}
		}
		return fmt.Errorf("expected %s to lead, got %s", listOr(nodeNames(nodes)), leader.Name)
	})
}

// LeaderChanged holds when the leader differs from the last known one.
func (w *World) LeaderChanged(ctx context.Context, of string, b Bound) error {
	e, err := w.electorate(of)
	if err != nil {
		return err
	}
	before := w.lastLeader(e)
	if before == nil {
		return fmt.Errorf("the leader of %s: none was known before", w.electorateName(e))
	}
	return w.Check(ctx, b, func(ctx context.Context) error {
		claims := w.claims(ctx, e)
		n, ok := electedOf(claims, len(w.voters(e)))
		if !ok {
			return fmt.Errorf("expected another leader than %s, got none: %s", before.Name, listClaims(claims))
		}
		if n == before && !w.wasMoved(e) {
			return fmt.Errorf("expected another leader than %s, got the same: %s", before.Name, listClaims(claims))
		}
		w.setLeader(e, n)
		return nil
	})
}

// BecomeLeader asks the service to move its leader and waits until it has.
func (w *World) BecomeLeader(ctx context.Context, who sel.Selector, of string) error {
	target, err := w.One(ctx, who)
	if err != nil {
		return err
	}
	e, err := w.electorate(word(of, who.Service), target)
	if err != nil {
		return err
	}
	to, err := target.service(e.service)
	if err != nil {
		return err
	}
	if !client.Can(to.def.Client, catalogue.OpMoveLeader) {
		return fmt.Errorf("%s: its client cannot move the leader\nhint: give its service file a client with \"move_leader\"", e.service)
	}
	within := moveLeaderWithin
	if end, ok := ctx.Deadline(); ok { // what the sentence gives it, if that is less
		within = min(within, max(0, time.Until(end)).Round(time.Millisecond))
	}
	return w.Check(ctx, Bound{Kind: Within, D: within}, func(ctx context.Context) error {
		leader, err := w.findLeader(ctx, e)
		if err != nil {
			asked, failed := to.promote(ctx)
			if asked && failed == nil {
				w.leaderMoved(e)
			}
			return errors.Join(err, failed)
		}
		if leader == target {
			return nil
		}
		from, err := leader.service(e.service)
		if err != nil {
			return err
		}
		if err := from.moveLeader(ctx, to); err != nil {
			return fmt.Errorf("move the leader from %s to %s: %w", leader.Name, target.Name, err)
		}
		w.leaderMoved(e)
		return fmt.Errorf("%s still leads", leader.Name)
	})
}

// promote asks a service to lead where nobody does, if its client can.
func (s *Service) promote(ctx context.Context) (asked bool, err error) {
	c, err := s.fromInside()
	if err != nil {
		return false, err
	}
	p, ok := c.(client.Promoter)
	if !ok {
		return false, nil
	}
	return true, p.Promote(ctx)
}

func (w *World) leaderMoved(e electorate) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if l := w.leaders[e]; l != nil {
		l.moved = true
	}
}

func (w *World) wasMoved(e electorate) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.leaders[e].moved
}
