package history

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Serializable tells whether transactions can have run one after the other; strict wants that order to be that of time
// where one ended before another began. It finds the anomalies of Adya (1999) as Elle does (Kingsbury and Alvaro 2020):
// since each version is unique and each write says which one it replaced, the order of a key's versions is known, and
// with it who depends on whom:
//
//	ww  wrote the version that the other replaced        G0        a cycle of ww alone
//	wr  wrote the version that the other read            G1a, G1b  read what was refused, or an intermediate version
//	rw  read the version that the other replaced         G1c       a cycle of ww and wr
//	rt  ended before the other began (strict)            G-single  a cycle with one rw;  G2 with more
//
// A single operation is a transaction with one part, so that lists, registers and counters may be judged as well.
func Serializable(h History, strict bool, l Limits) error {
	if l.Time == 0 {
		l.Time = DefaultTime
	}
	g := newGraph(h)
	if len(g.txns) == 0 || g.reads == 0 {
		return empty("transaction that was answered and read something")
	}
	if v := g.refused(); v != nil {
		return v
	}
	if v := g.intermediate(); v != nil {
		return v
	}
	if v := g.unwritten(); v != nil {
		return v
	}
	g.depend()
	if strict {
		g.inTime()
	}
	deadline := time.Now().Add(l.Time)
	for _, c := range classes {
		cycle, done := g.find(c, deadline)
		if cycle != nil {
			return g.violation(c, cycle)
		}
		if !done {
			return &Undecided{Text: fmt.Sprintf("the search for cycles of %d transactions was not done in %s", len(g.txns), l.Time)}
		}
	}
	return nil
}

// graph is who depends on whom.
type graph struct {
	h      History
	txns   []*txn
	nodes  int             // txns, then moments
	out    [][]edge        // by node
	wrote  map[access]*txn // who wrote a version that others can see
	mid    map[access]*txn // who wrote a version and replaced it in the same transaction
	failed map[access]*txn // who was refused
	reads  int
}

// txn is a transaction that took effect, or may have.
type txn struct {
	op     *Operation
	at     int // its node
	reads  []access
	writes []replaced
}

// access is one version of one key.
type access struct {
	key string
	is  cell
}

// replaced is a write: the version before and after it.
type replaced struct {
	access
	before access
	blind  bool // the version before is not known
}

type relation int

const (
	ww relation = 1 << iota
	wr
	rw
	rt
)

func (r relation) String() string {
	switch r {
	case ww:
		return "ww"
	case wr:
		return "wr"
	case rw:
		return "rw"
	}
	return "rt"
}

type edge struct {
	to  int
	how relation
	key string
}

func newGraph(h History) *graph {
	g := &graph{h: h, wrote: map[access]*txn{}, mid: map[access]*txn{}, failed: map[access]*txn{}}
	var doubtful []*txn
	seen := map[access]bool{}
	for i := range h {
		t := newTxn(&h[i])
		if t == nil {
			continue
		}
		switch h[i].Outcome {
		case OK:
			g.add(t)
			for _, r := range t.reads {
				seen[r] = true
				if h[i].Client > 0 {
					g.reads++
				}
			}
		case Failed:
			for _, w := range t.writes {
				g.failed[w.access] = t
			}
		case Unknown:
			doubtful = append(doubtful, t)
		}
	}
	// A doubtful transaction took effect when what it wrote was seen, by one that did.
	for more := true; more; {
		more = false
		doubtful = slices.DeleteFunc(doubtful, func(t *txn) bool {
			did := slices.ContainsFunc(t.writes, func(w replaced) bool { return seen[w.access] })
			if did {
				more = true
				g.add(t)
				for _, r := range t.reads {
					seen[r] = true
				}
			}
			return did
		})
	}
	g.nodes = len(g.txns)
	return g
}

func (g *graph) add(t *txn) {
	t.at = len(g.txns)
	g.txns = append(g.txns, t)
	for i, w := range t.writes {
		later := slices.ContainsFunc(t.writes[i+1:], func(x replaced) bool { return x.key == w.key })
		if later {
			g.mid[w.access] = t
		} else {
			g.wrote[w.access] = t
		}
	}
}

// newTxn gives nil for an operation that tells nothing.
func newTxn(o *Operation) *txn {
	t := &txn{op: o}
	key := func(k string) string {
		named := *o
		named.Key = k
		return named.name()
	}
	reads := func(k string, c cell) { t.reads = append(t.reads, access{key(k), c}) }
	writes := func(k string, before, after cell, blind bool) {
		t.writes = append(t.writes, replaced{access{key(k), after}, access{key(k), before}, blind})
	}
	switch o.Kind {
	case Read:
		reads(o.Key, o.saw())
	case Write:
		writes(o.Key, cell{}, cell{true, o.Value}, !o.Setup)
	case CAS:
		reads(o.Key, cell{true, o.Expect})
		writes(o.Key, cell{true, o.Expect}, cell{true, o.Value}, false)
	case Txn:
		own := map[string]bool{}
		for _, p := range o.Parts {
			if !own[p.Key] {
				reads(p.Key, cell{p.Found, p.Got})
			}
			if p.Set {
				writes(p.Key, cell{p.Found, p.Got}, cell{true, p.Value}, false)
				own[p.Key] = true
			}
		}
	}
	if o.Outcome != OK && len(t.writes) == 0 {
		return nil
	}
	return t
}

// refused finds a read of a version whose writer was refused (G1a).
func (g *graph) refused() *Violation {
	for _, t := range g.txns {
		for _, r := range t.reads {
			by := g.failed[r]
			if by != nil && g.wrote[r] == nil {
				return g.h.violation("G1a", fmt.Sprintf("G1a, aborted read: %q: %s was read, but its write had been refused", r.key, r.is), *by.op, *t.op)
			}
		}
	}
	return nil
}

// intermediate finds a read of a version that its writer replaced itself (G1b).
func (g *graph) intermediate() *Violation {
	for _, t := range g.txns {
		for _, r := range t.reads {
			if by := g.mid[r]; by != nil && by != t && g.wrote[r] == nil {
				return g.h.violation("G1b", fmt.Sprintf("G1b, intermediate read: %q: %s was read, which its own transaction replaced", r.key, r.is), *by.op, *t.op)
			}
		}
	}
	return nil
}

// unwritten finds a read of a version that nobody wrote.
func (g *graph) unwritten() *Violation {
	for _, t := range g.txns {
		for _, r := range t.reads {
			if r.is.there && g.wrote[r] == nil && g.mid[r] == nil {
				return g.h.violation("unwritten", fmt.Sprintf("%q: %s was read, which nobody can have written", r.key, r.is), *t.op)
			}
		}
	}
	return nil
}

// depend adds the edges of ww, wr and rw.
func (g *graph) depend() {
	g.out = make([][]edge, g.nodes)
	next := map[access][]*txn{} // who replaced a version
	for _, t := range g.txns {
		for _, w := range t.writes {
			if !w.blind {
				next[w.before] = append(next[w.before], t)
				g.link(g.wrote[w.before], t, ww, w.key)
			}
		}
	}
	for _, t := range g.txns {
		for _, r := range t.reads {
			g.link(g.wrote[r], t, wr, r.key)
			for _, by := range next[r] {
				g.link(t, by, rw, r.key)
			}
		}
	}
}

func (g *graph) link(from, to *txn, how relation, key string) {
	if from != nil && to != nil && from != to {
		g.out[from.at] = append(g.out[from.at], edge{to.at, how, key})
	}
}

// inTime adds the order of time. Instead of an edge from each transaction to all that began after it ended, it goes by
// moments, one for each end, each before the next: the same paths with as many edges as transactions.
func (g *graph) inTime() {
	ended := slices.DeleteFunc(slices.Clone(g.txns), func(t *txn) bool { return t.op.Outcome == Unknown })
	slices.SortFunc(ended, func(a, b *txn) int { return int(sign(a.op.End - b.op.End)) })
	first := g.nodes
	g.nodes += len(ended)
	g.out = append(g.out, make([][]edge, len(ended))...)
	for i, t := range ended {
		g.out[t.at] = append(g.out[t.at], edge{to: first + i, how: rt})
		if i+1 < len(ended) {
			g.out[first+i] = append(g.out[first+i], edge{to: first + i + 1, how: rt})
		}
	}
	for _, t := range g.txns {
		n, _ := slices.BinarySearchFunc(ended, t.op.Start, func(e *txn, start int64) int {
			if e.op.End < start {
				return -1
			}
			return 1
		})
		if n > 0 {
			g.out[first+n-1] = append(g.out[first+n-1], edge{to: t.at, how: rt})
		}
	}
}

func sign(v int64) int64 {
	switch {
	case v < 0:
		return -1
	case v > 0:
		return 1
	}
	return 0
}

// violation tells a cycle: who comes before whom, and why.
func (g *graph) violation(c class, cycle []edge) *Violation {
	var proof []Operation
	var b strings.Builder
	name := c.name
	for _, e := range cycle {
		if e.how == rt {
			name = strings.TrimSuffix(name, "-realtime") + "-realtime"
		}
	}
	fmt.Fprintf(&b, "%s: %s:", name, c.meaning)
	for i, e := range cycle {
		from, to := g.txns[cycle[(i+len(cycle)-1)%len(cycle)].to], g.txns[e.to]
		proof = append(proof, *from.op)
		var why string
		switch e.how {
		case ww:
			why = fmt.Sprintf("wrote the version of %q that #%d replaced", e.key, to.op.N)
		case wr:
			why = fmt.Sprintf("wrote what #%d read of %q", to.op.N, e.key)
		case rw:
			why = fmt.Sprintf("read the version of %q that #%d replaced", e.key, to.op.N)
		case rt:
			why = fmt.Sprintf("ended before #%d began", to.op.N)
		}
		fmt.Fprintf(&b, "\n  #%d %s (%s)", from.op.N, why, e.how)
	}
	return g.h.violation(name, b.String(), proof...)
}
