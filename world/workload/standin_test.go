package workload

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"brine.test/brine/world/client"
	"brine.test/brine/world/history"
)

// forgetful is a service that never answers the first call from each place, and answers all others.
type forgetful struct {
	*store
	mu    sync.Mutex
	asked map[int]bool
	left  map[int]bool
}

// lost is a client whose call is never answered.
type lost struct{ client.Client }

func (lost) Invoke(ctx context.Context, _ client.Op) client.Result {
	<-ctx.Done()
	return client.Result{Outcome: client.Unknown, Err: client.ErrNoAnswer}
}

func (f *forgetful) Next(ctx context.Context, who Who, rng *rand.Rand, last client.Result) (Peer, error) {
	peer, err := f.store.Next(ctx, who, rng, last)
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.asked[who.Place] {
		peer.Client = lost{peer.Client}
	}
	f.asked[who.Place] = true
	return peer, err
}

func (f *forgetful) Leave(who Who) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left[who.Number] = true
}

// One lost answer to each client is an outage of as long as clients are patient, not of as long as an operation may
// take; and no client has two operations under way.
func TestAStandInWorksWhileAClientWaits(t *testing.T) {
	const timeout, patience = 2 * time.Second, 50 * time.Millisecond
	for name, rate := range map[string]float64{"closed loop": 0, "open loop": 200} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &forgetful{store: newStore(""), asked: map[int]bool{}, left: map[int]bool{}}
			var mu sync.Mutex
			var h history.History
			r, err := New(Config{
				Work: history.Registers, Clients: 3, Keys: 2, Seed: 1, Timeout: timeout, Patience: patience, Rate: rate, Router: f, Now: now,
				Record: func(o history.Operation) {
					mu.Lock()
					defer mu.Unlock()
					o.N = len(h) + 1
					h = append(h, o)
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			r.Go(t.Context())
			pause(t.Context(), 3*timeout/4)
			if err := r.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
			a, err := history.Measure(h, history.Operations, history.Window{})
			if err != nil || a.Outage > timeout/2 {
				t.Errorf("outage %s, %v: clients that wait for a lost answer silence all", a.Outage, err)
			}
			places, last := map[string]bool{}, map[int]int64{}
			waited := 0
			for _, o := range h { // in the order in which they ended
				if o.Client == 0 {
					continue
				}
				if o.Start < last[o.Client] {
					t.Errorf("client %d had two operations under way: %s", o.Client, &o)
				}
				last[o.Client] = o.End
				if o.Client > 3 {
					places[o.Node] = true
				}
				if o.Client <= 3 && o.End-o.Start > int64(timeout)/2 {
					waited++
				}
			}
			if waited != 3 || len(places) != 3 || !places["node1"] || !places["node2"] || !places["node3"] {
				t.Errorf("%d of 3 clients waited for the end of their operation's time, stand-ins worked on %v", waited, places)
			}
			for who := range last {
				if !f.left[who] {
					t.Errorf("client %d did not leave", who)
				}
			}
		})
	}
}
