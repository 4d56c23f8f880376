package history

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// property is a checker, the workload whose histories it judges, and how one operation of a right history can be made a
// lie that the checker must find: lies gives all such changes.
type property struct {
	name  string
	model maker
	judge func(History) error
	lies  func(h History) []func()
}

// lieAbout collects lies about single operations.
func lieAbout(h History, about func(o *Operation) []func()) []func() {
	var all []func()
	for i := range h {
		all = append(all, about(&h[i])...)
	}
	return all
}

func says(o *Operation, got string) func() { return func() { o.Found, o.Got = true, got } }

// sure tells whether an operation of a client was acknowledged.
func sure(o *Operation, act Act) bool { return o.Act == act && o.Outcome == OK }

var properties = []property{
	{"set, lost", sets, NoLostWrites, func(h History) []func() {
		return lieAbout(h, func(o *Operation) []func() {
			added := slices.ContainsFunc(h, func(a Operation) bool { return sure(&a, Add) && a.Key == o.Key })
			if !o.Final || !o.Found || !added {
				return nil
			}
			return []func(){func() { o.Found, o.Got = false, "" }}
		})
	}},
	{"set, gone again", sets, MonotonicReads, func(h History) []func() {
		return laterReads(h, func(before, now *Operation) func() {
			if !before.Found || !now.Found {
				return nil
			}
			return func() { now.Found, now.Got = false, "" }
		})
	}},
	{"set, came back", sets, NoDuplicates, between},
	{"list, lost", lists, NoLostWrites, without},
	{"lists, lost", listsOfThree, NoLostWrites, without},
	{"lists, twice", listsOfThree, NoDuplicates, func(h History) []func() {
		return lieAbout(h, func(o *Operation) []func() {
			if o.Kind != Txn || o.Outcome != OK || len(Elements(o.Parts[0].Got)) == 0 {
				return nil
			}
			p := &o.Parts[0]
			return []func(){func() { p.Got = ListValue(append(Elements(p.Got), Elements(p.Got)[0])) }}
		})
	}},
	{"lists, not serializable", listsOfThree, func(h History) error { return Serializable(h, true, Limits{}) }, func(h History) []func() {
		return lieAbout(h, func(o *Operation) []func() {
			var all []func()
			for i, p := range o.Parts {
				e := Elements(p.Got)
				if o.changes() || o.Outcome != OK || len(e) == 0 || !writtenBefore(h, p.Key, p.Got, o.Start) {
					continue
				}
				all = append(all, func() { o.Parts[i].Got = ListValue(e[:len(e)-1]) }) // what it would have read before
			}
			return all
		})
	}},
	{"list, twice", lists, NoDuplicates, func(h History) []func() {
		return lieAbout(h, func(o *Operation) []func() {
			e := Elements(o.Got)
			if o.Kind != Read || o.Outcome != OK || len(e) == 0 {
				return nil
			}
			return []func(){says(o, ListValue(append(e, e[0])))}
		})
	}},
	{"list, shorter", lists, MonotonicReads, func(h History) []func() {
		return laterReads(h, func(before, now *Operation) func() {
			if e := Elements(before.Got); len(e) > 0 {
				return says(now, ListValue(e[1:]))
			}
			return nil
		})
	}},
	{"counter, lost", counters, NoLostWrites, func(h History) []func() {
		acknowledged := len(h.where(func(o *Operation) bool { return sure(o, Increment) }))
		return lieAbout(h, func(o *Operation) []func() {
			if !o.Final || acknowledged == 0 {
				return nil
			}
			return []func(){says(o, AmountValue(acknowledged-1, "0.9"))}
		})
	}},
	{"counter, too high", counters, NoDuplicates, func(h History) []func() {
		return lieAbout(h, func(o *Operation) []func() {
			if o.Kind != Read || o.Outcome != OK {
				return nil
			}
			return []func(){says(o, AmountValue(len(h)+1, "0.9"))}
		})
	}},
	{"counter, too low", counters, CounterBounds, func(h History) []func() {
		return lieAbout(h, func(o *Operation) []func() {
			done := len(h.where(func(a *Operation) bool { return sure(a, Increment) && a.End < o.Start }))
			if o.Kind != Read || o.Outcome != OK || done == 0 {
				return nil
			}
			return []func(){says(o, AmountValue(done-1, "0.9"))}
		})
	}},
	{"counter, back", counters, MonotonicReads, func(h History) []func() {
		return laterReads(h, func(before, now *Operation) func() {
			if n, _ := Amount(before.Got); n > 0 {
				return says(now, AmountValue(n-1, "0.9"))
			}
			return nil
		})
	}},
	{"queue, lost", queues, NoLostWrites, func(h History) []func() {
		return lieAbout(h, func(o *Operation) []func() {
			var all []func()
			for i, e := range Waiting(o.Got) {
				put := func(a Operation) bool { return sure(&a, Enqueue) && a.Element == e }
				mayBeTaken := func(a Operation) bool { return a.Act == Dequeue && a.Outcome != Failed && a.Element == e }
				if o.Final && slices.ContainsFunc(h, put) && !slices.ContainsFunc(h, mayBeTaken) {
					all = append(all, says(o, QueueValue(slices.Delete(Waiting(o.Got), i, i+1), "0.9")))
				}
			}
			return all
		})
	}},
	{"queue, twice", queues, NoDuplicates, func(h History) []func() {
		return lieAbout(h, func(o *Operation) []func() {
			var all []func()
			for _, d := range h {
				if o.Final && sure(&d, Dequeue) {
					all = append(all, says(o, QueueValue([]string{d.Element}, "0.9")))
				}
			}
			return all
		})
	}},
	{"lock, held twice", locks, LockExclusion, func(h History) []func() {
		var all []func()
		for i := range h {
			for j := range h {
				held, other := &h[i], &h[j]
				back := slices.IndexFunc(h, func(o Operation) bool { return o.Act == Release && o.Element == held.Element })
				if !sure(held, Acquire) || back < 0 || other.Client == held.Client || other.Kind != Read || other.Outcome != OK {
					continue
				}
				if other.End > held.End && other.End < h[back].Start { // it looked while the lock was surely held
					all = append(all, func() { other.Kind, other.Act, other.Element = CAS, Acquire, "liar" })
				}
			}
		}
		return all
	}},
	{"lock, lost", locks, NoLostWrites, older},
	{"registers, lost", registersToTheEnd, NoLostWrites, older},
	{"registers, back", registersToTheEnd, MonotonicReads, func(h History) []func() {
		writes := writesOf(h)
		return laterReads(h, func(before, now *Operation) func() {
			newer := writes[before.Key+before.Got]
			for _, old := range writes {
				if newer != nil && old.Key == now.Key && old.Outcome == OK && newer.Outcome == OK && old.End < newer.Start {
					return says(now, old.Value)
				}
			}
			return nil
		})
	}},
	{"registers, came back", registersToTheEnd, NoDuplicates, between},
	{"accounts, wrong total", transfers, func(h History) error { return Total(h, modelTotal) }, func(h History) []func() {
		return lieAbout(h, func(o *Operation) []func() {
			if o.Kind != Txn || o.Outcome != OK || o.changes() {
				return nil
			}
			n, _ := Amount(o.Parts[0].Got)
			return []func(){func() { o.Parts[0].Got = AmountValue(n+1, "0.9") }}
		})
	}},
	{"accounts, lost", transfers, NoLostWrites, func(h History) []func() {
		return lieAbout(h, func(o *Operation) []func() {
			var all []func()
			for _, a := range h {
				for _, p := range a.Parts {
					if o.Final && a.Outcome == OK && p.Set && p.Key == o.Key && writtenBefore(h, p.Key, p.Got, a.Start) {
						all = append(all, says(o, p.Got))
					}
				}
			}
			return all
		})
	}},
	{"accounts, not serializable", transfers, func(h History) error { return Serializable(h, true, Limits{}) }, func(h History) []func() {
		return lieAbout(h, func(o *Operation) []func() {
			if o.Kind != Txn || o.Outcome != OK || o.changes() {
				return nil
			}
			return []func(){func() { o.Parts[0].Got = "nobody's" }}
		})
	}},
}

// without are final reads of lists without an element whose append was acknowledged.
func without(h History) []func() {
	return lieAbout(h, func(o *Operation) []func() {
		var all []func()
		for i, e := range Elements(o.Got) {
			if o.Final && slices.ContainsFunc(h, func(a Operation) bool { return sure(&a, Append) && a.Element == e }) {
				all = append(all, says(o, ListValue(slices.Delete(Elements(o.Got), i, i+1))))
			}
		}
		return all
	})
}

// laterReads gives lies about the second of two reads of a key by one client.
func laterReads(h History, lie func(before, now *Operation) func()) []func() {
	var all []func()
	last := map[string]*Operation{}
	for i := range h {
		o := &h[i]
		if o.Kind != Read || o.Outcome != OK || o.Final || o.Client == 0 {
			continue
		}
		who := o.Key + " " + string(rune('0'+o.Client))
		if before := last[who]; before != nil {
			if f := lie(before, o); f != nil {
				all = append(all, f)
			}
		}
		last[who] = o
	}
	return all
}

func writesOf(h History) map[string]*Operation {
	all := map[string]*Operation{}
	for i := range h {
		if o := &h[i]; o.changes() && o.Outcome == OK {
			all[o.Key+o.Value] = o
		}
	}
	return all
}

// writtenBefore tells whether the write of a value was acknowledged before a time.
func writtenBefore(h History, key, value string, t int64) bool {
	return slices.ContainsFunc(h, func(o Operation) bool {
		set := slices.ContainsFunc(o.Parts, func(p Part) bool { return p.Set && p.Key == key && p.Value == value })
		return o.Outcome == OK && o.End < t && (set || o.Key == key && o.Value == value)
	})
}

// older are final reads of a value that an acknowledged write came after.
func older(h History) []func() {
	return lieAbout(h, func(o *Operation) []func() {
		var all []func()
		for _, a := range h {
			if !o.Final || a.Key != o.Key || !a.changes() || a.Outcome != OK {
				continue
			}
			for _, b := range h {
				if b.Key == o.Key && b.changes() && b.Outcome == OK && !b.Setup && a.End < b.Start {
					all = append(all, says(o, a.Value))
					break
				}
			}
		}
		return all
	})
}

// between are reads that see something else between two reads that see the same.
func between(h History) []func() {
	return lieAbout(h, func(o *Operation) []func() {
		if o.Kind != Read || o.Outcome != OK || o.Final {
			return nil
		}
		for _, a := range h {
			for _, b := range h {
				reads := a.Kind == Read && b.Kind == Read && a.Outcome == OK && b.Outcome == OK
				if reads && a.Key == o.Key && b.Key == o.Key && a.Found && b.Found && a.Got == b.Got && a.End < o.Start && o.End < b.Start {
					return []func(){func() { o.Found, o.Got = false, "" }}
				}
			}
		}
		return nil
	})
}

// A correct service is never accused, and one operation that lies is always found.
func TestEachCheckerByItsProperty(t *testing.T) {
	for _, p := range properties {
		t.Run(p.name, func(t *testing.T) {
			lied := 0
			rapid.Check(t, func(t *rapid.T) {
				h := p.model(t)
				if err := p.judge(h); err != nil && !errors.Is(err, ErrEmpty) {
					t.Fatalf("a correct service is accused: %v", err)
				}
				lies := p.lies(h)
				if len(lies) == 0 {
					return
				}
				lied++
				rapid.SampledFrom(lies).Draw(t, "lie")()
				var v *Violation
				if err := p.judge(h); !errors.As(err, &v) || len(v.Proof) == 0 {
					t.Fatalf("the lie passed: %v\n%s", err, table(h, 0, ""))
				}
			})
			if lied < 5 {
				t.Errorf("only %d histories held anything to lie about", lied)
			}
		})
	}
}
