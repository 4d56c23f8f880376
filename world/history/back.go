package history

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
)

// glance is what an answered read saw of a key.
type glance struct {
	op  *Operation
	saw cell
}

// glances are what answered reads saw, by key and by the node that was asked: what one node shows late is no proof of
// what happened on another.
func glances(ops []*Operation) (keys [][2]string, of map[[2]string][]glance) {
	of = map[[2]string][]glance{}
	see := func(o *Operation, key string, saw cell) {
		at := [2]string{key, o.Node}
		if of[at] == nil {
			keys = append(keys, at)
		}
		of[at] = append(of[at], glance{o, saw})
	}
	for _, o := range ops {
		switch {
		case o.Outcome != OK:
		case o.Kind == Read:
			see(o, o.Key, o.saw())
		case o.Kind == Txn && !o.changes():
			for _, p := range o.Parts {
				see(o, p.Key, cell{p.Found, p.Got})
			}
		}
	}
	return keys, of
}

// cameBack finds a value that was read, then something else in its place, and then it again, each read after the one
// before had ended, all from one node. As each value is written once, its write took effect twice; or the other one was
// undone, which is no better.
func cameBack(h History, ops []*Operation) (int, error) {
	keys, of := glances(ops)
	judged := 0
	for _, at := range keys {
		seen := of[at]
		judged += len(seen)
		if a, b, c := returns(seen); a.op != nil {
			text := fmt.Sprintf("%q: %s was read from %s, then %s in its place, then %s again", at[0], a.saw, at[1], b.saw, c.saw)
			return judged, h.violation("twice", text, append(written(ops, at[0], a.saw, b.saw), *a.op, *b.op, *c.op)...)
		}
	}
	return judged, nil
}

// returns gives three reads of which the first and the last saw the same value and the one between another.
func returns(seen []glance) (a, b, c glance) {
	slices.SortStableFunc(seen, func(a, b glance) int { return cmp.Compare(a.op.Start, b.op.Start) })
	first, last := map[cell]glance{}, map[cell]glance{}
	for _, g := range seen {
		if one, ok := first[g.saw]; !ok || g.op.End < one.op.End {
			first[g.saw] = g
		}
		last[g.saw] = g
	}
	soonest := soonestEnds(seen)
	for _, g := range seen {
		c := last[g.saw]
		a := first[g.saw]
		if !g.saw.there || c.op != g.op || a.op == c.op {
			continue
		}
		from := sort.Search(len(seen), func(i int) bool { return seen[i].op.Start > a.op.End })
		for _, i := range soonest[from] {
			if i >= 0 && seen[i].saw != g.saw && seen[i].op.End < c.op.Start {
				return a, seen[i], c
			}
		}
	}
	return glance{}, glance{}, glance{}
}

// soonestEnds gives, for the reads from each on, which ends first, and which first of those that saw something else than
// that one.
func soonestEnds(seen []glance) [][2]int {
	out := make([][2]int, len(seen)+1)
	out[len(seen)] = [2]int{-1, -1}
	end := func(i int) int64 {
		if i < 0 {
			return math.MaxInt64
		}
		return seen[i].op.End
	}
	for i := len(seen) - 1; i >= 0; i-- {
		best := out[i+1]
		switch {
		case end(i) < end(best[0]):
			if best[0] >= 0 && seen[best[0]].saw != seen[i].saw {
				best[1] = best[0]
			}
			best[0] = i
		case seen[best[0]].saw != seen[i].saw && end(i) < end(best[1]):
			best[1] = i
		}
		out[i] = best
	}
	return out
}

// written are those who wrote some values of a key.
func written(ops []*Operation, key string, values ...cell) []Operation {
	var out []Operation
	for _, o := range ops {
		if o.Outcome == Failed {
			continue
		}
		wrote := func(k, v string) bool { return k == key && slices.Contains(values, cell{true, v}) }
		did := (o.Kind == Write || o.Kind == CAS) && wrote(o.Key, o.Value)
		for _, p := range o.Parts {
			did = did || p.Set && wrote(p.Key, p.Value)
		}
		if did {
			out = append(out, *o)
		}
	}
	return out
}
