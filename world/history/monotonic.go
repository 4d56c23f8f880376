package history

import "fmt"

// MonotonicReads tells whether no client reads something older than it has read before (Terry et al. 1994). What other
// clients read does not count; `the history is linearizable` judges that too.
func MonotonicReads(h History) error {
	return each(h, "second read by one client", map[Work]judge{
		Registers: backwards, Lock: backwards, Queue: backwards, Set: goneAgain, List: shorter, Counter: fewer,
		Accounts: eachKey(backwards), Lists: eachKey(shorter),
	})
}

// inTurn gives each client's answered reads to f, with the one before on the same key.
func inTurn(ops []*Operation, f func(before, now *Operation) error) (int, error) {
	last := map[[2]string]*Operation{}
	judged := 0
	for _, o := range ops {
		if o.Kind != Read || o.Outcome != OK || o.Final || o.Client == 0 {
			continue
		}
		who := [2]string{fmt.Sprint(o.Run, " ", o.Client), o.Key}
		if b := last[who]; b != nil {
			judged++
			if err := f(b, o); err != nil {
				return judged, err
			}
		}
		last[who] = o
	}
	return judged, nil
}

// backwards finds a read of a value that was overwritten before another was written which the client has read before.
func backwards(h History, ops []*Operation) (int, error) {
	writers := map[cell]*step{}
	for _, s := range steps(ops) {
		if s.changes {
			writers[s.sets] = s
		}
	}
	type newest struct {
		write *step
		read  *Operation
	}
	seen := map[int]newest{} // by client: the value read so far whose write began last
	return inTurn(ops, func(before, now *Operation) error {
		for _, o := range []*Operation{before, now} {
			w := writers[o.saw()]
			n := seen[o.Client]
			older := w != nil && n.write != nil && w.end < n.write.call || w == nil && !o.Found && n.write != nil
			if older {
				proof := append(n.write.proof(), *n.read, *o)
				if w != nil {
					proof = append(proof, w.proof()...)
				}
				return h.violation("time travel", fmt.Sprintf("%q: client %d read %s after %s, which was written later", o.Key, o.Client, o.saw(), n.write.sets), proof...)
			}
			if w != nil && (n.write == nil || w.call > n.write.call) {
				seen[o.Client] = newest{w, o}
			}
		}
		return nil
	})
}

// proof is who wrote a value, and where that is in doubt, who saw it first.
func (s *step) proof() []Operation {
	if s.byOp != nil {
		return []Operation{*s.op, *s.byOp}
	}
	return []Operation{*s.op}
}

// goneAgain finds an element of a set that a client found, and then did not.
func goneAgain(h History, ops []*Operation) (int, error) {
	return inTurn(ops, func(before, now *Operation) error {
		if before.Found && !now.Found {
			return h.violation("time travel", fmt.Sprintf("client %d found %s, and then did not", now.Client, now.Element), *before, *now)
		}
		return nil
	})
}

// shorter finds a read of a list that does not begin with what the client read before.
func shorter(h History, ops []*Operation) (int, error) {
	return inTurn(ops, func(before, now *Operation) error {
		if !extends(Elements(now.Got), Elements(before.Got)) {
			return h.violation("time travel", fmt.Sprintf("list %q: client %d read it without elements that it had read before", now.Key, now.Client), *before, *now)
		}
		return nil
	})
}

// fewer finds a read of a counter that is below what the client read before.
func fewer(h History, ops []*Operation) (int, error) {
	return inTurn(ops, func(before, now *Operation) error {
		a, errA := Amount(before.Got)
		b, errB := Amount(now.Got)
		if errA != nil || errB != nil || b < a {
			return h.violation("time travel", fmt.Sprintf("counter %q: client %d read %s after %s", now.Key, now.Client, now.saw(), before.saw()), *before, *now)
		}
		return nil
	})
}
