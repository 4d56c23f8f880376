package history

import "github.com/anishathalye/porcupine"

// Drawn is an operation of a drawing: for a report that draws it itself.
type Drawn struct {
	Who, Text  string
	Start, End int64 // as an operation's; End 0 where nobody knows it
	Proof      bool  // one of the few that prove the violation
	Place      int   // in the longest order that explains what was returned, from 1; 0 where it is in none
}

// Drawn gives what Drawing draws: the operations near the proof, and how far an order of them gets.
func (r *Result) Drawn() []Drawn {
	if r.Violation == nil || len(r.drawn) == 0 {
		return nil
	}
	places := map[int]int{}
	info := r.searched()
	for _, partition := range info.PartialLinearizations() {
		var longest []int
		for _, order := range partition {
			if len(order) > len(longest) {
				longest = order
			}
		}
		for place, id := range longest {
			places[id] = place + 1
		}
	}
	var out []Drawn
	for i, s := range r.drawn {
		d := Drawn{Who: s.op.who(), Text: s.describe(), Start: s.call, End: s.end, Proof: r.proof[s.op], Place: places[i]}
		if s.end == forever {
			d.End = 0
		}
		out = append(out, d)
	}
	return out
}

// searched is porcupine's search for an order of what is drawn.
func (r *Result) searched() *porcupine.LinearizationInfo {
	if r.search == nil {
		_, info := porcupine.CheckOperationsVerbose(registerModel, model(r.drawn), shrinkTime)
		r.search = &info
	}
	return r.search
}

// Drawn gives the proof of a violation of any kind.
func (v *Violation) Drawn() []Drawn {
	var out []Drawn
	for i := range v.Proof[:min(len(v.Proof), drawnSteps)] {
		o := &v.Proof[i]
		d := Drawn{Who: o.who(), Text: o.String(), Start: o.Start, End: o.End, Proof: true}
		if o.Outcome == Unknown {
			d.End = 0
		}
		out = append(out, d)
	}
	return out
}
