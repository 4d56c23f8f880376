package world

import (
	"context"
	"errors"
	"fmt"
	"time"

	"brine.test/brine/containers/clock"
	"brine.test/brine/world/record"
	sel "brine.test/brine/world/selector"
)

// JumpClock moves the wall clock of nodes: ahead, or back where by is negative.
func (w *World) JumpClock(ctx context.Context, who sel.Selector, by time.Duration) error {
	if by == 0 {
		return errors.New("a jump by nothing: expected a length of time above zero")
	}
	way := "ahead"
	if by < 0 {
		way = "back"
	}
	return w.skew(ctx, who, kindJump, fmt.Sprintf("jumped %s by %s", way, by.Abs()), clock.Skew{Offset: by}, Length{})
}

// DriftClock lets the wall clock of nodes run at another rate: 1.1 is 10% fast.
func (w *World) DriftClock(ctx context.Context, who sel.Selector, rate float64, l Length) error {
	if rate <= 0 || rate == 1 {
		return fmt.Errorf("a clock that runs at %g times its rate: expected it to run, fast or slow", rate)
	}
	way := fmt.Sprintf("%.4g%% fast", (rate-1)*100)
	if rate < 1 {
		way = fmt.Sprintf("%.4g%% slow", (1-rate)*100)
	}
	return w.skew(ctx, who, kindDrift, "running "+way, clock.Skew{Rate: rate}, l)
}

// skew changes the clocks of nodes, and proves it by reading them.
func (w *World) skew(ctx context.Context, who sel.Selector, kind harmKind, what string, s clock.Skew, l Length) error {
	if who.Service != "" {
		return fmt.Errorf("the clock of %s: a clock is a node's, not a service's\nhint: write `the clock of node1 …`", who)
	}
	nodes, err := w.Resolve(ctx, who)
	if err != nil {
		return err
	}
	id, began, undo := w.nextID("skew"), time.Now(), parts{}
	for _, n := range nodes {
		undo[n] = func(ctx context.Context) error { return n.clock.drop(ctx, id) }
	}
	err = each(nodes, func(n *Node) error {
		if err := w.openClock(ctx, n); err != nil {
			return err
		}
		return n.clock.put(ctx, id, s)
	})
	inject := time.Since(began)
	proofs := make(map[*Node]string, len(nodes))
	if err == nil {
		err = each(nodes, func(n *Node) error {
			if w.isPaused(n) {
				return nil // nobody can read a clock there
			}
			proof, err := n.clock.prove(ctx)
			w.mu.Lock()
			proofs[n] = proof
			w.mu.Unlock()
			return err
		})
	}
	if err != nil {
		return errors.Join(err, undo.heal(context.WithoutCancel(ctx)))
	}
	gauge := func() record.Receipt {
		var all record.Receipt
		for _, n := range nodes {
			all = join(all, n.clock.receipt(proofs[n]))
		}
		return all
	}
	return w.beginParts(ctx, &active{
		kind: kind, who: nodes, what: fmt.Sprintf("the clock of %s %s", names(nodes), what), gauge: gauge, inject: inject,
	}, undo, l)
}

// RightClock sets the clocks of nodes right.
func (w *World) RightClock(ctx context.Context, who sel.Selector) error {
	nodes, err := w.Resolve(ctx, who)
	if err != nil {
		return err
	}
	hit, err := w.healOn(ctx, nodes, func(a *active) bool { return a.kind == kindJump || a.kind == kindDrift })
	if err == nil && !hit {
		return fmt.Errorf("the clock of %s: is right already\nhint: %s", names(nodes), w.onNow())
	}
	return err
}

// openClock makes the node's clock changeable.
func (w *World) openClock(ctx context.Context, n *Node) error {
	fresh, err := n.clock.open(ctx, n)
	if fresh {
		w.undo.Push("clock of "+n.Name, 20*time.Second, n.clock.close)
	}
	return err
}
