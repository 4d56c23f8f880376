package history

import (
	"fmt"
)

// NoLostWrites tells whether what was acknowledged is still there in the final reads: elements of sets, lists and queues,
// increments of counters, and of registers, locks and accounts the last write, or a later one.
func NoLostWrites(h History) error {
	return each(h, "acknowledged write", map[Work]judge{
		Registers: lostRegister, Set: lostElement, List: lostOfList, Counter: lostIncrement, Queue: lostOfQueue,
		Lock: lostRegister, Accounts: eachKey(lostRegister), Lists: eachKey(lostOfList),
	})
}

// judge judges the operations on one key.
type judge func(whole History, ops []*Operation) (judged int, err error)

// each judges every key of the workloads that a judgement is for. It returns the first error, violations first, those
// after it counted.
func each(h History, what string, by map[Work]judge) error {
	judged := 0
	var first *Violation
	var other error
	for _, w := range works {
		f := by[w]
		part := h.Of(w)
		if f == nil || len(part) == 0 {
			continue
		}
		names, of := group(part)
		if w == Set || w == Lists || w == Accounts {
			names, of = together(part)
		}
		for _, name := range names {
			n, err := f(part, of[name])
			judged += n
			v, isViolation := err.(*Violation) //nolint:errorlint // judges return it bare
			switch {
			case isViolation && first == nil:
				first = v
			case isViolation:
				first.Count += v.Count
			case err != nil && other == nil:
				other = err
			}
		}
	}
	switch {
	case first != nil:
		return first
	case other != nil:
		return other
	case judged == 0:
		return empty(what)
	}
	return nil
}

var works = []Work{Registers, Set, List, Lists, Counter, Accounts, Lock, Queue}

// together puts all keys of one run together: a set has a key for each element, a transaction has several.
func together(h History) (names []string, of map[string][]*Operation) {
	of = map[string][]*Operation{}
	for i := range h {
		name := fmt.Sprint(h[i].Run)
		if of[name] == nil {
			names = append(names, name)
		}
		of[name] = append(of[name], &h[i])
	}
	return names, of
}

// final gives the last answered read made after the clients stopped.
func final(ops []*Operation) (*Operation, error) {
	var unanswered *Operation
	for i := len(ops) - 1; i >= 0; i-- {
		o := ops[i]
		if !o.Final || o.Kind != Read {
			continue
		}
		if o.Outcome == OK {
			return o, nil
		}
		unanswered = o
	}
	if unanswered != nil {
		return nil, &Undecided{
			Text: fmt.Sprintf("the final read of %q from %s was not answered: %s", unanswered.Key, unanswered.Node, unanswered.Error),
			Hint: "let the harm heal before the clients stop",
		}
	}
	key := ""
	if len(ops) > 0 {
		key = ops[0].Key
	}
	return nil, &Undecided{Text: fmt.Sprintf("there is no final read of %q", key), Hint: "the clients still work: say `the clients stop`"}
}

// lostRegister finds an acknowledged write that the final value is older than.
func lostRegister(h History, ops []*Operation) (int, error) {
	last, err := final(ops)
	if err != nil {
		return 0, err
	}
	writers := map[cell]*step{}
	all := steps(ops)
	for _, s := range all {
		if s.changes {
			writers[s.sets] = s
		}
	}
	there := last.saw()
	from := writers[there]
	if there.there && from == nil {
		return 0, h.violation("lost", fmt.Sprintf("%q: the final read returned %s, which nobody can have written", last.Key, there), *last)
	}
	judged, lost := 0, 0
	var first *Operation
	for _, s := range all {
		if !s.changes || s.op.Outcome != OK || s.op.Setup {
			continue
		}
		judged++
		if s == from || from != nil && from.end >= s.call {
			continue
		}
		lost++
		if first == nil || s.end > first.End {
			first = s.op
		}
	}
	if lost == 0 {
		return judged, nil
	}
	proof := []Operation{*first, *last}
	if from != nil {
		proof = append(proof, from.proof()...)
	}
	v := h.violation("lost", fmt.Sprintf("%q: the acknowledged write of %q is lost: the final read returned %s, which is older", last.Key, shorten(first.Value), there), proof...)
	return judged, v
}

// lostElement finds elements of a set that were acknowledged and are not there in the end.
func lostElement(h History, ops []*Operation) (int, error) {
	finals := map[string]*Operation{}
	for _, o := range ops {
		if o.Final && (finals[o.Key] == nil || o.Outcome == OK) {
			finals[o.Key] = o
		}
	}
	judged, lost, unread := 0, 0, 0
	var v *Violation
	for _, o := range ops {
		if o.Act != Add || o.Outcome != OK {
			continue
		}
		judged++
		switch last := finals[o.Key]; {
		case last == nil || last.Outcome != OK:
			unread++
		case !last.Found:
			lost++
			if v == nil {
				v = h.violation("lost", fmt.Sprintf("the acknowledged element %s is lost: the final read did not find it", o.Element), append(watchers(ops, o.Key), *o, *last)...)
			}
		}
	}
	if v != nil {
		v.Text = fmt.Sprintf("%d of %d acknowledged elements are lost, the first %s: the final read did not find it", lost, judged, v.Proof[0].Element)
		return judged, v
	}
	if unread > 0 {
		return judged, &Undecided{Text: fmt.Sprintf("the final reads of %d of %d acknowledged elements were not answered", unread, judged), Hint: "let the harm heal before the clients stop"}
	}
	return judged, nil
}

// watchers are the answered reads of a key before the final one, at most three.
func watchers(ops []*Operation, key string) []Operation {
	var out []Operation
	for _, o := range ops {
		if o.Key == key && o.Kind == Read && o.Outcome == OK && !o.Final && len(out) < 3 {
			out = append(out, *o)
		}
	}
	return out
}

// lostOfList finds elements of a list that were acknowledged and are not there in the end.
func lostOfList(h History, ops []*Operation) (int, error) {
	appended := acked(ops, Append)
	if len(appended) == 0 {
		return 0, nil
	}
	last, err := final(ops)
	if err != nil {
		return 0, err
	}
	there := map[string]bool{}
	for _, e := range Elements(last.Got) {
		there[e] = true
	}
	return missing(h, "list", last, appended, func(o *Operation) bool { return there[o.Element] })
}

func missing(h History, what string, last *Operation, all []*Operation, there func(*Operation) bool) (int, error) {
	lost := 0
	var v *Violation
	for _, o := range all {
		if there(o) {
			continue
		}
		lost++
		if v == nil {
			v = h.violation("lost", "", *o, *last)
			v.Text = fmt.Sprintf("%s %q: the acknowledged element %s is lost: it is not in the final read", what, last.Key, o.Element)
		}
	}
	if v == nil {
		return len(all), nil
	}
	v.Count = lost
	return len(all), v
}

func acked(ops []*Operation, act Act) []*Operation {
	var out []*Operation
	for _, o := range ops {
		if o.Act == act && o.Outcome == OK {
			out = append(out, o)
		}
	}
	return out
}
