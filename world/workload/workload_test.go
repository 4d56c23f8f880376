package workload

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brine.test/brine/world/client"
	"brine.test/brine/world/history"
	"golang.org/x/sys/unix"
)

func now() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic(err)
	}
	return ts.Nano()
}

// collect runs a workload for a while and gives its history.
func collect(t *testing.T, router Router, c Config, d time.Duration) history.History {
	t.Helper()
	var mu sync.Mutex
	var h history.History
	c.Router, c.Now, c.Timeout, c.Seed = router, now, 100*time.Millisecond, 7
	c.Record = func(o history.Operation) {
		mu.Lock()
		defer mu.Unlock()
		o.N = len(h) + 1
		h = append(h, o)
	}
	if c.Clients == 0 {
		c.Clients = 5
	}
	if c.Pause == 0 && c.Rate == 0 {
		c.Pause = time.Microsecond
	}
	r, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.Go(t.Context())
	pause(t.Context(), d)
	for i := 0; i < 500; i++ { // on a busy machine it takes longer
		mu.Lock()
		n := len(h)
		mu.Unlock()
		if c.Pause != time.Microsecond || n > 300 {
			break
		}
		pause(t.Context(), 10*time.Millisecond)
	}
	if err := r.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	return h
}

var all = []history.Work{history.Registers, history.Set, history.List, history.Lists, history.Counter, history.Accounts, history.Lock, history.Queue}

// judges are the checkers that each workload's history is for.
func judges(w history.Work) map[string]func(history.History) error {
	linear := func(h history.History) error { return history.Linearizable(h, history.Limits{}).Err }
	strict := func(h history.History) error { return history.Serializable(h, true, history.Limits{}) }
	total := func(h history.History) error { return history.Total(h, 100) }
	switch w {
	case history.Accounts:
		return map[string]func(history.History) error{
			"total": total, "serializable": strict, "lost": history.NoLostWrites, "twice": history.NoDuplicates, "monotonic": history.MonotonicReads,
		}
	case history.Lists:
		return map[string]func(history.History) error{
			"serializable": strict, "lost": history.NoLostWrites, "twice": history.NoDuplicates, "monotonic": history.MonotonicReads,
		}
	case history.Queue:
		return map[string]func(history.History) error{
			"linearizable": linear, "serializable": strict, "lost": history.NoLostWrites, "twice": history.NoDuplicates,
		}
	case history.Lock:
		return map[string]func(history.History) error{"exclusion": history.LockExclusion, "linearizable": linear}
	case history.Registers, history.Set:
		return map[string]func(history.History) error{"linearizable": linear, "lost": history.NoLostWrites, "monotonic": history.MonotonicReads}
	case history.Counter:
		return map[string]func(history.History) error{
			"linearizable": linear, "serializable": strict, "lost": history.NoLostWrites, "twice": history.NoDuplicates, "bounds": history.CounterBounds,
			"monotonic": history.MonotonicReads,
		}
	}
	return map[string]func(history.History) error{
		"linearizable": linear, "serializable": strict, "lost": history.NoLostWrites, "twice": history.NoDuplicates, "monotonic": history.MonotonicReads,
	}
}

func TestACorrectServicePassesEveryChecker(t *testing.T) {
	for _, w := range all {
		t.Run(string(w), func(t *testing.T) {
			h := collect(t, newStore(""), Config{Work: w, Keys: 3, Total: 100, CAS: true}, 400*time.Millisecond)
			for name, judge := range judges(w) {
				if err := judge(h); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			doubtful := 0
			for _, o := range h {
				if o.Outcome == history.Unknown {
					doubtful++
				}
			}
			if doubtful == 0 {
				t.Errorf("%d operations, %d in doubt", len(h), doubtful)
			}
		})
	}
}

func TestEachMistakeIsFound(t *testing.T) {
	for _, c := range []struct {
		mistake string
		work    history.Work
		by      []string
	}{
		{"stale reads", history.Registers, []string{"linearizable"}},
		{"stale reads", history.Set, []string{"linearizable"}},
		{"forgets", history.Set, []string{"lost", "linearizable"}},
		{"forgets", history.List, []string{"lost", "linearizable"}},
		{"forgets", history.Counter, []string{"lost", "linearizable"}},
		{"forgets", history.Queue, []string{"linearizable"}},
		{"split brain", history.Registers, []string{"linearizable"}},
		{"split brain", history.List, []string{"lost", "linearizable", "serializable"}},
		{"split brain", history.Lock, []string{"exclusion", "linearizable"}},
		{"split brain", history.Counter, []string{"lost", "linearizable"}},
		{"split brain", history.Queue, []string{"twice", "linearizable"}},
		{"tries again", history.List, []string{"twice"}},
		{"tries again", history.Counter, []string{"twice"}},
		{"torn", history.Accounts, []string{"total"}},
		{"torn", history.Lists, []string{"serializable"}},
	} {
		t.Run(c.mistake+"/"+string(c.work), func(t *testing.T) {
			h := collect(t, newStore(c.mistake), Config{Work: c.work, Keys: 2, Total: 100, CAS: true}, 500*time.Millisecond)
			for _, name := range c.by {
				err := judges(c.work)[name](h)
				var v *history.Violation
				if !errors.As(err, &v) || len(v.Proof) == 0 {
					t.Errorf("%s passed: %v", name, err)
					continue
				}
				t.Logf("%s: %v", name, err)
			}
		})
	}
}

// An open loop's latency counts from when an operation was due: a stall of the service is felt by all that it kept waiting.
// A change that was not done because another one was under way is no answer to who increments: they read again.
func TestABusyServiceIsAskedAgain(t *testing.T) {
	h := collect(t, newStore("busy"), Config{Work: history.Counter}, 200*time.Millisecond)
	for _, o := range h {
		if o.Outcome == history.Failed {
			t.Errorf("operation %d was refused: %s", o.N, o.Error)
		}
	}
	if err := history.Linearizable(h, history.Limits{}).Err; err != nil {
		t.Error(err)
	}
}

func TestOpenLoop(t *testing.T) {
	h := collect(t, newStore(""), Config{Work: history.Set, Rate: 500}, 400*time.Millisecond)
	if n := len(h); n < 150 {
		t.Errorf("%d operations in 400 ms at 500 per second", n)
	}
	for _, o := range h {
		if o.Client > 0 && (o.Due == 0 || o.Due > o.Start) {
			t.Fatalf("%+v: due after it began", o)
		}
	}
	a, err := history.Measure(h, history.Writes, history.Window{})
	if err != nil {
		t.Fatal(err)
	}
	if p50, err := a.Latency(50); err != nil || p50 > 20*time.Millisecond {
		t.Errorf("median %s, %v", p50, err)
	}
}

// nobody is a router that finds nobody.
type nobody struct{ *store }

func (nobody) Next(context.Context, Who, *rand.Rand, client.Result) (Peer, error) {
	return Peer{}, errors.New("there is no leader")
}

func TestWithoutAnyoneToAskNothingIsServed(t *testing.T) {
	h := collect(t, nobody{newStore("")}, Config{Work: history.Registers, Keys: 1, Pause: time.Millisecond}, 50*time.Millisecond)
	a, err := history.Measure(h, history.Operations, history.Window{})
	if err != nil || a.Served != 0 || a.Failed == 0 {
		t.Errorf("%v, %v", a, err)
	}
	if err := history.NoLostWrites(h); !errors.Is(err, history.ErrEmpty) {
		t.Errorf("got %v", err)
	}
}

// plainClient has no compare-and-set.
type plainClient struct{ fakeClient }

func (plainClient) Invoke(_ context.Context, op client.Op) client.Result {
	return client.Result{Outcome: client.Failed, Err: fmt.Errorf("cas: %w", client.ErrUnsupported)}
}

type plain struct{ *store }

func (p plain) Final(context.Context) (Peer, error) {
	return Peer{Node: "node1", Client: struct{ client.Client }{plainClient{}}}, nil
}

func TestWhatAServiceCannotDoIsTold(t *testing.T) {
	for _, w := range all {
		r, err := New(Config{Work: w, Clients: 1, Keys: 2, Total: 10, CAS: true, Router: plain{newStore("")}, Now: now, Timeout: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		err = r.Setup(t.Context())
		if w != history.Set && !errors.Is(err, client.ErrUnsupported) {
			t.Errorf("%s: got %v", w, err)
		}
	}
	r, err := New(Config{Work: history.Set, Stale: true, Clients: 1, Router: plain{newStore("")}, Now: now, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Setup(t.Context()); !errors.Is(err, client.ErrUnsupported) || !strings.Contains(err.Error(), "stale_read") {
		t.Errorf("stale reads: got %v", err)
	}
}

func TestConfig(t *testing.T) {
	for _, c := range []Config{
		{Work: history.Set}, {Work: history.Registers, Clients: 1}, {Work: history.Accounts, Clients: 1, Keys: 1},
		{Work: history.Accounts, Clients: 1, Keys: 10, Total: 5}, {Work: "juggling", Clients: 1}, {Work: history.Lock, Clients: 1, Stale: true}, {Work: history.Set, Clients: 1, Rate: -1},
	} {
		if _, err := New(c); err == nil || strings.Contains(err.Error(), "panic") {
			t.Errorf("%+v: got %v", c, err)
		}
	}
}

// The same seed gives each client the same choices.
func TestSeed(t *testing.T) {
	choices := func() []string {
		h := collect(t, newStore(""), Config{Work: history.Registers, Keys: 3, Clients: 1, Pause: time.Millisecond}, 60*time.Millisecond)
		var out []string
		for _, o := range h {
			if o.Client == 1 {
				out = append(out, fmt.Sprint(o.Kind, o.Key))
			}
		}
		return out
	}
	a, b := choices(), choices()
	if n := min(len(a), len(b)); n < 5 || !slices.Equal(a[:n], b[:n]) {
		t.Errorf("%v, %v", a, b)
	}
}
