package workload

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"brine.test/brine/world/client"
	"brine.test/brine/world/history"
)

// Run is a workload. Setup, Go and Stop are called once each, in this order.
type Run struct {
	cfg  Config
	work worker

	stopping chan struct{} // closed when no operation may begin any more
	once     sync.Once
	cancel   context.CancelFunc // ends operations under way
	wg       sync.WaitGroup
	numbers  atomic.Int64 // given to clients so far
}

// worker is a kind of workload.
type worker interface {
	// first are the keys that must hold a value before the clients begin.
	first() map[string]string
	// needs tells what the service's client must be able to do; a probe is made of it.
	needs(c client.Client) error
	// do makes one operation, or several that belong together.
	do(ctx context.Context, a *actor)
	// last are the keys that the final reads read, and the element that each stands for.
	last() []finalRead
}

type finalRead struct{ key, element string }

// New makes a workload that has not begun.
func New(c Config) (*Run, error) {
	if c.Pause == 0 {
		c.Pause = DefaultPause
	}
	if c.Patience == 0 {
		c.Patience = DefaultPatience
	}
	if c.Run == 0 {
		c.Run = 1
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	r := &Run{cfg: c, stopping: make(chan struct{})}
	switch c.Work {
	case history.Registers:
		r.work = &registers{Config: c}
	case history.Set:
		r.work = &set{Config: c}
	case history.List:
		r.work = &list{Config: c}
	case history.Lists:
		r.work = &lists{Config: c}
	case history.Counter:
		r.work = &counter{Config: c}
	case history.Accounts:
		r.work = &accounts{Config: c}
	case history.Lock:
		r.work = &lock{Config: c}
	case history.Queue:
		r.work = &queue{Config: c}
	default:
		return nil, fmt.Errorf("%s: no such workload", c.Work)
	}
	return r, nil
}

// Setup writes the first values; each must be acknowledged.
func (r *Run) Setup(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, setupTime)
	defer cancel()
	peer, err := r.cfg.Router.Final(ctx)
	if err != nil {
		return fmt.Errorf("the workload's first values: %w", err)
	}
	if err := r.work.needs(peer.Client); err != nil {
		return err
	}
	if r.cfg.Stale {
		if err := can("stale reads", peer.Client, client.Op{Kind: client.StaleRead, Key: "k"}, "stale_read"); err != nil {
			return err
		}
	}
	for key, value := range r.work.first() {
		start := r.cfg.Now()
		t := client.Try(ctx, peer.Client, client.Op{Kind: client.Write, Key: key, Value: value}, r.cfg.Timeout)
		if !t.Acknowledged {
			return fmt.Errorf("the workload's first value on %s: expected an acknowledgement, got %s", peer.Node, t)
		}
		r.cfg.Record(history.Operation{
			Work: r.cfg.Work, Run: r.cfg.Run, Node: peer.Node, Kind: history.Write, Key: key, Value: value,
			Outcome: history.OK, Start: start, End: r.cfg.Now(), Setup: true,
		})
	}
	return nil
}

// Go lets the clients begin. They work until Stop is called or ctx ends.
func (r *Run) Go(ctx context.Context) {
	ctx, r.cancel = context.WithCancel(ctx)
	for place := 1; place <= r.cfg.Clients; place++ {
		a := r.actor(place)
		due := time.Now().Add(time.Duration(a.rng.Int64N(int64(r.every())))) // clients do not march in step
		r.wg.Go(func() { r.client(ctx, a, due) })
	}
}

// actor makes a client.
func (r *Run) actor(place int) *actor {
	number := int(r.numbers.Add(1))
	return &actor{cfg: &r.cfg, who: Who{place, number}, rng: rand.New(rand.NewPCG(r.cfg.Seed, uint64(r.cfg.Run)<<32|uint64(number)))}
}

// every is the time between the begins of two operations of one client.
func (r *Run) every() time.Duration {
	if r.cfg.Rate > 0 {
		return time.Duration(float64(time.Second) * float64(r.cfg.Clients) / r.cfg.Rate)
	}
	return r.cfg.Pause
}

// client works until the workload stops, or another stands in for it. Its first operation is due at a time.
func (r *Run) client(ctx context.Context, a *actor, due time.Time) {
	defer r.cfg.Router.Leave(a.who)
	every := r.every()
	for r.wait(ctx, time.Until(due)) {
		start := time.Now()
		next := start.Add(every/2 + time.Duration(a.rng.Int64N(int64(every))))
		if r.cfg.Rate > 0 {
			a.due = r.cfg.Now() - int64(time.Since(due))
			next = due.Add(every)
		}
		if r.replaced(ctx, a, next) {
			return
		}
		due = next
	}
}

// replaced makes one operation. It gives true when that took so long that another client stands in for this one.
func (r *Run) replaced(ctx context.Context, a *actor, next time.Time) bool {
	there := make(chan struct{})
	t := time.AfterFunc(r.cfg.Patience, func() {
		defer close(there)
		b := r.actor(a.who.Place)
		r.wg.Go(func() { r.client(ctx, b, next) })
	})
	r.work.do(ctx, a)
	if t.Stop() {
		return false
	}
	<-there
	return true
}

// wait waits for d and tells whether the client works on.
func (r *Run) wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-r.stopping:
		return false
	case <-ctx.Done():
		return false
	default:
	}
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-r.stopping:
		return false
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// Halt lets no operation begin any more and returns when those under way are over: after a moment of grace they are
// given up, and unknown.
func (r *Run) Halt() {
	r.once.Do(func() { close(r.stopping) })
	over := make(chan struct{})
	go func() { r.wg.Wait(); close(over) }()
	t := time.NewTimer(grace)
	defer t.Stop()
	select {
	case <-over:
	case <-t.C:
		r.cancel()
		<-over
	}
	r.cancel()
}

// Stop halts the clients and makes the final reads. A final read that is not answered is in the history, as unknown; it
// is no error here.
func (r *Run) Stop(ctx context.Context) error {
	r.Halt()
	ctx, cancel := context.WithTimeout(ctx, finalTime)
	defer cancel()
	peer, err := r.cfg.Router.Final(ctx)
	if err != nil {
		return fmt.Errorf("the final reads: %w", err)
	}
	var lost error
	reads := make(chan finalRead)
	var wg sync.WaitGroup
	for range finalReaders {
		wg.Go(func() {
			for one := range reads {
				r.final(ctx, peer, one)
			}
		})
	}
	for _, one := range r.work.last() {
		select {
		case reads <- one:
		case <-ctx.Done():
			lost = errors.Join(lost, fmt.Errorf("the final read of %q: %w", one.key, ctx.Err()))
		}
	}
	close(reads)
	wg.Wait()
	return lost
}

// finalReaders is how many final reads are made at once.
const finalReaders = 8

func (r *Run) final(ctx context.Context, peer Peer, one finalRead) {
	o := history.Operation{
		Work: r.cfg.Work, Run: r.cfg.Run, Node: peer.Node, Kind: history.Read, Key: one.key, Element: one.element,
		Start: r.cfg.Now(), Outcome: history.Unknown, Final: true,
	}
	t := client.Try(ctx, peer.Client, client.Op{Kind: client.Read, Key: one.key}, r.cfg.Timeout)
	result := t.Result()
	if n := len(t.Attempts); n > 0 {
		o.Start = r.cfg.Now() - int64(time.Since(t.Attempts[n-1].Start)) // that of the attempt that counts
	}
	o.End = r.cfg.Now()
	fill(&o, result)
	r.cfg.Record(o)
}
