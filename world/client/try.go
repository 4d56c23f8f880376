package client

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	attemptLimit = time.Second            // of one attempt
	firstPause   = 20 * time.Millisecond  // after an attempt that failed at once; doubled up to
	longestPause = 200 * time.Millisecond // this
)

// Attempt is one attempt of a sentence at its operation.
type Attempt struct {
	Start  time.Time
	Took   time.Duration
	Result Result
}

// TryResult is what became of a sentence's operation.
type TryResult struct {
	Op           Op
	Attempts     []Attempt
	Acknowledged bool // the last attempt was OK: the sentence's operation succeeds
	Answered     bool // some attempt was answered; an operation that is neither times out, if TimedOut says so
	TimedOut     bool // every attempt ended in silence
}

// Result is that of the last attempt: the one acknowledged, where there is one.
func (t TryResult) Result() Result {
	if len(t.Attempts) == 0 {
		return Result{Outcome: Unknown, Err: fmt.Errorf("%w: there was no time for an attempt", ErrNoAnswer)}
	}
	return t.Attempts[len(t.Attempts)-1].Result
}

// Try does a sentence's operation: again and again, in attempts of at most one second, until one is acknowledged or limit
// is over, or ctx. An operation that the client has not got is tried once.
func Try(ctx context.Context, c Client, op Op, limit time.Duration) TryResult {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	t := TryResult{Op: op, TimedOut: true}
	pause := firstPause
	for ctx.Err() == nil {
		a := once(ctx, c, op)
		t.Attempts = append(t.Attempts, a)
		t.Answered = t.Answered || a.Result.Answered
		t.TimedOut = t.TimedOut && a.Result.Silent()
		if a.Result.Outcome == OK {
			t.Acknowledged = true
			return t
		}
		if errors.Is(a.Result.Err, ErrUnsupported) {
			return t
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
		pause = min(2*pause, longestPause)
	}
	return t
}

func once(ctx context.Context, c Client, op Op) Attempt {
	ctx, cancel := context.WithTimeout(ctx, attemptLimit)
	defer cancel()
	start := time.Now()
	result := c.Invoke(ctx, op)
	return Attempt{Start: start, Took: time.Since(start), Result: result}
}

// String shows the attempts, those that ended alike together, with the time since the first:
//
//	write of "v" to "k": not acknowledged in 5s, 7 attempts:
//	  at 0s, for 1s: unknown: no answer
//	  at 1.02s to 4.8s, 6 times: failed: connect: connection refused
func (t TryResult) String() string {
	if len(t.Attempts) == 0 {
		return fmt.Sprintf("%s: %v", t.Op, t.Result().Err)
	}
	var b strings.Builder
	first, last := t.Attempts[0], t.Attempts[len(t.Attempts)-1]
	verdict := "not acknowledged"
	if t.Acknowledged {
		verdict = "acknowledged"
	}
	fmt.Fprintf(&b, "%s: %s in %s, %s:", t.Op, verdict, short(last.Start.Add(last.Took).Sub(first.Start)), count(len(t.Attempts), "attempt"))
	for i := 0; i < len(t.Attempts); {
		end := i + 1
		for end < len(t.Attempts) && alike(t.Attempts[i], t.Attempts[end]) {
			end++
		}
		a, z := t.Attempts[i], t.Attempts[end-1]
		at := short(a.Start.Sub(first.Start))
		if end-i == 1 {
			fmt.Fprintf(&b, "\n  at %s, for %s: %s", at, short(a.Took), a.Result)
		} else {
			fmt.Fprintf(&b, "\n  at %s to %s, %d times: %s", at, short(z.Start.Sub(first.Start)), end-i, a.Result)
		}
		i = end
	}
	return b.String()
}

// alike tells whether two attempts ended for the same reason; how long a silence was does not count.
func alike(a, b Attempt) bool {
	if a.Result.Silent() && b.Result.Silent() {
		return true
	}
	return a.Result.String() == b.Result.String()
}

func short(d time.Duration) string {
	if d > 10*time.Millisecond {
		return d.Round(10 * time.Millisecond).String()
	}
	if d < time.Millisecond {
		return "0s"
	}
	return d.Round(time.Millisecond).String()
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
