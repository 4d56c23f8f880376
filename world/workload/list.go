package workload

import (
	"context"
	"fmt"

	"brine.test/brine/world/client"
	"brine.test/brine/world/history"
)

// list appends to a list and reads it. A list that has grown long gives way to a new one: reading all of it each time
// would cost ever more.
type list struct {
	Config
	generations
}

// fullList is how many elements a list may have.
const fullList = 100

func (l *list) key(i int) string { return fmt.Sprintf("%slist%d", l.Prefix, i+1) }

func (l *list) first() map[string]string {
	return map[string]string{l.key(0): history.ListValue(nil)}
}

func (l *list) needs(c client.Client) error { return canCAS("append to a list", c, l.key(0)) }

func (l *list) do(ctx context.Context, a *actor) {
	now := l.now()
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
		l.next(now, func(generation int) bool {
			o := a.write(ctx, history.Operation{Key: l.key(generation), Value: history.ListValue(nil)})
			return o.Outcome == history.OK
		})
	}
}

func (l *list) last() []finalRead {
	var all []finalRead
	for _, generation := range l.all() {
		all = append(all, finalRead{key: l.key(generation)})
	}
	return all
}
