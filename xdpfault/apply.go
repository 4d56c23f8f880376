package xdpfault

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// Handle is one applied harm: the rules of one Apply.
type Handle struct {
	e     *Engine
	rules []*liveRule
	done  bool     // healed
	final *Receipt // set when the ledger no longer has it
}

// liveRule is a rule in the kernel.
type liveRule struct {
	id     uint32
	slot   uint16
	match  Match
	action Action
	wild   []Link        // links with All, for ports attached later
	on     []cell        // links it acts on
	off    []cell        // links released
	freed  map[Link]bool // released links, which All does not bring back

	senders []int     // ports in wire mode for it
	line    *lineRule // its part in the delay line, if it has one
}

// Apply puts all rules in force at one instant, or none. It returns when no
// packet sent from now on escapes them.
func (e *Engine) Apply(rules ...Rule) (*Handle, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, errClosed
	}
	h := &Handle{e: e}
	if err := e.apply(h, rules); err != nil {
		return nil, fmt.Errorf("apply: %w", err)
	}
	e.handles[h] = struct{}{}
	return h, nil
}

func (e *Engine) apply(h *Handle, rules []Rule) error {
	if len(rules) == 0 {
		return errors.New("no rules")
	}
	change := newChange(e.matrix, e.sets)
	err := e.prepare(h, change, rules)
	if err == nil {
		err = e.wireUp(h.rules...)
	}
	if err != nil {
		change.abort()
		var slots []uint16
		for _, live := range h.rules {
			e.slots.untake(live.slot)
			slots = append(slots, live.slot)
		}
		return errors.Join(err, e.line.heal(slots), e.wireDown())
	}
	change.commit()
	return nil
}

// enlist makes a rule known to the delay line, if it has a part there.
func (e *Engine) enlist(live *liveRule, seed uint64) error {
	action, ok := usesLine(live.action)
	if !ok {
		return nil
	}
	if e.line == nil {
		prog, err := e.loadProgram(verdictProgBrineLine)
		if err != nil {
			return err
		}
		if e.line, err = newLine(e.ns, &e.tc, prog, e.sets.kernel.at); err != nil {
			return err
		}
		e.control.at[0].Tap = uint32(e.line.ifindex)
	}
	live.line = newLineRule(seed, action)
	e.line.put(live.slot, live.line)
	return nil
}

// prepare writes the rules and the next generation; nothing is in force yet.
func (e *Engine) prepare(h *Handle, change *change, rules []Rule) error {
	for i := range rules {
		kernel, err := rules[i].encode()
		if err != nil {
			return err
		}
		live := &liveRule{match: rules[i].Match, action: rules[i].Action}
		if err := e.expand(live, rules[i].Links); err != nil {
			return err
		}
		if live.slot, err = e.slots.take(); err != nil {
			return err
		}
		h.rules = append(h.rules, live)
		e.lastID++
		live.id = e.lastID
		kernel.Id, kernel.Seed, kernel.Begin = live.id, mix64(e.cfg.Seed+uint64(live.id)), monotonic()
		e.rules.at[live.slot] = kernel
		live.senders = e.senders(live)
		if err := e.enlist(live, kernel.Seed); err != nil {
			return err
		}
		if err := change.rewrite(live.on, live.join); err != nil {
			return err
		}
	}
	return nil
}

func (r *liveRule) join(k setKey) (setKey, error) { return k.with(r.slot) }

// expand turns links into cells, once each.
func (e *Engine) expand(live *liveRule, links []Link) error {
	live.on = make([]cell, 0, len(links))
	for _, l := range links {
		if err := e.validLink(l); err != nil {
			return err
		}
		if l.From != All && l.To != All {
			live.on = append(live.on, e.matrix.cell(l))
			continue
		}
		live.wild = append(live.wild, l)
		for index := range e.matrix.high {
			live.on = e.expandFor(live.on, l, index)
		}
	}
	if !slices.IsSorted(live.on) {
		slices.Sort(live.on)
	}
	live.on = slices.Compact(live.on)
	return nil
}

// expandFor adds the cells that a link with All has for the port index.
func (e *Engine) expandFor(cells []cell, l Link, index int) []cell {
	add := func(l Link) {
		if l.From != l.To {
			cells = append(cells, e.matrix.cell(l))
		}
	}
	switch {
	case l.From == All && l.To == All:
		for other := range e.matrix.high {
			add(Link{index, other})
			add(Link{other, index})
		}
	case l.From == All:
		add(Link{index, l.To})
	default:
		add(Link{l.From, index})
	}
	return cells
}

func (e *Engine) validLink(l Link) error {
	for _, index := range []int{l.From, l.To} {
		if index != All && (index < 0 || index >= e.matrix.high) {
			return fmt.Errorf("link %s: port %d: %w", l, index, ErrNoSuchPort)
		}
	}
	if l.From == l.To && l.From != All {
		return fmt.Errorf("link %s: a port has no link to itself", l)
	}
	return nil
}

// extendWild puts the rules on All in force for a port before it is plugged in.
func (e *Engine) extendWild(index int) error {
	var change *change
	type grown struct {
		rule *liveRule
		on   []cell
	}
	var all []grown
	for h := range e.handles {
		for _, live := range h.rules {
			var cells []cell
			for _, l := range live.wild {
				cells = e.expandFor(cells, l, index)
			}
			cells = slices.DeleteFunc(cells, func(c cell) bool {
				return live.freed[e.matrix.link(c)] || slices.Contains(live.on, c)
			})
			if len(cells) == 0 {
				continue
			}
			if change == nil {
				change = newChange(e.matrix, e.sets)
			}
			if err := change.rewrite(cells, live.join); err != nil {
				change.abort()
				return err
			}
			all = append(all, grown{live, append(slices.Clone(live.on), cells...)})
		}
	}
	if change != nil {
		change.commit()
		for _, g := range all {
			g.rule.on = g.on
			slices.Sort(g.rule.on)
			g.rule.on = slices.Compact(g.rule.on)
			g.rule.senders = e.senders(g.rule)
		}
	}
	return nil
}

// Heal ends the harm on all its links at one instant. It may be called again.
func (h *Handle) Heal() error {
	h.e.mu.Lock()
	defer h.e.mu.Unlock()
	if h.done {
		return nil
	}
	if err := h.release(nil); err != nil {
		return fmt.Errorf("heal: %w", err)
	}
	h.done = true
	delete(h.e.handles, h)
	var slots []uint16
	for _, live := range h.rules {
		h.e.slots.retire(live.slot)
		slots = append(slots, live.slot)
	}
	return errors.Join(h.e.line.heal(slots), h.e.wireDown(), h.e.bury(h))
}

// Release ends the harm on those of its links that which chooses, at one
// instant; ports attached later stay free on links that were released.
func (h *Handle) Release(which func(Link) bool) error {
	h.e.mu.Lock()
	defer h.e.mu.Unlock()
	if h.done {
		return nil
	}
	if err := h.release(which); err != nil {
		return fmt.Errorf("release: %w", err)
	}
	return h.e.wireDown()
}

// release takes links out of force; all of them when which is nil.
func (h *Handle) release(which func(Link) bool) error {
	change := newChange(h.e.matrix, h.e.sets)
	kept := make([][]cell, len(h.rules))
	gone := make([][]cell, len(h.rules))
	for i, live := range h.rules {
		if which == nil {
			gone[i] = live.on
		} else {
			kept[i], gone[i] = h.e.matrix.divide(live.on, which)
		}
		err := change.rewrite(gone[i], func(k setKey) (setKey, error) {
			return k.without(func(slot uint16) bool { return slot == live.slot }), nil
		})
		if err != nil {
			change.abort()
			return err
		}
	}
	change.commit()
	for i, live := range h.rules {
		live.on = kept[i]
		if live.off == nil {
			live.off = gone[i]
		} else {
			live.off = append(live.off, gone[i]...)
		}
		live.senders = h.e.senders(live)
		if len(live.wild) == 0 {
			continue
		}
		if live.freed == nil {
			live.freed = map[Link]bool{}
		}
		for _, c := range gone[i] {
			live.freed[h.e.matrix.link(c)] = true
		}
	}
	return nil
}

// Links are the links that the harm acts on now, those of All for the ports
// that are attached.
func (h *Handle) Links() []Link {
	h.e.mu.Lock()
	defer h.e.mu.Unlock()
	var links []Link
	for _, live := range h.rules {
		for _, c := range live.on {
			links = append(links, h.e.matrix.link(c))
		}
	}
	return links
}

// monotonic is the kernel's clock, ns since boot without suspend.
func monotonic() uint64 {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) // cannot fail with this clock
	return uint64(now.Nano())
}

// mix64 is splitmix64's finalizer, as in bpf/judge.h.
func mix64(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
