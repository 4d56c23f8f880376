package workload

import (
	"context"
	"fmt"
	"sync"

	"brine.test/brine/world/client"
	"brine.test/brine/world/history"
)

// list appends to a list and reads it. A list that has grown long gives way to a new one: reading all of it each time
// would cost ever more.
type list struct {
	Config
	mu      sync.Mutex
	current int
}

// fullList is how many elements a list may have.
const fullList = 100

func (l *list) key(i int) string { return fmt.Sprintf("%slist%d", l.Prefix, i+1) }

func (l *list) first() map[string]string {
	return map[string]string{l.key(0): history.ListValue(nil)}
}

func (l *list) needs(c client.Client) error { return canCAS("append to a list", c, l.key(0)) }

func (l *list) do(ctx context.Context, a *actor) {
	l.mu.Lock()
	now := l.current
	l.mu.Unlock()
	var length int
	if a.rng.IntN(2) == 0 {
		o, _ := a.read(ctx, l.key(now), "")
		length = len(history.Elements(o.Got))
	} else {
		o := a.update(ctx, history.Operation{Act: history.Append, Key: l.key(now), Element: a.stamp()}, func(now string, o *history.Operation) bool {
			o.Value = history.ListValue(append(history.Elements(now), o.Element))
			return true
		})
		length = len(history.Elements(o.Value))
	}
	if length >= fullList {
		l.renew(ctx, a, now)
	}
}

// renew makes the next list, unless another client does.
func (l *list) renew(ctx context.Context, a *actor, full int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current != full {
		return
	}
	o := a.write(ctx, history.Operation{Key: l.key(full + 1), Value: history.ListValue(nil)})
	if o.Outcome == history.OK {
		l.current++
	}
}

func (l *list) last() []finalRead {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []finalRead
	for i := range l.current + 1 {
		all = append(all, finalRead{key: l.key(i)})
	}
	return all
}
