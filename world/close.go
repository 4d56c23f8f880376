package world

import (
	"context"
	"errors"
	"fmt"
	"time"

	"brine.test/brine/world/record"
)

// Finish judges what only the end of a scenario can: steady states, harms that waited for a
// moment that never came, requests that no sentence looked at, errors beside
// the steps.
func (w *World) Finish(ctx context.Context) error {
	return errors.Join(w.hypothesesHold(ctx), w.untriggered(), w.unstruck(), w.untouched(), w.unjudged(), w.Trouble())
}

// Close ends the scenario, in whatever state it is: heals every harm, stops
// what runs beside the steps, collects the artifacts, takes everything down in
// reverse order, and fails when anything is left. It may be called again.
func (w *World) Close(ctx context.Context) error {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return nil
	}
	w.closed = true
	w.mu.Unlock()
	ctx = context.WithoutCancel(ctx)
	began := time.Now()

	w.bgStop()
	w.bg.Wait()
	var errs []error
	w.wake()
	errs = append(errs, within(ctx, w.endHarms))
	errs = append(errs, protect(func() error { return w.closeClients() }))
	errs = append(errs, protect(func() error { return w.keepCaptures() }))
	errs = append(errs, within(ctx, w.keepSight))
	errs = append(errs, within(ctx, w.collect))
	removed := w.holdings(w.undo.Pending())
	errs = append(errs, w.undo.Close(ctx))
	var left []string
	errs = append(errs, within(ctx, func(ctx context.Context) error {
		left = w.leftovers(ctx)
		return nil
	}))
	if len(left) > 0 {
		errs = append(errs, fmt.Errorf("%d things are left after the scenario: %s", len(left), listWords(left)))
	}
	w.suite.mu.Lock()
	delete(w.suite.worlds, w.id)
	w.suite.mu.Unlock()
	err := errors.Join(errs...)
	w.recordCleanup(removed, left, err, time.Since(began))
	for _, f := range w.onClose {
		f()
	}
	return err
}

// partLimit is how long one part of the teardown may take: a containerd that
// hangs must not hold the others up for ever.
const partLimit = 20 * time.Second

// within does a part of the teardown in its time.
func within(ctx context.Context, part func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, partLimit)
	defer cancel()
	return protect(func() error { return part(ctx) })
}

// endHarms ends what is still on at the end of the scenario. Network harm is
// healed; nodes that are down stay down, for nobody needs them again.
func (w *World) endHarms(ctx context.Context) error {
	var errs []error
	for _, a := range w.active(func(*active) bool { return true }) {
		if a.kind.down() {
			a.mu.Lock()
			a.undo = func(context.Context) error { return nil }
			a.mu.Unlock()
		}
		a.setWhy(record.HealedAtEnd)
		errs = append(errs, a.Heal(ctx))
	}
	return errors.Join(errs...)
}

func (w *World) closeClients() error {
	var errs []error
	for _, n := range w.allNodes() {
		for _, s := range n.services {
			errs = append(errs, s.closeClients())
		}
	}
	return errors.Join(errs...)
}

// leftovers asks every part what of this scenario is still there.
func (w *World) leftovers(ctx context.Context) []string {
	var left []string
	if w.net != nil {
		left = append(left, w.net.Leftovers()...)
	}
	if w.group != nil {
		more, err := w.group.Leftovers(ctx)
		if err != nil {
			more = append(more, "containers that could not be listed: "+err.Error())
		}
		left = append(left, more...)
	}
	return left
}

func (w *World) recordCleanup(removed []record.Removal, left []string, err error, took time.Duration) {
	c := record.Cleanup{Removed: removed, Leftovers: left, Looked: w.looked(), Took: took}
	if err != nil {
		c.Errors = []string{err.Error()}
	}
	w.rec.Cleanup(c)
}
