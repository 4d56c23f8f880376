package world

import (
	"context"
	"errors"
	"fmt"

	"brine.test/brine/world/record"
)

// parts are what undoes a harm on each of its nodes.
type parts map[*Node]func(context.Context) error

// heal undoes what is left, on all nodes at once.
func (p parts) heal(ctx context.Context) error {
	left := make([]*Node, 0, len(p))
	for n := range p {
		left = append(left, n)
	}
	return p.healOn(ctx, left)
}

// healOn undoes the harm on some nodes. What cannot be undone stays.
func (p parts) healOn(ctx context.Context, nodes []*Node) error {
	errs := make(map[*Node]error, len(nodes))
	results := make(chan struct {
		n   *Node
		err error
	}, len(nodes))
	asked := 0
	for _, n := range nodes {
		undo := p[n]
		if undo == nil {
			continue
		}
		asked++
		go func() {
			err := undo(ctx)
			results <- struct {
				n   *Node
				err error
			}{n, err}
		}()
	}
	for range asked {
		r := <-results
		if r.err == nil {
			delete(p, r.n)
			continue
		}
		errs[r.n] = fmt.Errorf("%s: %w", r.n.Name, r.err)
	}
	var all []error
	for _, n := range nodes {
		all = append(all, errs[n])
	}
	return errors.Join(all...)
}

// healOn heals the harms that match, but only on some nodes; hit tells whether
// there was any.
func (w *World) healOn(ctx context.Context, nodes []*Node, match func(*active) bool) (hit bool, err error) {
	harms := w.active(func(a *active) bool { return a.parts != nil && match(a) && a.on(nodes) })
	var errs []error
	for i := len(harms) - 1; i >= 0; i-- {
		errs = append(errs, harms[i].healPart(ctx, nodes))
	}
	return len(harms) > 0, errors.Join(errs...)
}

// on tells whether a harm in parts is still on, on any of the nodes; a.mu is held.
func (a *active) on(nodes []*Node) bool {
	for _, n := range nodes {
		if a.parts[n] != nil {
			return true
		}
	}
	return false
}

// healPart heals the harm on some of its nodes, and it is over when none is left.
func (a *active) healPart(ctx context.Context, nodes []*Node) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.done {
		return nil
	}
	end := a.w.mark()
	err := a.parts.healOn(ctx, nodes)
	if len(a.parts) == 0 {
		a.finish(end)
		return err
	}
	for _, n := range nodes {
		if _, known := a.freed[n]; !known && a.parts[n] == nil && includes(a.who, []*Node{n}) {
			if a.freed == nil {
				a.freed = map[*Node]mark{}
			}
			a.freed[n] = end
		}
	}
	a.rec.Release(nil, a.Receipt())
	if err != nil {
		return fmt.Errorf("heal %s: %w", a.what, err)
	}
	return nil
}

// beginParts registers a harm that is undone node by node.
func (w *World) beginParts(ctx context.Context, a *active, p parts, l Length) error {
	a.id = w.nextID("harm")
	a.parts = p
	a.undo = p.heal
	return w.begin(ctx, a, l)
}

// counted is a receipt that holds processes only when the harm was felt.
func counted(felt bool, processes []string, proof string) record.Receipt {
	r := record.Receipt{Proof: proof}
	if felt {
		r.Processes = processes
	}
	return r
}
