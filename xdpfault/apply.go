package xdpfault

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

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
	if err := e.prepare(h, change, rules); err != nil {
		change.abort()
		var slots []uint16
		for _, live := range h.rules {
			e.slots.untake(live.slot)
			slots = append(slots, live.slot)
		}
		return errors.Join(err, e.line.heal(slots))
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
		if e.line, err = newLine(e.ns, &e.tc, prog, e.prog.BrineSets); err != nil {
			return err
		}
		e.control.at[0].Tap = uint32(e.line.ifindex)
		if e.lost != nil {
			if err := e.line.watch(e.lost.fromLine); err != nil {
				return err
			}
		}
	}
	var err error
	live.queue, err = e.line.put(live.slot, live.id, seed, action)
	return err
}

// prepare writes the rules and the next generation; nothing is in force yet.
func (e *Engine) prepare(h *Handle, change *change, rules []Rule) error {
	for i := range rules {
		kernel, err := rules[i].encode()
		if err != nil {
			return err
		}
		live := &liveRule{match: rules[i].Match, action: rules[i].Action}
		for _, l := range rules[i].Except {
			live.free(l)
		}
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
		if e.sets.cut[live.slot] = e.needsCutter(live.action); e.sets.cut[live.slot] {
			if err := e.enableCutter(); err != nil {
				return err
			}
		}
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
