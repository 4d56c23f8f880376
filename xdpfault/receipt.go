package xdpfault

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cilium/ebpf"
)

// Count is packets as on the wire (segments of an offloaded send count one by
// one) and bytes of their frames.
type Count struct{ Packets, Bytes uint64 }

func (c *Count) add(o Count) { c.Packets += o.Packets; c.Bytes += o.Bytes }

// Tally is what rules did to the system's packets.
type Tally struct {
	Matched    Count // looked at by a rule whose Match they met
	Dropped    Count
	Corrupted  Count
	Duplicated Count
	Reordered  Count // held back so that later ones overtake
	Delayed    Count // sent through the delay line; those Dropped by its queue too
	// First and Last are kernel monotonic ns of the first and last packet
	// matched; 0: none.
	First, Last uint64
	// Probes are the engine's own packets, which nothing above counts.
	Probes, ProbesDropped uint64
}

// Touched tells whether any packet of the system met the harm.
func (t Tally) Touched() bool { return t.Matched.Packets > 0 }

func (t *Tally) add(o Tally) {
	t.Matched.add(o.Matched)
	t.Dropped.add(o.Dropped)
	t.Corrupted.add(o.Corrupted)
	t.Duplicated.add(o.Duplicated)
	t.Reordered.add(o.Reordered)
	t.Delayed.add(o.Delayed)
	if o.First != 0 && (t.First == 0 || o.First < t.First) {
		t.First = o.First
	}
	t.Last = max(t.Last, o.Last)
	t.Probes += o.Probes
	t.ProbesDropped += o.ProbesDropped
}

// Receipt says what a harm really did, in all and per link. Links that no
// packet crossed are left out. Where several rules of one harm match the same
// packet, each counts it.
type Receipt struct {
	Tally
	Links []LinkTally // sorted
}

// LinkTally is one link's share of a receipt.
type LinkTally struct {
	Link
	Tally
}

func (r Receipt) String() string {
	if !r.Touched() {
		return "touched nothing"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d packets (%d bytes) met", r.Matched.Packets, r.Matched.Bytes)
	for _, part := range []struct {
		what string
		n    Count
	}{{"dropped", r.Dropped}, {"corrupted", r.Corrupted}, {"duplicated", r.Duplicated}, {"reordered", r.Reordered}, {"delayed", r.Delayed}} {
		if part.n.Packets > 0 {
			fmt.Fprintf(&b, ", %d %s", part.n.Packets, part.what)
		}
	}
	return b.String()
}

// Receipt reads the harm's counters; after Heal, its last ones.
func (h *Handle) Receipt() Receipt {
	h.e.mu.Lock()
	defer h.e.mu.Unlock()
	if h.final != nil {
		return *h.final
	}
	// also after Heal: what was inside the program then has been counted now
	return h.read()
}

// settle gives harms their last receipts, before the ledger forgets them.
func (e *Engine) settle(harms []*Handle) {
	type owner struct {
		h    *Handle
		live *liveRule
	}
	owners := map[uint32]owner{}
	found := map[*Handle]map[Link]*Tally{}
	for _, h := range harms {
		found[h] = map[Link]*Tally{}
		for _, live := range h.rules {
			owners[live.id] = owner{h, live}
			e.line.count(live.queue)
		}
	}
	e.walkLedger(func(key verdictLedgerKey, l *verdictLedger) {
		if o, ok := owners[key.Rule]; ok {
			enter(found[o.h], o.live, key, l)
		}
	})
	for _, h := range harms {
		r := receipt(found[h])
		h.final = &r
	}
}

// maxHealed is how many healed harms may have entries in the ledger.
const maxHealed = 2048

// bury notes that a harm is healed, and now and then clears the ledger of
// those before it.
func (e *Engine) bury(h *Handle) error {
	e.healed = append(e.healed, h)
	if len(e.healed) < maxHealed {
		return nil
	}
	if err := gracePeriod(); err != nil {
		return err
	}
	e.settle(e.healed)
	dead := map[uint32]bool{}
	for _, h := range e.healed {
		for _, live := range h.rules {
			dead[live.id] = true
		}
	}
	e.healed = nil
	var gone []verdictLedgerKey
	e.walkLedger(func(key verdictLedgerKey, _ *verdictLedger) {
		if dead[key.Rule] {
			gone = append(gone, key)
		}
	})
	for _, key := range gone {
		if err := e.prog.BrineLedger.Delete(&key); err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
			return fmt.Errorf("clear the ledger: %w", err)
		}
	}
	return nil
}

// fewLinks is up to how many links a receipt looks each up; above that it
// walks the ledger, which holds an entry only for links that packets crossed.
const fewLinks = 64

func (h *Handle) read() Receipt {
	byID := map[uint32]*liveRule{}
	var links int
	for _, live := range h.rules {
		byID[live.id] = live
		h.e.line.count(live.queue)
		links += len(live.on) + len(live.off)
	}
	found := map[Link]*Tally{}
	take := func(key verdictLedgerKey, l *verdictLedger) {
		if live := byID[key.Rule]; live != nil {
			enter(found, live, key, l)
		}
	}
	if links <= fewLinks {
		h.lookup(take)
	} else {
		h.e.walkLedger(take)
	}
	return receipt(found)
}

// enter adds one entry of the ledger to its link's tally.
func enter(found map[Link]*Tally, live *liveRule, key verdictLedgerKey, l *verdictLedger) {
	link := Link{int(key.Src), int(key.Dst)}
	if found[link] == nil {
		found[link] = &Tally{}
	}
	found[link].add(live.tally(link, l))
}

func receipt(found map[Link]*Tally) Receipt {
	var r Receipt
	for link, t := range found {
		r.Links = append(r.Links, LinkTally{link, *t})
		r.add(*t)
	}
	slices.SortFunc(r.Links, func(a, b LinkTally) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	return r
}

func (h *Handle) lookup(take func(verdictLedgerKey, *verdictLedger)) {
	for _, live := range h.rules {
		for _, cells := range [][]cell{live.on, live.off} {
			for _, c := range cells {
				l := h.e.matrix.link(c)
				key := verdictLedgerKey{Rule: live.id, Src: uint16(l.From), Dst: uint16(l.To)}
				var value verdictLedger
				if h.e.prog.BrineLedger.Lookup(&key, &value) == nil {
					take(key, &value)
				}
			}
		}
	}
}

func (e *Engine) walkLedger(take func(verdictLedgerKey, *verdictLedger)) {
	walk(e.prog.BrineLedger, take)
}

// walk gives every entry of a hash, in batches (kernel 5.6).
func walk[K, V any](m *ebpf.Map, take func(K, *V)) {
	const batch = 4096
	keys, values := make([]K, batch), make([]V, batch)
	var cursor ebpf.MapBatchCursor
	for {
		n, err := m.BatchLookup(&cursor, keys, values, nil)
		for i := range n {
			take(keys[i], &values[i])
		}
		if err != nil || n == 0 { // ErrKeyNotExist: that was the last batch
			return
		}
	}
}

func (r *liveRule) tally(link Link, l *verdictLedger) Tally {
	t := Tally{
		Matched: Count{l.Packets, l.Bytes},
		First:   l.First, Last: l.Last,
		Probes: l.Probes, ProbesDropped: l.ProbesHit,
	}
	if l.Packets == 0 {
		t.First = 0
	}
	hit := Count{l.HitPackets, l.HitBytes}
	switch r.action.(type) {
	case Drop, Loss, Flap:
		t.Dropped = hit
	case Corrupt:
		t.Corrupted = hit
	case Duplicate:
		t.Duplicated = hit
	case Reorder:
		t.Reordered = hit
	case Delay, Rate:
		t.Delayed = hit
		if r.queue != nil {
			t.Dropped = r.queue.on(link)
		}
	}
	return t
}
