package world

import (
	"context"
	"errors"
	"fmt"
	"time"

	"brine.test/brine/world/client"
)

// BoundKind says how long a sentence that looks at the system may look.
type BoundKind int

const (
	// Now looks once.
	Now BoundKind = iota
	// Within looks again until the answer is right or the time is over.
	Within
	// For looks again and again, and wants the right answer each time.
	For
	// While judges the time of a harm that is over.
	While
	// Before judges the time from when clients began to work until a harm.
	Before
	// After judges the time from when a harm was over until the clients stopped.
	After
)

// Bound is the time bound of a sentence: "within 10s", "for 5s", "while node2
// was isolated". The zero value is "now".
type Bound struct {
	Kind  BoundKind
	D     time.Duration
	While string // what stands after "while", "before" or "after"
}

// LengthKind says when a harm ends.
type LengthKind int

const (
	// UntilHealed lasts until a sentence heals it or the scenario ends.
	UntilHealed LengthKind = iota
	// ForWait waits, heals, and then goes on.
	ForWait
	// ForNext goes on at once and heals later.
	ForNext
)

// Length is how long a harm lasts: "for 5s", "for the next 5s". The zero value
// is "until healed".
type Length struct {
	Kind LengthKind
	D    time.Duration
}

// lookEvery is the pause between two looks of one bounded sentence.
const lookEvery = 50 * time.Millisecond

// Check runs look under bound b. With Now it looks once. With Within it looks
// until look returns nil and fails, with the last answer, when the time is
// over; look's context ends with the time. With For it fails at the first look
// that fails. The bounds are inclusive: a last look is made when the time ends.
func (w *World) Check(ctx context.Context, b Bound, look func(context.Context) error) error {
	switch b.Kind {
	case Now:
		return look(ctx)
	case Within:
		return w.checkWithin(ctx, b.D, look)
	case For:
		return w.checkFor(ctx, b.D, look)
	case While:
		return fmt.Errorf("while %s: this sentence looks at the present and cannot look back\nhint: use \"for 5s\" during the harm", b.While)
	}
	return fmt.Errorf("bound %d: unknown kind", b.Kind)
}

func (w *World) checkWithin(ctx context.Context, d time.Duration, look func(context.Context) error) error {
	began := time.Now()
	looking, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var last error
	for looks := 1; ; looks++ {
		err := look(looking)
		if err == nil {
			return nil
		}
		// An answer that only says that the time is over, or that there was none in what was left of it, hides the last real one.
		over := looking.Err() != nil || time.Since(began) >= d // a connection's deadline may come before the context's
		cut := over && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, client.ErrNoAnswer))
		if last == nil || !cut {
			last = err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%w (stopped after %s: %w)", last, round(time.Since(began)), context.Cause(ctx))
		}
		if !waitTick(looking, lookEvery) {
			return &bounded{err: last, text: "not within " + d.String(), tried: time.Since(began), looks: looks}
		}
	}
}

func (w *World) checkFor(ctx context.Context, d time.Duration, look func(context.Context) error) error {
	began := time.Now()
	for looks := 1; ; looks++ {
		if err := look(ctx); err != nil {
			text := fmt.Sprintf("held for %s of %s", round(time.Since(began)), d)
			return &bounded{err: err, text: text, tried: time.Since(began), looks: looks}
		}
		left := d - time.Since(began)
		if left <= 0 {
			return nil
		}
		if !waitTick(ctx, min(left, lookEvery)) {
			return context.Cause(ctx)
		}
	}
}

// waitTick waits for d and reports whether ctx is still on.
func waitTick(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// Wait waits for d, or less when ctx ends.
func (w *World) Wait(ctx context.Context, d time.Duration) error {
	if !waitTick(ctx, d) {
		return fmt.Errorf("wait of %s: %w", d, context.Cause(ctx))
	}
	return nil
}

func round(d time.Duration) time.Duration {
	if d < time.Second {
		return d.Round(time.Millisecond)
	}
	return d.Round(10 * time.Millisecond)
}
