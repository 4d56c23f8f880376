package history

import (
	"fmt"
	"slices"
)

// lostIncrement tells whether the counter is at least at the number of acknowledged increments in the end, and whether no
// two of them came to the same count: of those, one is lost.
func lostIncrement(h History, ops []*Operation) (int, error) {
	sure := acked(ops, Increment)
	if len(sure) == 0 {
		return 0, nil
	}
	a, b := sameResult(sure)
	last, err := final(ops)
	if err != nil {
		return 0, err
	}
	got, err := Amount(last.Got)
	if err != nil {
		return 0, h.violation("no counter", fmt.Sprintf("counter %q: %v", last.Key, err), *last)
	}
	if got >= len(sure) && a == nil {
		return len(sure), nil
	}
	if got >= len(sure) {
		n, _ := Amount(a.Value) // it was read before
		return len(sure), h.violation("lost", fmt.Sprintf("counter %q: an acknowledged increment is lost: two came to %d", last.Key, n), *a, *b)
	}
	v := h.violation("lost", fmt.Sprintf("counter %q: %d of %d acknowledged increments are lost: the final read returned %d", last.Key, len(sure)-got, len(sure), got), *last)
	if a != nil {
		v.Proof = byStart(append(v.Proof, *a, *b))
	}
	return len(sure), v
}

// sameResult gives two increments that came to the same count.
func sameResult(all []*Operation) (a, b *Operation) {
	by := map[int]*Operation{}
	for _, o := range all {
		n, err := Amount(o.Value)
		if err != nil {
			continue
		}
		if by[n] != nil {
			return by[n], o
		}
		by[n] = o
	}
	return nil, nil
}

// CounterBounds tells whether each read of a counter lies between the increments that were acknowledged before it began
// and those that had begun when it ended.
func CounterBounds(h History) error {
	return each(h, "read of a counter", map[Work]judge{Counter: func(h History, ops []*Operation) (int, error) {
		return bounds(h, ops, true)
	}})
}

// surplus tells whether a read of a counter is above what was begun when it ended.
func surplus(h History, ops []*Operation) (int, error) { return bounds(h, ops, false) }

func bounds(h History, ops []*Operation, below bool) (int, error) {
	var begun, done []int64 // starts of what may count, ends of what must
	for _, o := range ops {
		if o.Act != Increment || o.Outcome == Failed {
			continue
		}
		begun = append(begun, o.Start)
		if o.Outcome == OK {
			done = append(done, o.End)
		}
	}
	slices.Sort(begun)
	slices.Sort(done)
	judged := 0
	for _, o := range ops {
		if o.Kind != Read || o.Outcome != OK {
			continue
		}
		got, err := Amount(o.Got)
		if err != nil {
			return judged, h.violation("no counter", fmt.Sprintf("counter %q: %v", o.Key, err), *o)
		}
		judged++
		least, most := before(done, o.Start), before(begun, o.End+1)
		switch {
		case below && got < least:
			return judged, h.violation("stale read", fmt.Sprintf("counter %q: a read returned %d when %d increments had been acknowledged", o.Key, got, least), *o)
		case got > most:
			return judged, h.violation("twice", fmt.Sprintf("counter %q: a read returned %d when only %d increments had begun", o.Key, got, most), *o)
		}
	}
	return judged, nil
}

// before counts the times before t, of times in order.
func before(times []int64, t int64) int {
	n, _ := slices.BinarySearch(times, t)
	return n
}
