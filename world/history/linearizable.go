package history

import (
	"fmt"
	"time"

	"github.com/anishathalye/porcupine"
)

// Limits bound a judgement.
type Limits struct {
	Time time.Duration // for all of it; 0 is DefaultTime
}

// DefaultTime is how long a checker may think.
const DefaultTime = 60 * time.Second

// Result is a judgement that may be drawn.
type Result struct {
	Err       error      // nil, *Violation, *Undecided, or another
	Violation *Violation // set when Err is one
	Keys      int        // that were judged
	Steps     int        // operations that told something
	drawn     []*step    // what a drawing shows
	proof     map[*Operation]bool
	search    *porcupine.LinearizationInfo // for an order of drawn
	base      int64
}

// Linearizable tells whether each operation can have taken effect at one instant between its start and its end (Herlihy
// and Wing 1990), key by key, by porcupine's search (Wing and Gong 1993, Lowe 2017). Linearizability is local, so judging
// each key by itself judges the whole.
//
// A violation is shown by the fewest operations found that no order explains.
func Linearizable(h History, l Limits) Result {
	if l.Time == 0 {
		l.Time = DefaultTime
	}
	r := Result{base: h.Began()}
	for i := range h {
		if h[i].Kind == Txn {
			r.Err = &Undecided{Text: "transactions on several keys are not judged as registers", Hint: "`the total is always 1000` judges transfers, `the history is serializable` what they read"}
			return r
		}
	}
	var parts []chunk
	names, of := group(h)
	reads := 0
	for _, name := range names {
		s := steps(of[name])
		for _, one := range s {
			if one.looks && one.surely && one.op.Client > 0 {
				reads++
			}
		}
		r.Steps += len(s)
		parts = append(parts, chunks(name, s)...)
	}
	r.Keys = len(names)
	if reads == 0 {
		r.Err = empty("read or compare-and-set by a client that was answered")
		return r
	}
	deadline := time.Now().Add(l.Time)
	var wrong *chunk
	for i := range parts {
		left := time.Until(deadline)
		verdict := porcupine.Unknown
		if left > 0 {
			verdict = porcupine.CheckOperationsTimeout(registerModel, model(parts[i].steps), left)
		}
		switch {
		case verdict == porcupine.Illegal && (wrong == nil || parts[i].steps[0].call < wrong.steps[0].call):
			wrong = &parts[i]
		case verdict == porcupine.Unknown && r.Err == nil:
			r.Err = &Undecided{
				Text: fmt.Sprintf("the search for an order of %d operations on %q was not done in %s", len(parts[i].steps), parts[i].name, l.Time),
				Hint: "let fewer clients work, on more registers, or for a shorter time",
			}
		}
	}
	if wrong == nil {
		return r
	}
	proof := complete(shrink(wrong.steps, shrinkTime), wrong, steps(of[wrong.name]))
	r.Violation = h.violation("not linearizable", "")
	r.Violation.Text = fmt.Sprintf("not linearizable: %q: %s", wrong.name, explain(proof))
	r.Violation.Proof = operations(proof)
	if refused := aborted(of[wrong.name], proof); refused != nil {
		r.Violation.Anomaly = "aborted read"
		r.Violation.Text = fmt.Sprintf("not linearizable: %q: a value was read whose write had been refused", wrong.name)
		r.Violation.Proof = byStart(append(r.Violation.Proof, *refused))
	}
	r.Err = r.Violation
	r.draw(wrong, proof)
	return r
}

// complete adds, to a proof that holds a read of a value written before its chunk began, who wrote that, and the read
// that ran alone in between and found another value: without them it would look as if nobody had written it.
func complete(proof []*step, c *chunk, all []*step) []*step {
	in := map[*step]bool{}
	written := map[cell]bool{}
	for _, s := range proof {
		in[s] = true
		if s.changes {
			written[s.sets] = true
		}
	}
	for _, s := range proof {
		if !s.looks || s.avoids || written[s.sees] || !c.steps[0].before {
			continue
		}
		for _, w := range all {
			if w.changes && w.sets == s.sees && w.end < c.steps[0].call {
				in[w], in[c.steps[0]] = true, true
			}
		}
	}
	return ordered(in)
}

// aborted finds the refused operation whose value was seen by one of the proof and can be nobody else's.
func aborted(ops []*Operation, proof []*step) *Operation {
	written := map[cell]bool{}
	for _, s := range proof {
		if s.changes {
			written[s.sets] = true
		}
	}
	for _, s := range proof {
		if !s.looks || s.avoids || !s.sees.there || written[s.sees] {
			continue
		}
		for _, o := range ops {
			if o.Outcome == Failed && o.changes() && o.Value == s.sees.value {
				return o
			}
		}
	}
	return nil
}

// operations are those behind steps, by their start.
func operations(all []*step) []Operation {
	var out []Operation
	for _, s := range all {
		out = append(out, *s.op)
	}
	return byStart(out)
}

// explain says in words what is wrong with a proof, where it is one of the common patterns.
func explain(proof []*step) string {
	writer := map[cell]*step{}
	for _, s := range proof {
		if s.changes {
			writer[s.sets] = s
		}
	}
	for _, r := range proof {
		if !r.looks || r.avoids {
			continue
		}
		if r.sees.there && writer[r.sees] == nil {
			return fmt.Sprintf("%s returned %s, which nobody can have written", r.by(), r.sees)
		}
		if w := writer[r.sees]; w != nil && w.call > r.end {
			return fmt.Sprintf("%s returned %s before it was written", r.by(), r.sees)
		}
	}
	for _, r := range proof {
		if !r.looks || r.avoids {
			continue
		}
		old := writer[r.sees] // nil: nothing was there
		for _, newer := range proof {
			if newer == r || newer.end >= r.call || newer == old {
				continue
			}
			there, verb := newer.sets, "was set by "
			if !newer.changes {
				there = newer.sees
			}
			if !newer.changes || newer.before {
				verb = "was returned to "
			}
			w := writer[there]
			if there == r.sees || newer.avoids || w == nil {
				continue
			}
			if old == nil && !r.sees.there || old != nil && old.end < w.call {
				return fmt.Sprintf("%s saw %s after %s, which is newer, %s%s", r.by(), r.sees, there, verb, newer.by())
			}
		}
	}
	for i, a := range proof {
		for _, b := range proof[i+1:] {
			if a.op.Kind == CAS && b.op.Kind == CAS && a.changes && b.changes && a.op.Expect == b.op.Expect {
				return fmt.Sprintf("%s and %s both replaced %q, which only one can", a.op.who(), b.op.who(), shorten(a.op.Expect))
			}
		}
	}
	return "no order of these operations, each taking effect between its start and its end, gives what they returned"
}

func (s *step) by() string { return s.op.who() }
