package workload

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"brine.test/brine/world/client"
	"brine.test/brine/world/history"
)

// store is a key-value service in memory, with the mistakes that it is told to make.
type store struct {
	mistake string

	mu     sync.Mutex
	rng    *rand.Rand
	values map[string]string
	old    map[string]string // what stale reads see
	other  map[string]string // what the other half of a split brain has
	n      int
}

func newStore(mistake string) *store {
	return &store{mistake: mistake, rng: rand.New(rand.NewPCG(1, 2)), values: map[string]string{}, old: map[string]string{}, other: map[string]string{}}
}

// fakeClient is one client's way to the store.
type fakeClient struct {
	s    *store
	half int
}

func (c fakeClient) Close() error { return nil }

// work does f as one instant of the store, around which time goes by; in one of 50 calls the answer is lost.
func (c fakeClient) work(ctx context.Context, f func(values map[string]string) client.Result) client.Result {
	c.s.mu.Lock()
	before, after := time.Duration(c.s.rng.IntN(300))*time.Microsecond, time.Duration(c.s.rng.IntN(300))*time.Microsecond
	lost := c.s.rng.IntN(50) == 0
	done := c.s.rng.IntN(2) == 0
	c.s.mu.Unlock()
	pause(ctx, before)
	var r client.Result
	if !lost || done {
		c.s.mu.Lock()
		c.s.n++
		values := c.s.values
		if c.s.mistake == "split brain" && c.half == 1 && (len(c.s.other) > 0 || c.s.n > 200 && history.Holder(values["lock"]) == "") {
			if len(c.s.other) == 0 {
				for k, v := range values {
					c.s.other[k] = v
				}
			}
			values = c.s.other
		}
		r = f(values)
		c.s.mu.Unlock()
	}
	pause(ctx, after)
	if lost || ctx.Err() != nil {
		return client.Result{Outcome: client.Unknown, Err: client.ErrNoAnswer}
	}
	return r
}

func (c fakeClient) Invoke(ctx context.Context, op client.Op) client.Result {
	return c.work(ctx, func(values map[string]string) client.Result {
		now, found := values[op.Key]
		switch op.Kind {
		case client.Read:
			if c.s.mistake == "stale reads" && c.half == 1 {
				if was, ok := c.s.old[op.Key]; ok {
					now, found = was, true
				} else {
					found = false
				}
				if c.s.n%40 == 0 {
					c.s.old[op.Key] = values[op.Key]
				}
			}
			return client.Result{Outcome: client.OK, Answered: true, Found: found, Value: now}
		case client.CAS:
			if c.s.mistake == "busy" && c.s.n%3 == 0 {
				return client.Result{Outcome: client.Failed, Answered: true, Err: client.ErrBusy}
			}
			if !found || now != op.Expect {
				return client.Result{Outcome: client.Failed, Answered: true, Err: fmt.Errorf("%w: %q", client.ErrConflict, now)}
			}
		}
		if c.s.mistake == "forgets" && c.s.n > 50 && c.s.rng.IntN(6) == 0 {
			return client.Result{Outcome: client.OK, Answered: true}
		}
		values[op.Key] = op.Value
		if c.s.mistake == "tries again" && op.Kind == client.CAS && c.s.n%5 == 0 {
			return client.Result{Outcome: client.Failed, Answered: true, Err: client.ErrConflict}
		}
		return client.Result{Outcome: client.OK, Answered: true}
	})
}

func (c fakeClient) ReadAll(ctx context.Context, keys []string) (map[string]string, client.Result) {
	found := map[string]string{}
	r := c.work(ctx, func(values map[string]string) client.Result {
		for _, k := range keys {
			if v, ok := values[k]; ok {
				found[k] = v
			}
		}
		return client.Result{Outcome: client.OK, Answered: true}
	})
	return found, r
}

func (c fakeClient) ChangeAll(ctx context.Context, changes []client.Change) client.Result {
	if c.s.mistake == "torn" {
		for _, one := range changes {
			if r := c.Invoke(ctx, client.Op{Kind: client.CAS, Key: one.Key, Expect: one.Expect, Value: one.Value}); r.Outcome != client.OK {
				return r
			}
		}
		return client.Result{Outcome: client.OK, Answered: true}
	}
	return c.work(ctx, func(values map[string]string) client.Result {
		for _, one := range changes {
			if values[one.Key] != one.Expect {
				return client.Result{Outcome: client.Failed, Answered: true, Err: client.ErrConflict}
			}
		}
		for _, one := range changes {
			values[one.Key] = one.Value
		}
		return client.Result{Outcome: client.OK, Answered: true}
	})
}

// Next puts odd clients at one half and even ones at the other.
func (s *store) Next(_ context.Context, who Who, _ *rand.Rand, _ client.Result) (Peer, error) {
	return Peer{Node: fmt.Sprintf("node%d", who.Place), Client: fakeClient{s, who.Place % 2}}, nil
}

func (s *store) Leave(Who) {}

func (s *store) Final(context.Context) (Peer, error) {
	return Peer{Node: "node1", Client: fakeClient{s, 0}}, nil
}
