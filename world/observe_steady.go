package world

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"brine.test/brine/world/record"
)

// steadyState is a hypothesis: sentences that hold before the harm, and are to hold after it.
type steadyState struct {
	name  string
	check func(context.Context) error
}

// ErrCannotBegin says that a steady state did not hold before anything was done: the test says nothing about the harm.
var ErrCannotBegin = errors.New("the test could not begin")

// ErrHypothesis says that a steady state held before the harm and does not any more.
var ErrHypothesis = errors.New("the hypothesis failed")

// SteadyState checks a hypothesis now, and again after the scenario's last step.
func (w *World) SteadyState(ctx context.Context, name string, check func(context.Context) error) error {
	w.sight.mu.Lock()
	for _, s := range w.sight.states {
		if s.name == name {
			w.sight.mu.Unlock()
			return fmt.Errorf("%q: there is a steady state of that name already", name)
		}
	}
	w.sight.mu.Unlock()
	s := &steadyState{name, check}
	if err := w.checkSteady(ctx, s, "before"); err != nil {
		return fmt.Errorf("%w: the steady state %q does not hold before anything was done: %w", ErrCannotBegin, name, err)
	}
	w.sight.mu.Lock()
	defer w.sight.mu.Unlock()
	w.sight.states = append(w.sight.states, s)
	return nil
}

// SteadyStateHolds checks every hypothesis of the scenario now.
func (w *World) SteadyStateHolds(ctx context.Context, b Bound) error {
	states := w.steadyStates()
	if len(states) == 0 {
		return errors.New("there is no steady state yet\nhint: say before it: the steady state \"stays fast\": with sentences under it")
	}
	return w.Check(ctx, b, func(ctx context.Context) error { return w.checkAll(ctx, states, "during") })
}

// hypothesesHold is the check after the last step.
func (w *World) hypothesesHold(ctx context.Context) error {
	return w.checkAll(ctx, w.steadyStates(), "after")
}

func (w *World) steadyStates() []*steadyState {
	w.sight.mu.Lock()
	defer w.sight.mu.Unlock()
	return append([]*steadyState{}, w.sight.states...)
}

func (w *World) checkAll(ctx context.Context, states []*steadyState, phase string) error {
	var errs []error
	for _, s := range states {
		if err := w.checkSteady(ctx, s, phase); err != nil {
			errs = append(errs, fmt.Errorf("%w: the steady state %q held before and does not hold now: %w", ErrHypothesis, s.name, err))
		}
	}
	return errors.Join(errs...)
}

// checkSteady checks one hypothesis and writes the outcome down.
func (w *World) checkSteady(ctx context.Context, s *steadyState, phase string) error {
	began := time.Now()
	err := s.check(ctx)
	c := record.Check{Kind: "steady-state", Name: s.name, Phase: phase, OK: err == nil, Took: time.Since(began)}
	if err != nil {
		c.Detail, _, _ = strings.Cut(err.Error(), "\nhint: ")
	}
	w.rec.Check(c)
	return err
}
