package probe

import (
	"context"
	"fmt"
	"time"

	"brine.test/brine/world/catalogue"
)

const (
	firstPause   = 20 * time.Millisecond // between two looks, growing by a third up to
	longestPause = 100 * time.Millisecond
	lookLimit    = time.Second // of one look

	giveUpAfter = 3 * time.Second // of looks that none after them can mend: the service may make the program that is missing
)

// NotReadyError says that a service did not get ready, and what was seen last.
type NotReadyError struct {
	Took   time.Duration
	Looks  int
	Reason string // "not ready within 30s", "exited with code 1 before it was ready", …
	Last   error  // the last probe answer; nil when there was no look
}

// Error gives reason, number of looks, and the last probe answer.
func (e *NotReadyError) Error() string {
	if e.Last == nil {
		return e.Reason
	}
	looks := fmt.Sprintf("%d looks", e.Looks)
	if e.Looks == 1 {
		looks = "1 look"
	}
	return fmt.Sprintf("%s, %s; last probe answer: %v", e.Reason, looks, e.Last)
}

// Unwrap gives the last probe answer.
func (e *NotReadyError) Unwrap() error { return e.Last }

// Wait looks until the probe holds. It fails with a *NotReadyError when the probe's own time is over, when the process
// has ended, or when ctx ends first. A nil probe holds as long as the process has not ended.
func Wait(ctx context.Context, p *catalogue.ReadyProbe, t Target) error {
	if p == nil {
		return ended(t, &NotReadyError{})
	}
	bounded, cancel := context.WithTimeout(ctx, p.Within)
	defer cancel()
	l := newLooker(p, t)
	defer l.close()
	start := time.Now()
	seen := &NotReadyError{}
	hopeful := time.Duration(0) // until when another look could have mended it
	for pause := firstPause; ; pause = min(pause+pause/3, longestPause) {
		err := l.look(bounded)
		seen.Took = time.Since(start)
		if err == nil {
			return nil
		}
		if bounded.Err() == nil || seen.Last == nil { // a look that was cut short says less than the one before
			seen.Last = err
		}
		seen.Looks++
		if t.Hopeless == nil || !t.Hopeless(err) {
			hopeful = seen.Took
		} else if seen.Took-hopeful >= giveUpAfter {
			seen.Reason = fmt.Sprintf("cannot get ready, given up after %s", seen.Took.Round(time.Millisecond))
			return seen
		}
		if err := ended(t, seen); err != nil {
			return err
		}
		select {
		case <-time.After(pause):
		case <-bounded.Done():
		}
		if bounded.Err() != nil {
			seen.Reason = fmt.Sprintf("not ready within %s", p.Within)
			if ctx.Err() != nil {
				seen.Reason = fmt.Sprintf("not ready after %s: %v", seen.Took.Round(time.Millisecond), context.Cause(ctx))
			}
			return seen
		}
	}
}

// ended returns seen, with the reason, when the process has ended.
func ended(t Target, seen *NotReadyError) error {
	if t.Exited == nil {
		return nil
	}
	how, yes := t.Exited()
	if !yes {
		return nil
	}
	seen.Reason = how + " before it was ready"
	return seen
}

// Once looks once, now. The error is the probe's answer.
func Once(ctx context.Context, p *catalogue.ReadyProbe, t Target) error {
	if t.Exited != nil {
		if how, yes := t.Exited(); yes {
			return fmt.Errorf("%s", how)
		}
	}
	if p == nil {
		return nil
	}
	l := newLooker(p, t)
	defer l.close()
	return l.look(ctx)
}
