package history

import (
	"fmt"
	"strconv"
	"strings"
)

// Outcome is what became of an operation.
type Outcome string

// The outcomes. Unknown is done or not done, now or later: a time-out is unknown, never failed.
const (
	OK      Outcome = "ok"
	Failed  Outcome = "failed"
	Unknown Outcome = "unknown"
)

// Kind is what an operation did to its key.
type Kind string

// The kinds. A Txn does its parts on several keys at one instant.
const (
	Read  Kind = "read"
	Write Kind = "write"
	CAS   Kind = "cas"
	Txn   Kind = "txn"
)

// Act is what an operation meant in its workload; a register's operation means what it does and has none.
type Act string

// The acts.
const (
	Add       Act = "add"       // an element to a set
	Append    Act = "append"    // an element to a list
	Increment Act = "increment" // a counter
	Transfer  Act = "transfer"  // an amount between accounts
	Look      Act = "look"      // at two accounts, between which nothing could be moved
	Acquire   Act = "acquire"   // a lock
	Release   Act = "release"   // it again
	Enqueue   Act = "enqueue"   // an element
	Dequeue   Act = "dequeue"   // the element that comes back
)

// Work is a kind of workload.
type Work string

// The kinds of workloads.
const (
	Registers Work = "registers"
	Set       Work = "set"
	List      Work = "list"
	Lists     Work = "lists" // several, in transactions
	Counter   Work = "counter"
	Accounts  Work = "accounts"
	Lock      Work = "lock"
	Queue     Work = "queue"
)

// Operation is one call of a client on the system under test.
type Operation struct {
	N       int     `json:"n"`                 // its place in the history, from 1, in the order in which operations ended
	Work    Work    `json:"work"`              // the workload's kind
	Run     int     `json:"run,omitempty"`     // which workload of the scenario, from 1
	Client  int     `json:"client"`            // from 1; 0 is the workload itself: first values and final reads
	Node    string  `json:"node,omitempty"`    // who was asked
	Kind    Kind    `json:"kind"`              //
	Act     Act     `json:"act,omitempty"`     //
	Key     string  `json:"key,omitempty"`     //
	Value   string  `json:"value,omitempty"`   // of a write or cas: what was to be there
	Expect  string  `json:"expect,omitempty"`  // of a cas: what had to be there
	Element string  `json:"element,omitempty"` // of an act: the element, amount or holder
	Found   bool    `json:"found,omitempty"`   // of a read that is ok: there was something
	Got     string  `json:"got,omitempty"`     // of a read that found something: what
	Parts   []Part  `json:"parts,omitempty"`   // of a txn
	Outcome Outcome `json:"outcome"`
	// Conflict marks a cas that is certainly not done because another value was there.
	Conflict bool   `json:"conflict,omitempty"`
	Error    string `json:"error,omitempty"`
	// Due is when an open loop wanted to send it; 0 in a closed one.
	Due   int64 `json:"due,omitempty"`
	Start int64 `json:"start"`
	End   int64 `json:"end"`
	Setup bool  `json:"setup,omitempty"` // a first value, written before the clients began
	Final bool  `json:"final,omitempty"` // a read made after the clients stopped
}

// Part is one key's share of a transaction: what was there, and what it was set to.
type Part struct {
	Key   string `json:"key"`
	Found bool   `json:"found,omitempty"`
	Got   string `json:"got,omitempty"`   // read, and still there when the transaction was done
	Set   bool   `json:"set,omitempty"`   // it was written
	Value string `json:"value,omitempty"` // to this
}

// History is what happened, in the order in which operations ended.
type History []Operation

// Of gives the operations of the workloads of one kind.
func (h History) Of(w Work) History {
	return h.where(func(o *Operation) bool { return o.Work == w })
}

// Began is when the first operation of a client began; 0 when there is none.
func (h History) Began() int64 {
	first := int64(0)
	for i := range h {
		if o := &h[i]; o.Client > 0 && (first == 0 || o.Start < first) {
			first = o.Start
		}
	}
	return first
}

func (h History) where(keep func(*Operation) bool) History {
	var out History
	for i := range h {
		if keep(&h[i]) {
			out = append(out, h[i])
		}
	}
	return out
}

// name says which values belong together: a key of one workload.
func (o *Operation) name() string {
	if o.Run <= 1 {
		return o.Key
	}
	return strconv.Itoa(o.Run) + "/" + o.Key
}

// changes tells whether the operation wants to change something.
func (o *Operation) changes() bool {
	switch o.Kind {
	case Write, CAS:
		return true
	case Txn:
		for _, p := range o.Parts {
			if p.Set {
				return true
			}
		}
	}
	return false
}

// does says the operation for a person, without its outcome.
func (o *Operation) does() string {
	act := string(o.Kind)
	if o.Kind == CAS {
		act = "compare and set"
	}
	if o.Act != "" {
		act = string(o.Act)
	}
	switch {
	case o.Act == Dequeue:
		return fmt.Sprintf("dequeue from %q", o.Key)
	case o.Act != "" && o.Element != "":
		return fmt.Sprintf("%s %s on %q", act, o.Element, o.Key)
	case o.Kind == CAS:
		return fmt.Sprintf("%s of %q from %q to %q", act, o.Key, shorten(o.Expect), shorten(o.Value))
	case o.Kind == Write:
		return fmt.Sprintf("%s of %q to %q", act, shorten(o.Value), o.Key)
	case o.Kind == Txn:
		return act + " on " + o.Key
	}
	return fmt.Sprintf("%s of %q", act, o.Key)
}

// result says the outcome for a person.
func (o *Operation) result() string {
	switch {
	case o.Outcome == OK && o.Kind == Read && o.Found:
		return fmt.Sprintf("%q", shorten(o.Got))
	case o.Outcome == OK && o.Kind == Read:
		return "nothing"
	case o.Outcome == OK && o.Act == Dequeue:
		return o.Element
	case o.Conflict:
		return "another value was there"
	}
	return string(o.Outcome)
}

// String says the operation for a person.
func (o *Operation) String() string { return o.does() + " → " + o.result() }

// who says which client asked which node.
func (o *Operation) who() string {
	who := "client " + strconv.Itoa(o.Client)
	switch {
	case o.Setup:
		who = "before the clients"
	case o.Final:
		who = "final read"
	}
	if o.Node != "" {
		who += " on " + o.Node
	}
	return who
}

// shownLength is how much of a value is shown.
const shownLength = 40

func shorten(v string) string {
	if r := []rune(v); len(r) > shownLength {
		return "…" + string(r[len(r)-shownLength:])
	}
	return v
}

// table sets operations one a line, times in seconds since base.
func table(ops []Operation, base int64, indent string) string {
	var b strings.Builder
	wide := 0
	for i := range ops {
		wide = max(wide, len(ops[i].who()))
	}
	for i := range ops {
		o := &ops[i]
		end := seconds(o.End - base)
		if o.Outcome == Unknown {
			end = "?"
		}
		fmt.Fprintf(&b, "%s%9s … %-9s  %-*s  %s\n", indent, seconds(o.Start-base), end, wide, o.who(), o)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func seconds(ns int64) string { return fmt.Sprintf("%+.4fs", float64(ns)/1e9) }
