package history

import (
	"cmp"
	"slices"
)

// byStart gives the operations by their start, each once.
func byStart(ops []Operation) []Operation {
	out := slices.Clone(ops)
	slices.SortStableFunc(out, func(a, b Operation) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End), cmp.Compare(a.N, b.N))
	})
	return slices.CompactFunc(out, func(a, b Operation) bool { return a.N == b.N && a.N != 0 })
}

// group splits a history by key, in the order in which keys first occur.
func group(h History) (names []string, of map[string][]*Operation) {
	of = map[string][]*Operation{}
	for i := range h {
		o := &h[i]
		n := o.name()
		if _, ok := of[n]; !ok {
			names = append(names, n)
		}
		of[n] = append(of[n], o)
	}
	return names, of
}
