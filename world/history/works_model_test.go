package history

import (
	"fmt"

	"pgregory.net/rapid"
)

// Correct services for workloads beside registers, on what plan draws.

// maker makes a history of one kind of work, final reads included.
type maker func(t *rapid.T) History

// chained makes the history of a workload whose only key is compared and set to what next makes of it. next gives the
// act, the element and the new value; an empty act is a read.
func chained(w Work, first string, next func(t *rapid.T, o *made, now string) (Act, string, string)) maker {
	return func(t *rapid.T) History {
		now := first
		h := plan(t, 4, 8, func(o *made) {
			o.Work, o.Key = w, "k"
			act, element, value := next(t, o, now)
			if act == "" {
				o.Kind = Read
				if o.Outcome == OK {
					o.Found, o.Got = true, now
				}
				return
			}
			o.Kind, o.Act, o.Element, o.Expect, o.Value = CAS, act, element, now, value
			if !o.never {
				now = value
			}
		})
		setup := Operation{Work: w, Kind: Write, Key: "k", Value: first, Outcome: OK, Setup: true, Start: 1, End: 2}
		return ended(append(History{setup}, h...), Operation{Work: w, Kind: Read, Key: "k", Found: true, Got: now})
	}
}

// ended adds final reads, after all else.
func ended(h History, finals ...Operation) History {
	last := int64(1000)
	for _, o := range h {
		last = max(last, o.End)
	}
	for _, o := range finals {
		o.Final, o.Outcome, o.Start, o.End = true, OK, last+1000, last+1001
		h = append(h, o)
	}
	return numbered(h...)
}

func stampOf(o *made) string { return fmt.Sprintf("%d.%d", o.Client, o.N) }

var lists = chained(List, ListValue(nil), func(t *rapid.T, o *made, now string) (Act, string, string) {
	if rapid.Bool().Draw(t, "read") {
		return "", "", ""
	}
	return Append, stampOf(o), ListValue(append(Elements(now), stampOf(o)))
})

var counters = chained(Counter, AmountValue(0, "0.1"), func(t *rapid.T, o *made, now string) (Act, string, string) {
	if rapid.Bool().Draw(t, "read") {
		return "", "", ""
	}
	n, _ := Amount(now)
	return Increment, "", AmountValue(n+1, stampOf(o))
})

var queues = chained(Queue, QueueValue(nil, "0.1"), func(t *rapid.T, o *made, now string) (Act, string, string) {
	waiting := Waiting(now)
	if len(waiting) == 0 || rapid.IntRange(0, 2).Draw(t, "enqueue") > 0 {
		return Enqueue, stampOf(o), QueueValue(append(waiting, stampOf(o)), stampOf(o))
	}
	return Dequeue, waiting[0], QueueValue(waiting[1:], stampOf(o))
})

func locks(t *rapid.T) History {
	holds := map[int]*made{} // by client: the call that told it that it holds the lock
	return chained(Lock, FreeValue("0.1"), func(_ *rapid.T, o *made, now string) (Act, string, string) {
		switch mine := holds[o.Client]; {
		case mine != nil && mine.Element == now && o.Start > mine.End:
			delete(holds, o.Client)
			return Release, now, FreeValue(stampOf(o))
		case Holder(now) == "":
			if o.Outcome == OK {
				holds[o.Client] = o
			}
			return Acquire, stampOf(o), stampOf(o)
		}
		return "", "", ""
	})(t)
}

func sets(t *rapid.T) History {
	there := map[string]bool{}
	var all []string
	h := plan(t, 4, 8, func(o *made) {
		o.Work = Set
		if len(all) > 0 && rapid.Bool().Draw(t, "read") {
			o.Kind, o.Element = Read, rapid.SampledFrom(all).Draw(t, "element")
			o.Key = "e" + o.Element
			if o.Outcome == OK && there[o.Element] {
				o.Found, o.Got = true, "in"
			}
			return
		}
		o.Kind, o.Act, o.Element, o.Value = Write, Add, stampOf(o), "in"
		o.Key = "e" + o.Element
		all = append(all, o.Element)
		there[o.Element] = !o.never
	})
	var finals []Operation
	for _, e := range all {
		o := Operation{Work: Set, Kind: Read, Key: "e" + e, Element: e, Found: there[e]}
		if o.Found {
			o.Got = "in"
		}
		finals = append(finals, o)
	}
	return ended(h, finals...)
}

// listsOfThree makes transactions that read one of three lists, or two, and append to one of them or none.
func listsOfThree(t *rapid.T) History {
	keys := []string{"a", "b", "c"}
	now := map[string]string{}
	var first History
	for _, k := range keys {
		now[k] = ListValue(nil)
		first = append(first, Operation{Work: Lists, Kind: Write, Key: k, Value: now[k], Outcome: OK, Setup: true, Start: 1, End: 2})
	}
	h := plan(t, 4, 8, func(o *made) {
		o.Work, o.Kind, o.Key = Lists, Txn, "lists"
		for _, k := range rapid.Permutation(keys).Draw(t, "which")[:rapid.IntRange(1, 2).Draw(t, "many")] {
			o.Parts = append(o.Parts, Part{Key: k, Found: true, Got: now[k]})
		}
		if rapid.Bool().Draw(t, "append") {
			p := &o.Parts[0]
			o.Act, o.Element = Append, stampOf(o)
			p.Set, p.Value = true, ListValue(append(Elements(p.Got), o.Element))
			if !o.never {
				now[p.Key] = p.Value
			}
		}
	})
	var finals []Operation
	for _, k := range keys {
		finals = append(finals, Operation{Work: Lists, Kind: Read, Key: k, Found: true, Got: now[k]})
	}
	return ended(append(first, h...), finals...)
}

const modelTotal = 30

func transfers(t *rapid.T) History {
	keys := []string{"a", "b", "c"}
	now := map[string]string{}
	var first History
	for i, k := range keys {
		now[k] = AmountValue(modelTotal/3, fmt.Sprint("0.", i))
		first = append(first, Operation{Work: Accounts, Kind: Write, Key: k, Value: now[k], Outcome: OK, Setup: true, Start: 1, End: 2})
	}
	h := plan(t, 4, 8, func(o *made) {
		o.Work, o.Kind, o.Key = Accounts, Txn, "accounts"
		which := keys
		move := rapid.Bool().Draw(t, "transfer")
		if move {
			which = rapid.Permutation(keys).Draw(t, "which")[:2]
			o.Act, o.Element = Transfer, "1"
		}
		by := []int{-1, 1}
		for i, k := range which {
			p := Part{Key: k, Found: true, Got: now[k]}
			if move {
				n, _ := Amount(now[k])
				p.Set, p.Value = true, AmountValue(n+by[i], stampOf(o))
			}
			o.Parts = append(o.Parts, p)
		}
		for _, p := range o.Parts {
			if p.Set && !o.never {
				now[p.Key] = p.Value
			}
		}
	})
	var finals []Operation
	for _, k := range keys {
		finals = append(finals, Operation{Work: Accounts, Kind: Read, Key: k, Found: true, Got: now[k]})
	}
	return ended(append(first, h...), finals...)
}

func registersToTheEnd(t *rapid.T) History {
	h, now := registersAndEnd(t, 4, 10)
	var finals []Operation
	for _, k := range []string{"a", "b"} {
		finals = append(finals, Operation{Work: Registers, Kind: Read, Key: k, Found: now[k].there, Got: now[k].value})
	}
	return ended(h, finals...)
}
