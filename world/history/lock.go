package history

import (
	"cmp"
	"fmt"
	"slices"
)

// LockExclusion tells whether two holders were ever certain at the same time that they hold a lock. One holds it from the
// answer that says so to the begin of the call that gives it back.
func LockExclusion(h History) error {
	return each(h, "acquired lock", map[Work]judge{Lock: heldTwice})
}

// hold is the time in which a holder was certain.
type hold struct {
	from, until int64
	got, back   *Operation // the answer, and the release; back is nil when there was none
}

func heldTwice(h History, ops []*Operation) (int, error) {
	holds := map[string]*hold{}
	for _, o := range ops {
		token := ""
		switch {
		case o.Act == Acquire && o.Outcome == OK:
			token = o.Element
		case o.Kind == Read && o.Outcome == OK && !o.Final && Holder(o.Got) == o.Element:
			token = o.Element // the holder itself found that its doubtful call was done
		}
		if token != "" && holds[token] == nil {
			holds[token] = &hold{from: o.End, until: o.End, got: o}
		}
	}
	for _, o := range ops {
		if one := holds[o.Element]; o.Act == Release && one != nil && (one.back == nil || o.Start < one.back.Start) {
			one.back, one.until = o, max(o.Start, one.from)
		}
	}
	all := make([]*hold, 0, len(holds))
	for _, one := range holds {
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b *hold) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.got.N, b.got.N)) })
	var longest *hold
	for _, one := range all {
		if longest != nil && one.from < longest.until {
			proof := []Operation{*longest.got, *longest.back, *one.got}
			if one.back != nil {
				proof = append(proof, *one.back)
			}
			return len(all), h.violation("held twice", fmt.Sprintf("lock %q: %s holds it while %s does", one.got.Key, one.got.Element, longest.got.Element), proof...)
		}
		if longest == nil || one.until > longest.until {
			longest = one
		}
	}
	return len(all), nil
}
