package workload

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"brine.test/brine/world/client"
	"brine.test/brine/world/history"
)

// lists reads several lists and appends to them in transactions, as Elle's workload does. Lists that have grown long give
// way to new ones.
type lists struct {
	Config
	generations
}

// generations counts those of lists. One whose first values are in doubt is never used: they might come late, and wipe
// out what was appended by then.
type generations struct {
	mu    sync.Mutex
	made  int   // begun, beside the first
	used  []int // beside the first; the last is the present one
	renew bool  // a client is at it
}

func (g *generations) now() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.current()
}

// current is the present generation; g.mu is held.
func (g *generations) current() int {
	if len(g.used) == 0 {
		return 0
	}
	return g.used[len(g.used)-1]
}

// all are the generations that were used.
func (g *generations) all() []int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]int{0}, g.used...)
}

// next lets begin write the first values of the next generation, unless full is not the present one any more, or
// another client is at it: meanwhile all work on the present one.
func (g *generations) next(full int, begin func(generation int) bool) {
	g.mu.Lock()
	if g.current() != full || g.renew {
		g.mu.Unlock()
		return
	}
	g.renew = true
	g.made++
	generation := g.made
	g.mu.Unlock()
	done := begin(generation)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.renew = false
	if done {
		g.used = append(g.used, generation)
	}
}

// mostInTxn is how many lists a transaction touches.
const mostInTxn = 3

func (l *lists) key(generation, i int) string {
	return fmt.Sprintf("%slist%d-%d", l.Prefix, generation+1, i+1)
}

func (l *lists) first() map[string]string {
	all := map[string]string{}
	for i := range l.Keys {
		all[l.key(0, i)] = history.ListValue(nil)
	}
	return all
}

func (l *lists) needs(c client.Client) error {
	if !canTransact(c, l.key(0, 0)) {
		return fmt.Errorf("append to several lists: %w: it changes one key at a time\nhint: write `append to a list`", client.ErrUnsupported)
	}
	return nil
}

func (l *lists) do(ctx context.Context, a *actor) {
	now := l.now()
	var keys, elements []string // an element for each key to append to, "" to read it only
	appends := false
	for _, i := range a.rng.Perm(l.Keys)[:1+a.rng.IntN(min(mostInTxn, l.Keys))] {
		keys, elements = append(keys, l.key(now, i)), append(elements, "")
		if a.rng.IntN(2) == 0 {
			elements[len(elements)-1], appends = a.stamp(), true
		}
	}
	o := history.Operation{Kind: history.Txn, Key: l.Prefix + "lists"}
	if !a.begin(ctx, &o) {
		return
	}
	timed, cancel := a.timed(ctx)
	defer cancel()
	t := a.peer.Client.(client.Transactor)
	if appends {
		appendAll(timed, a, t, &o, keys, elements)
	} else {
		values, r := t.ReadAll(timed, keys)
		o.Parts = parts(keys, values)
		a.end(&o, r)
	}
	for _, p := range o.Parts {
		if len(history.Elements(p.Got)) >= fullList {
			l.next(now, func(generation int) bool {
				for i := range l.Keys {
					if o := a.write(ctx, history.Operation{Key: l.key(generation, i), Value: history.ListValue(nil)}); o.Outcome != history.OK {
						return false
					}
				}
				return true
			})
			return
		}
	}
}

// appendAll reads all keys and changes those with an element, at one instant: keys that are read only are compared with
// what was read too.
func appendAll(ctx context.Context, a *actor, t client.Transactor, o *history.Operation, keys, elements []string) {
	for {
		values, r := t.ReadAll(ctx, keys)
		o.Act, o.Element, o.Parts = "", "", parts(keys, values)
		if r.Outcome != client.OK || len(values) < len(keys) {
			a.end(o, r)
			return
		}
		var changes []client.Change
		for i, p := range o.Parts {
			c := client.Change{Key: p.Key, Expect: p.Got, Value: p.Got}
			if elements[i] != "" {
				c.Value = history.ListValue(append(history.Elements(p.Got), elements[i]))
				o.Parts[i].Set, o.Parts[i].Value = true, c.Value
			}
			changes = append(changes, c)
		}
		o.Act, o.Element = history.Append, strings.Trim(strings.Join(elements, " "), " ")
		r = t.ChangeAll(ctx, changes)
		if r.Beaten() && ctx.Err() == nil {
			continue
		}
		a.end(o, r)
		return
	}
}

func (l *lists) last() []finalRead {
	var all []finalRead
	for _, generation := range l.all() {
		for i := range l.Keys {
			all = append(all, finalRead{key: l.key(generation, i)})
		}
	}
	return all
}
