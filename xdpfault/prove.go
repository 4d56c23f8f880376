package xdpfault

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// maxEdges bounds the probes of one proof; with more kinds of links than that
// the first ones are probed.
const maxEdges = 64

// proofTime is how long probes may take when the context has no deadline.
const proofTime = 2 * time.Second

// expectation is what one probe has to show.
type expectation struct {
	link  Link
	match Match
	rule  *liveRule // nil: the link is not affected
	drop  bool      // it must not arrive
	sent  map[uint32]bool
	seen  int
	base  Tally // the rule's, on that link, before
}

func (x *expectation) String() string {
	if x.rule == nil {
		return fmt.Sprintf("unaffected link %s", x.link)
	}
	return fmt.Sprintf("affected link %s", x.link)
}

// Prove sends probe packets over links that the harm acts on and over links
// between the same ports that it leaves alone: one of each kind per direction
// and pair of parts. Dropped ones must be counted by the rule and must not
// arrive; the others must arrive. The system's programs see none of them and
// the receipt counts them apart. Needs CAP_NET_RAW in the ports' namespaces.
func (e *Engine) Prove(ctx context.Context, h *Handle) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || h.done {
		return errors.New("prove: the harm has ended")
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, proofTime)
		defer cancel()
	}
	if err := e.prove(ctx, h); err != nil {
		return fmt.Errorf("prove: %w", err)
	}
	return nil
}

func (e *Engine) prove(ctx context.Context, h *Handle) error {
	expect := e.expectations(h)
	probers := map[int]*prober{}
	defer func() {
		for _, pr := range probers {
			e.retireProber(pr)
		}
	}()
	for _, x := range expect {
		for _, index := range []int{x.link.From, x.link.To} {
			if probers[index] != nil {
				continue
			}
			pr, err := openProber(e.ports[index], e.probe)
			if err != nil {
				return err
			}
			probers[index] = pr
		}
	}
	for _, x := range expect {
		if err := e.sendProbes(probers[x.link.From], x); err != nil {
			return err
		}
	}
	return e.awaitProbes(ctx, expect, probers)
}

// retireProber closes a socket in the background: the kernel waits for a grace
// period (8 ms) when a packet socket closes. Close waits for it.
func (e *Engine) retireProber(pr *prober) {
	e.background.Go(func() { _ = pr.close() })
}

// sendProbes sends one probe for each address family that both ends have.
func (e *Engine) sendProbes(pr *prober, x *expectation) error {
	x.sent = map[uint32]bool{}
	if x.rule != nil {
		x.base = e.tallyOf(x.rule, x.link)
	}
	for _, pair := range addressPairs(e.ports[x.link.From].Addrs, e.ports[x.link.To].Addrs) {
		e.nonce++
		if err := pr.send(probeFrame(e.probe, pair[0], pair[1], x.match, e.nonce)); err != nil {
			return fmt.Errorf("%s: send: %w", x, err)
		}
		x.sent[e.nonce] = true
	}
	return nil
}

func addressPairs(src, dst []netip.Addr) [][2]netip.Addr {
	var pairs [][2]netip.Addr
	for _, is := range []func(netip.Addr) bool{netip.Addr.Is4, netip.Addr.Is6} {
		i, j := slices.IndexFunc(src, is), slices.IndexFunc(dst, is)
		if i >= 0 && j >= 0 {
			pairs = append(pairs, [2]netip.Addr{src[i], dst[j]})
		}
	}
	return pairs
}

// awaitProbes polls sockets and counters until all probes have been accounted
// for, or the context ends.
func (e *Engine) awaitProbes(ctx context.Context, expect []*expectation, probers map[int]*prober) error {
	fds := make([]unix.PollFd, 0, len(probers))
	for _, pr := range probers {
		fds = append(fds, unix.PollFd{Fd: int32(pr.fd), Events: unix.POLLIN})
	}
	for {
		for _, pr := range probers {
			if err := collect(pr, expect); err != nil {
				return err
			}
		}
		open := slices.IndexFunc(expect, func(x *expectation) bool { return !e.shown(x) })
		if open < 0 {
			return nil
		}
		if x := expect[open]; x.drop && x.seen > 0 {
			return fmt.Errorf("%s: %d of %d probes arrived, want none", x, x.seen, len(x.sent))
		} else if ctx.Err() != nil {
			return fmt.Errorf("%s: %s: %w", x, e.shortfall(x), ctx.Err())
		}
		if _, err := unix.Poll(fds, 1); err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("wait for probes: %w", err)
		}
	}
}

func collect(pr *prober, expect []*expectation) error {
	nonces, err := pr.receive()
	for _, nonce := range nonces {
		for _, x := range expect {
			if x.sent[nonce] && x.link.To == pr.port.Index {
				x.seen++
			}
		}
	}
	return err
}

// shown tells whether the probes of x have done what they had to.
func (e *Engine) shown(x *expectation) bool {
	if x.drop {
		if x.seen > 0 {
			return false
		}
	} else if x.seen < len(x.sent) {
		return false
	}
	if x.rule == nil {
		return true
	}
	now, sent := e.tallyOf(x.rule, x.link), uint64(len(x.sent))
	if drops(x.rule.action) && now.ProbesDropped-x.base.ProbesDropped < sent {
		return false
	}
	return now.Probes-x.base.Probes >= sent
}

func (e *Engine) shortfall(x *expectation) string {
	if x.rule == nil {
		return fmt.Sprintf("%d of %d probes arrived", x.seen, len(x.sent))
	}
	now := e.tallyOf(x.rule, x.link)
	return fmt.Sprintf("of %d probes %d were counted, %d dropped, %d arrived", len(x.sent),
		now.Probes-x.base.Probes, now.ProbesDropped-x.base.ProbesDropped, x.seen)
}

func (e *Engine) tallyOf(live *liveRule, l Link) Tally {
	key := verdictLedgerKey{Rule: live.id, Src: uint16(l.From), Dst: uint16(l.To)}
	var value verdictLedger
	if e.prog.BrineLedger.Lookup(&key, &value) != nil {
		return Tally{}
	}
	return live.tally(l, &value)
}

// expectations picks the links to probe. Ports that the harm treats alike,
// as the nodes of one part of a split, are one class; each ordered pair of
// classes is probed once.
func (e *Engine) expectations(h *Handle) []*expectation {
	struck := map[Link][]*liveRule{}
	for _, live := range h.rules {
		for _, c := range live.on {
			l := e.matrix.link(c)
			if e.ports[l.From] != nil && e.ports[l.To] != nil && l.From != Services && l.To != Services {
				struck[l] = append(struck[l], live)
			}
		}
	}
	var expect []*expectation
	seen := map[[2]uint64]int{}
	classes := e.classes(struck)
	ports := slices.Sorted(maps.Keys(classes))
	for _, from := range ports {
		for _, to := range ports {
			pair := [2]uint64{classes[from], classes[to]}
			if from == to || seen[pair] > 0 || len(seen) >= maxEdges {
				continue
			}
			if found := e.expectationsOf(Link{from, to}, struck); len(found) > 0 {
				seen[pair]++
				expect = append(expect, found...)
			}
		}
	}
	return expect
}

// expectationsOf is what probes over one link must show; nothing for an
// unaffected link on which other harm may drop them.
func (e *Engine) expectationsOf(l Link, struck map[Link][]*liveRule) []*expectation {
	rules := struck[l]
	if len(rules) == 0 {
		if e.dropsElse(l, nil) {
			return nil
		}
		return []*expectation{{link: l}}
	}
	var expect []*expectation
	for _, live := range rules {
		drop := drops(live.action)
		if !drop && e.dropsElse(l, live) {
			continue // would be dropped by another rule
		}
		expect = append(expect, &expectation{link: l, match: live.match, rule: live, drop: drop})
	}
	return expect
}

// dropsElse tells whether a rule other than live may drop probes on a link.
func (e *Engine) dropsElse(l Link, live *liveRule) bool {
	key := e.sets.keys[e.matrix.active()[e.matrix.cell(l)]]
	for _, slot := range key.rule[:key.n] {
		if (live == nil || slot != live.slot) && e.rules.at[slot].Action == actDrop {
			return true
		}
	}
	return false
}

// classes groups ports by which other ports the harm cuts them from and to.
func (e *Engine) classes(struck map[Link][]*liveRule) map[int]uint64 {
	seed := maphash.MakeSeed()
	hash := func(kind, other int) uint64 { return maphash.Comparable(seed, [2]int{kind, other}) }
	class := map[int]uint64{}
	for index := range e.ports {
		if index != Services {
			class[index] = 1
		}
	}
	links := slices.SortedFunc(maps.Keys(struck), func(a, b Link) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	for _, l := range links { // sums: the order of links does not matter
		class[l.From] += hash(0, l.To)
		class[l.To] += hash(1, l.From)
	}
	return class
}
