package history

import "fmt"

// NoDuplicates tells whether each write took effect at most once: no element is in a list twice or comes out of a queue
// twice, no counter is above the increments that were begun, and what a register, a lock, an account or an element of a
// set held does not come back on a node which has shown since that something else took its place.
func NoDuplicates(h History) error {
	return each(h, "read that was answered", map[Work]judge{
		List: twiceInList, Lists: eachKey(twiceInList), Counter: surplus, Queue: twiceFromQueue,
		Registers: cameBack, Set: cameBack, Lock: cameBack, Accounts: cameBack,
	})
}

func twiceInList(h History, ops []*Operation) (int, error) {
	judged := 0
	for _, o := range ops {
		values := []string{o.Got}
		for _, p := range o.Parts {
			values = append(values, p.Got)
		}
		if o.Outcome != OK || o.Setup {
			continue
		}
		judged++
		for _, v := range values {
			e, is := twice(Elements(v))
			if !is {
				continue
			}
			proof := []Operation{*o}
			for _, a := range ops {
				if a.Act == Append && a.Element == e {
					proof = append(proof, *a)
				}
			}
			return judged, h.violation("twice", fmt.Sprintf("list %q: %s is in it twice", o.Key, e), proof...)
		}
	}
	return judged, nil
}
