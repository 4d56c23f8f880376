package history

import "fmt"

// lostOfQueue finds elements that were put into a queue, acknowledged, and neither came out of it nor are still in it.
// What a doubtful dequeue may have taken is not counted as lost.
func lostOfQueue(h History, ops []*Operation) (int, error) {
	put := acked(ops, Enqueue)
	if len(put) == 0 {
		return 0, nil
	}
	last, err := final(ops)
	if err != nil {
		return 0, err
	}
	there := map[string]bool{}
	for _, e := range Waiting(last.Got) {
		there[e] = true
	}
	for _, o := range ops {
		if o.Act == Dequeue && o.Outcome != Failed {
			there[o.Element] = true
		}
	}
	return missing(h, "queue", last, put, func(o *Operation) bool { return there[o.Element] })
}

// twiceFromQueue finds an element that came out of a queue twice, or is still in it.
func twiceFromQueue(h History, ops []*Operation) (int, error) {
	by := map[string]*Operation{}
	taken := acked(ops, Dequeue)
	for _, o := range taken {
		if o.Element == "" {
			continue // it was empty
		}
		if other := by[o.Element]; other != nil {
			return len(taken), h.violation("twice", fmt.Sprintf("queue %q: %s was dequeued twice", o.Key, o.Element), *other, *o)
		}
		by[o.Element] = o
	}
	last, err := final(ops)
	if err != nil {
		return len(taken), err
	}
	for _, e := range Waiting(last.Got) {
		if o := by[e]; o != nil {
			return len(taken), h.violation("twice", fmt.Sprintf("queue %q: %s was dequeued and is still there", o.Key, e), *o, *last)
		}
	}
	return len(taken), nil
}
