package xdpfault

import (
	"errors"
	"fmt"
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

	queue *queueLoss // what its queue in the delay line dropped, if it has one
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
	return errors.Join(h.e.line.heal(slots), h.e.bury(h))
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
	return nil
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
		if len(live.wild) == 0 {
			continue
		}
		for _, c := range gone[i] {
			live.free(h.e.matrix.link(c))
		}
	}
	return nil
}

// free notes a link that All does not stand for any more.
func (r *liveRule) free(l Link) {
	if r.freed == nil {
		r.freed = map[Link]bool{}
	}
	r.freed[l] = true
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
