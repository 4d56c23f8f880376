package workload

import (
	"context"
	"fmt"
	"sync"

	"brine.test/brine/world/client"
	"brine.test/brine/world/history"
)

// registers reads and writes random registers. A compare-and-set expects what the client itself saw last, so that some
// meet another value.
type registers struct {
	Config
	mu   sync.Mutex
	seen map[[2]int]string // by client and register
}

func (r *registers) key(i int) string { return fmt.Sprintf("%sr%d", r.Prefix, i) }

func (r *registers) first() map[string]string { return nil }

func (r *registers) needs(c client.Client) error {
	if !r.CAS {
		return nil
	}
	return canCAS("compare and set", c, r.key(1))
}

func (r *registers) do(ctx context.Context, a *actor) {
	i := 1 + a.rng.IntN(r.Keys)
	who := [2]int{a.who.Number, i}
	kinds := 2
	if r.CAS {
		kinds = 3
	}
	last, known := r.know(who)
	switch a.rng.IntN(kinds) {
	case 0:
		if o, ok := a.read(ctx, r.key(i), ""); ok && o.Found {
			r.learn(who, o.Got)
		}
	case 1:
		if o := a.write(ctx, history.Operation{Key: r.key(i), Value: a.stamp()}); o.Outcome == history.OK {
			r.learn(who, o.Value)
		}
	case 2:
		if !known {
			if o, ok := a.read(ctx, r.key(i), ""); ok && o.Found {
				r.learn(who, o.Got)
			}
			return
		}
		o := history.Operation{Kind: history.CAS, Key: r.key(i), Expect: last, Value: a.stamp()}
		if !a.begin(ctx, &o) {
			return
		}
		timed, cancel := a.timed(ctx)
		defer cancel()
		a.end(&o, a.peer.Client.Invoke(timed, client.Op{Kind: client.CAS, Key: o.Key, Expect: o.Expect, Value: o.Value}))
		if o.Outcome == history.OK {
			r.learn(who, o.Value)
		} else {
			r.forget(who)
		}
	}
}

func (r *registers) know(who [2]int) (string, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v, ok := r.seen[who]
	return v, ok
}

func (r *registers) learn(who [2]int, value string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen == nil {
		r.seen = map[[2]int]string{}
	}
	r.seen[who] = value
}

func (r *registers) forget(who [2]int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.seen, who)
}

func (r *registers) last() []finalRead {
	var all []finalRead
	for i := 1; i <= r.Keys; i++ {
		all = append(all, finalRead{key: r.key(i)})
	}
	return all
}
