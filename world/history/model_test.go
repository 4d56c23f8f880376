package history

import (
	"cmp"
	"fmt"
	"slices"

	"pgregory.net/rapid"
)

// A made-up run of clients against a correct system: each operation takes effect at one instant between its start and its
// end, a doubtful one at any time after its start, or never.

// made is an operation while it is made up.
type made struct {
	Operation
	at    int64 // when it takes effect
	never bool
}

// plan draws when clients begin and end operations; fill says what each is when its turn comes to take effect.
func plan(t *rapid.T, clients, each int, fill func(o *made)) History {
	var all []*made
	for c := 1; c <= clients; c++ {
		now := int64(rapid.IntRange(10, 30).Draw(t, "start"))
		for range rapid.IntRange(1, each).Draw(t, "operations") {
			o := &made{Operation: Operation{Client: c, Start: now, End: now + int64(rapid.IntRange(1, 40).Draw(t, "took")), Outcome: OK}}
			o.at = o.Start + int64(rapid.IntRange(0, int(o.End-o.Start)).Draw(t, "effect"))
			switch rapid.IntRange(0, 9).Draw(t, "outcome") {
			case 0:
				o.Outcome = Unknown
				o.at = o.Start + int64(rapid.IntRange(0, 120).Draw(t, "late"))
				o.never = rapid.Bool().Draw(t, "never")
			case 1:
				o.Outcome, o.never = Failed, true
			}
			all = append(all, o)
			now = o.End + int64(rapid.IntRange(1, 20).Draw(t, "pause"))
		}
	}
	slices.SortStableFunc(all, func(a, b *made) int { return cmp.Compare(a.at, b.at) })
	for i, o := range all {
		o.N = i + 1
		fill(o)
	}
	slices.SortStableFunc(all, func(a, b *made) int { return cmp.Compare(a.End, b.End) })
	var h History
	for i, o := range all {
		o.N = i + 1
		h = append(h, o.Operation)
	}
	return h
}

// registers makes a history of reads, writes and compare-and-sets.
func registers(t *rapid.T, clients, each int) History {
	h, _ := registersAndEnd(t, clients, each)
	return h
}

// registersAndEnd gives as well what is there in the end.
func registersAndEnd(t *rapid.T, clients, each int) (History, map[string]cell) {
	state := map[string]cell{}
	past := map[string][]string{}
	h := plan(t, clients, each, func(o *made) {
		o.Work, o.Key = Registers, rapid.SampledFrom([]string{"a", "b"}).Draw(t, "key")
		now := state[o.Key]
		o.Value = fmt.Sprintf("%d.%d", o.Client, o.N)
		o.Kind = rapid.SampledFrom([]Kind{Read, Write, CAS}).Draw(t, "kind")
		if o.Kind == CAS && len(past[o.Key]) == 0 {
			o.Kind = Write
		}
		switch o.Kind {
		case Read:
			o.Value = ""
			if o.Outcome == OK {
				o.Found, o.Got = now.there, now.value
			}
			return
		case CAS:
			o.Expect = now.value
			if !now.there || rapid.IntRange(0, 2).Draw(t, "conflict") == 0 {
				o.Expect = rapid.SampledFrom(past[o.Key]).Draw(t, "expect")
			}
			if o.Expect != now.value {
				if o.Outcome == OK {
					o.Outcome, o.Conflict = Failed, true
				}
				o.never = true
			}
		}
		if !o.never {
			state[o.Key] = cell{true, o.Value}
			past[o.Key] = append(past[o.Key], o.Value)
		}
	})
	return h, state
}

// op is short for hand-made histories: client, start, end.
func op(client int, start, end int64, k Kind, key string) Operation {
	return Operation{Work: Registers, Client: client, Kind: k, Key: key, Outcome: OK, Start: start, End: end}
}

func wrote(client int, start, end int64, key, value string) Operation {
	o := op(client, start, end, Write, key)
	o.Value = value
	return o
}

func readOf(client int, start, end int64, key, value string) Operation {
	o := op(client, start, end, Read, key)
	o.Found, o.Got = value != "", value
	return o
}

func swapped(client int, start, end int64, key, from, to string) Operation {
	o := op(client, start, end, CAS, key)
	o.Expect, o.Value = from, to
	return o
}

// as changes an operation.
func as(o Operation, change func(*Operation)) Operation {
	change(&o)
	return o
}

func unknown(o *Operation)  { o.Outcome = Unknown }
func refused(o *Operation)  { o.Outcome = Failed }
func conflict(o *Operation) { o.Outcome, o.Conflict = Failed, true }
func isFinal(o *Operation)  { o.Final, o.Client = true, 0 }

// numbered gives operations their places.
func numbered(ops ...Operation) History {
	h := History(ops)
	slices.SortStableFunc(h, func(a, b Operation) int { return cmp.Compare(a.End, b.End) })
	for i := range h {
		h[i].N = i + 1
	}
	return h
}
