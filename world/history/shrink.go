package history

import (
	"cmp"
	"slices"
	"sort"
	"time"

	"github.com/anishathalye/porcupine"
)

const (
	shrinkTime = 5 * time.Second // for finding a small proof
	tryTime    = time.Second     // for one judgement on the way
)

// shrink finds few steps of a history that is not linearizable which are not linearizable either.
//
// Any part of a linearizable history that holds, for each value seen in it, the one who wrote it, is linearizable: what
// is left out was written between, and seen by nobody who is left. So a closed part that is not linearizable proves that
// the whole is not. A conflict saw what was not there; it is closed under nothing, so conflicts go first or all stay.
//
// A compare-and-set may be taken for a plain write: whatever order explains the one explains the other. That cuts long
// chains of them.
func shrink(all []*step, limit time.Duration) []*step {
	s := shrinker{deadline: time.Now().Add(limit)}
	s.know(all)
	ops := slices.Clone(all)
	if quiet := slices.DeleteFunc(slices.Clone(ops), func(s *step) bool { return s.avoids }); s.wrong(quiet) {
		ops = quiet
	} else if len(quiet) < len(ops) {
		return s.without(ops, func(one *step) bool { return !one.changes && !one.before })
	}
	ops = s.weaken(s.prefix(ops))
	for before := len(ops) + 1; len(ops) < before; {
		before = len(ops)
		ops = s.without(ops, func(*step) bool { return true })
	}
	return ops
}

type shrinker struct {
	deadline time.Time
	writers  map[cell][]*step
}

// know notes who writes what.
func (s *shrinker) know(ops []*step) {
	s.writers = map[cell][]*step{}
	for _, one := range ops {
		if one.changes {
			s.writers[one.sets] = append(s.writers[one.sets], one)
		}
	}
}

// weaken takes compare-and-sets for writes, as many as it can: halves first, then ever smaller blocks.
func (s *shrinker) weaken(ops []*step) []*step {
	for size := len(ops); size > 0; size /= 2 {
		for from := 0; from < len(ops); from += size {
			weaker := slices.Clone(ops)
			changed := false
			for i, one := range weaker[from:min(from+size, len(ops))] {
				if one.changes && one.looks && one.surely {
					blind := *one
					blind.looks = false
					weaker[from+i], changed = &blind, true
				}
			}
			if changed && s.wrong(weaker) {
				ops = weaker
			}
		}
	}
	s.know(ops)
	return ops
}

// wrong tells whether steps are certainly not linearizable.
func (s *shrinker) wrong(ops []*step) bool {
	left := time.Until(s.deadline)
	if left <= 0 || len(ops) == 0 {
		return false
	}
	return porcupine.CheckOperationsTimeout(registerModel, model(ops), min(left, tryTime)) == porcupine.Illegal
}

// closed adds the writers of what is seen.
func (s *shrinker) closed(ops []*step) []*step {
	in := map[*step]bool{}
	todo := slices.Clone(ops)
	for len(todo) > 0 {
		one := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if in[one] {
			continue
		}
		in[one] = true
		if one.looks {
			todo = append(todo, s.writers[one.sees]...)
		}
	}
	return ordered(in)
}

// closedIn is closed, of steps of which some stand for others in the whole: those are not added again.
func (s *shrinker) closedIn(ops []*step) []*step {
	have := map[*Operation]bool{}
	for _, one := range ops {
		have[one.op] = true
	}
	in := map[*step]bool{}
	for _, one := range ops {
		in[one] = true
	}
	for _, one := range s.closed(slices.DeleteFunc(slices.Clone(ops), func(one *step) bool { return one.changes })) {
		if !have[one.op] {
			blind := *one
			blind.looks = blind.looks && !blind.changes
			in[&blind] = true
		}
	}
	return ordered(in)
}

func ordered(in map[*step]bool) []*step {
	out := make([]*step, 0, len(in))
	for one := range in {
		out = append(out, one)
	}
	slices.SortStableFunc(out, func(a, b *step) int {
		return cmp.Or(cmp.Compare(a.call, b.call), cmp.Compare(a.end, b.end), cmp.Compare(a.place(), b.place()))
	})
	return out
}

func (s *step) place() int { return s.op.N }

// prefix finds the shortest wrong beginning, in the order in which steps ended.
func (s *shrinker) prefix(ops []*step) []*step {
	ended := slices.Clone(ops)
	slices.SortStableFunc(ended, func(a, b *step) int { return cmp.Compare(a.end, b.end) })
	n := sort.Search(len(ended), func(n int) bool { return s.wrong(s.closed(ended[:n+1])) })
	if n < len(ended) {
		if part := s.closed(ended[:n+1]); s.wrong(part) {
			return part
		}
	}
	return ops
}

// without drops blocks of steps, and what saw what they wrote, as long as the rest is still wrong: halves first, then
// ever smaller blocks (after Zeller's delta debugging).
func (s *shrinker) without(ops []*step, may func(*step) bool) []*step {
	for size := max(len(ops)/2, 1); ; size /= 2 {
		for from := 0; from < len(ops); {
			drop := map[*step]bool{}
			for _, one := range ops[from:min(from+size, len(ops))] {
				if may(one) {
					drop[one] = true
				}
			}
			rest := s.drop(ops, drop)
			if len(drop) > 0 && s.wrong(rest) {
				ops = rest
				continue
			}
			from += size
		}
		if size <= 1 {
			return ops
		}
	}
}

// drop takes steps away, and those that saw a value whose writer is gone.
func (s *shrinker) drop(ops []*step, drop map[*step]bool) []*step {
	for {
		more := false
		for _, one := range ops {
			if drop[one] || !one.looks || one.avoids {
				continue
			}
			for _, w := range s.writers[one.sees] {
				if drop[w] {
					drop[one], more = true, true
				}
			}
		}
		if !more {
			break
		}
	}
	return slices.DeleteFunc(slices.Clone(ops), func(one *step) bool { return drop[one] })
}
