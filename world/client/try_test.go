package client

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// scripted answers one attempt after another: "ok", "refused", "asked too late", "silent" (until the attempt ends).
type scripted struct{ script []string }

func (s *scripted) Invoke(ctx context.Context, _ Op) Result {
	start := time.Now()
	next := s.script[0]
	if len(s.script) > 1 {
		s.script = s.script[1:]
	}
	switch next {
	case "ok":
		return Result{Outcome: OK, Answered: true, Found: true, Value: "v"}
	case "refused":
		return Result{Outcome: Failed, Answered: true, Err: errors.New("connection refused")}
	case "late":
		return Result{Outcome: Unknown, Answered: true, Err: errors.New("request timed out")}
	case "local":
		return Result{Outcome: Failed, Err: errors.New("no network")}
	case "unsupported":
		return unsupported("stale read")
	}
	<-ctx.Done()
	return noAnswer(ctx, start)
}

func (s *scripted) Close() error { return nil }

// TestTry holds what succeeds, fails and times out mean, and when a try ends. The clock is synctest's.
func TestTry(t *testing.T) {
	for _, c := range []struct {
		script                           []string
		acknowledged, answered, timedOut bool
		attempts                         int
		took                             time.Duration
	}{
		{script: []string{"ok"}, acknowledged: true, answered: true, attempts: 1},
		{script: []string{"silent", "refused", "ok"}, acknowledged: true, answered: true, attempts: 3, took: 1060 * time.Millisecond},
		{script: []string{"silent"}, timedOut: true, attempts: 5, took: 5 * time.Second},
		{script: []string{"silent", "late", "silent"}, answered: true, attempts: 6, took: 5 * time.Second},
		{script: []string{"late"}, answered: true, attempts: 28, took: 5 * time.Second},
		{script: []string{"local"}, attempts: 28, took: 5 * time.Second},
		{script: []string{"unsupported", "ok"}, attempts: 1},
	} {
		t.Run(strings.Join(c.script, " "), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				r := Try(t.Context(), &scripted{c.script}, Op{Kind: Read, Key: "k"}, 5*time.Second)
				took := time.Since(start)
				if r.Acknowledged != c.acknowledged || r.Answered != c.answered || r.TimedOut != c.timedOut || len(r.Attempts) != c.attempts || took != c.took {
					t.Errorf("acknowledged %v, answered %v, timed out %v, %d attempts in %s; want %+v\n%s", r.Acknowledged, r.Answered, r.TimedOut, len(r.Attempts), took, c, r)
				}
			})
		})
	}
}

func TestTryEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		start := time.Now()
		if r := Try(ctx, &scripted{[]string{"silent"}}, Op{}, time.Minute); !r.TimedOut || len(r.Attempts) != 2 || time.Since(start) != 1500*time.Millisecond {
			t.Errorf("%s after %s", r, time.Since(start))
		}
		if r := Try(ctx, &scripted{[]string{"ok"}}, Op{}, time.Minute); r.Acknowledged || len(r.Attempts) != 0 || !strings.Contains(r.String(), "no time for an attempt") {
			t.Errorf("%s", r)
		}
	})
}

func TestTryString(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := Try(t.Context(), &scripted{[]string{"silent", "silent", "refused", "refused", "late", "ok"}}, Op{Kind: Write, Key: "k", Value: "v"}, 5*time.Second)
		want := `write of "v" to "k": acknowledged in 2.5s, 6 attempts:
  at 0s to 1.02s, 2 times: unknown: no answer within 1s
  at 2.06s to 2.14s, 2 times: failed: connection refused
  at 2.3s, for 0s: unknown: request timed out
  at 2.5s, for 0s: ok: "v"`
		if r.String() != want {
			t.Errorf("got\n%s\nwant\n%s", r, want)
		}
	})
}

func TestOpString(t *testing.T) {
	got := fmt.Sprint(Op{Kind: CAS, Key: "k", Expect: "a", Value: "b"}, "; ", Op{Kind: StaleRead, Key: "k"})
	if got != `compare and set of "k" from "a" to "b"; stale read of "k"` {
		t.Error(got)
	}
}
