package history

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/anishathalye/porcupine"
)

// A register is a key that is read, written, and compared and set. All workloads come down to registers.

// cell is the state of a register.
type cell struct {
	there bool
	value string
}

// saw is what a read found.
func (o *Operation) saw() cell {
	if !o.Found {
		return cell{}
	}
	return cell{true, o.Got}
}

func (c cell) String() string {
	if !c.there {
		return "nothing"
	}
	return fmt.Sprintf("%q", shorten(c.value))
}

// step is what an operation does to a register, and what it saw of it.
type step struct {
	op       *Operation
	sees     cell // what must be there before it, where looks is set
	looks    bool
	avoids   bool // of a conflict: sees is what must not be there
	sets     cell // what is there after it, where changes is set
	changes  bool
	call     int64
	end      int64
	surely   bool       // it took effect
	observed bool       // of one that changes: somebody saw what it set
	byOp     *Operation // of a doubtful one that took effect: the first to see what it set
	before   bool       // it stands for all that came before: a read that ran alone, and what it returned
}

// forever is the end of an operation whose end nobody knows.
const forever = math.MaxInt64

// registerModel is a register for porcupine: states are cells, inputs steps.
var registerModel = porcupine.Model{
	Init: func() any { return cell{} },
	Step: func(state, input, _ any) (bool, any) {
		now, s := state.(cell), input.(*step)
		if s.looks && (now == s.sees) == s.avoids {
			return !s.surely, state // what is in doubt may not have happened
		}
		if s.changes {
			return true, s.sets
		}
		return true, state
	},
	DescribeOperation: func(input, _ any) string { return input.(*step).describe() },
	DescribeState:     func(state any) string { return state.(cell).String() },
}

func (s *step) describe() string {
	if s.before {
		return "before: " + s.op.String()
	}
	return s.op.String()
}

// steps translates the operations on one key. What certainly did not happen is left out, and so is a doubtful write
// whose value nobody ever saw: had it taken effect, it would have been overwritten unseen, and the history be as
// linearizable without it. A doubtful write whose value was seen took effect before the first who saw it ended. Both
// hold because values are unique; where one is not, the write stays, with an open end.
//
// A conflict tells only that a value was not there. It is used unless it may have met a write that was left out.
func steps(ops []*Operation) []*step {
	var all []*step
	for _, o := range ops {
		if s := newStep(o); s != nil {
			all = append(all, s)
		}
	}
	writers := map[cell][]*step{}
	watchers := map[cell][]*step{}
	for _, s := range all {
		if s.changes {
			writers[s.sets] = append(writers[s.sets], s)
		}
		if s.looks && !s.avoids {
			watchers[s.sees] = append(watchers[s.sees], s)
		}
	}
	confirm(all, writers)
	for value, from := range writers {
		sure := 0
		for _, s := range watchers[value] {
			if s.surely {
				sure++
			}
		}
		for _, s := range from {
			s.observed = sure > 0
		}
	}
	var kept []*step
	oldest := int64(forever) // begin of the first write that is left out
	for _, s := range all {
		if s.changes && !s.surely && !s.observed && len(writers[s.sets]) == 1 {
			oldest = min(oldest, s.call)
			continue
		}
		kept = append(kept, s)
	}
	return slices.DeleteFunc(kept, func(s *step) bool { return s.avoids && s.end >= oldest })
}

// newStep gives nil for an operation that tells nothing.
func newStep(o *Operation) *step {
	s := &step{op: o, call: o.Start, end: o.End, surely: o.Outcome == OK}
	if o.Outcome == Unknown {
		s.end = forever
	}
	switch o.Kind {
	case Read:
		if o.Outcome != OK {
			return nil
		}
		s.looks, s.sees = true, o.saw()
	case Write:
		if o.Outcome == Failed {
			return nil
		}
		s.changes, s.sets = true, cell{true, o.Value}
	case CAS:
		s.looks, s.sees = true, cell{true, o.Expect}
		switch {
		case o.Conflict:
			s.avoids, s.surely = true, true
			return s
		case o.Outcome == Failed:
			return nil
		}
		s.changes, s.sets = true, cell{true, o.Value}
	default:
		return nil
	}
	return s
}

// confirm marks the doubtful writes that took effect, since something that surely happened saw their value, and gives
// them an end.
func confirm(all []*step, writers map[cell][]*step) {
	seen := slices.DeleteFunc(slices.Clone(all), func(s *step) bool { return !s.looks || s.avoids || !s.surely })
	for len(seen) > 0 {
		s := seen[0]
		seen = seen[1:]
		from := writers[s.sees]
		if len(from) != 1 || from[0].op.Outcome == OK {
			continue
		}
		w := from[0]
		earlier := s.end < w.end
		if earlier {
			w.end, w.byOp = s.end, s.op
		}
		if !w.surely || earlier {
			w.surely = true
			if w.looks {
				seen = append(seen, w) // what it saw was there even earlier
			}
		}
	}
}

// chunk is a part of a register's history that can be judged by itself.
type chunk struct {
	name  string
	steps []*step
	whole int // operations of the key in all
}

// chunkSize is the least number of steps in a chunk that is not the last one.
const chunkSize = 200

// chunks splits a register's history at reads that ran alone: what they returned is what was there, so what came before
// and what comes after are independent. It keeps the checker's work in proportion to the length of the history.
func chunks(name string, all []*step) []chunk {
	slices.SortStableFunc(all, func(a, b *step) int { return cmp.Or(cmp.Compare(a.call, b.call), cmp.Compare(a.end, b.end)) })
	var out []chunk
	var now []*step
	last := int64(math.MinInt64) // the latest end so far
	for i, s := range all {
		now = append(now, s)
		alone := s.looks && !s.avoids && !s.changes && s.call > last && (i+1 == len(all) || all[i+1].call > s.end)
		last = max(last, s.end)
		if alone && len(now) >= chunkSize {
			out = append(out, chunk{name, now, len(all)})
			now = []*step{{op: s.op, before: true, sets: s.sees, changes: true, call: s.call, end: s.call, surely: true}}
		}
	}
	if len(now) > 0 {
		out = append(out, chunk{name, now, len(all)})
	}
	return out
}

// model gives porcupine's form of steps.
func model(all []*step) []porcupine.Operation {
	out := make([]porcupine.Operation, len(all))
	last := int64(0)
	for _, s := range all {
		last = max(last, s.call)
		if s.end != forever {
			last = max(last, s.end)
		}
	}
	for i, s := range all {
		out[i] = porcupine.Operation{ClientId: s.op.Client, Input: s, Call: s.call, Return: min(s.end, last+1)}
	}
	return out
}
