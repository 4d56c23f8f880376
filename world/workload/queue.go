package workload

import (
	"context"

	"brine.test/brine/world/client"
	"brine.test/brine/world/history"
)

// queue puts elements in at one end and takes them out at the other.
type queue struct{ Config }

// fullQueue is how many elements may wait; more make clients take out.
const fullQueue = 20

func (q *queue) key() string { return q.Prefix + "queue" }

func (q *queue) first() map[string]string {
	return map[string]string{q.key(): history.QueueValue(nil, "0.1")}
}

func (q *queue) needs(c client.Client) error { return canCAS("use a queue", c, q.key()) }

func (q *queue) do(ctx context.Context, a *actor) {
	act, element := history.Dequeue, ""
	if a.rng.IntN(5) < 3 { // rather full than empty: what is lost or comes twice is among those that wait
		act, element = history.Enqueue, a.stamp()
	}
	a.update(ctx, history.Operation{Act: act, Key: q.key(), Element: element}, func(now string, o *history.Operation) bool {
		waiting := history.Waiting(now)
		switch {
		case element != "" && len(waiting) < fullQueue:
			o.Value = history.QueueValue(append(waiting, element), a.stamp())
		case element == "" && len(waiting) > 0:
			o.Element = waiting[0]
			o.Value = history.QueueValue(waiting[1:], a.stamp())
		default:
			o.Act, o.Element = "", "" // full or empty: it was a look
			return false
		}
		return true
	})
}

func (q *queue) last() []finalRead { return []finalRead{{key: q.key()}} }
