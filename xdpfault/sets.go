package xdpfault

import "fmt"

// setRules is how many rules can meet on one link, as in bpf/rules.h.
const setRules = 14

// setKey is the content of a rule set: slots of rules in the order applied.
type setKey struct {
	n    uint16
	rule [setRules]uint16
}

func (k setKey) with(slot uint16) (setKey, error) {
	for _, have := range k.rule[:k.n] {
		if have == slot {
			return k, nil
		}
	}
	if k.n == setRules {
		return k, fmt.Errorf("more than %d harms on one link\nhint: heal one first", setRules)
	}
	k.rule[k.n] = slot
	k.n++
	return k, nil
}

func (k setKey) without(gone func(uint16) bool) setKey {
	var out setKey
	for _, slot := range k.rule[:k.n] {
		if !gone(slot) {
			out.rule[out.n] = slot
			out.n++
		}
	}
	return out
}

// sets are the immutable rule sets that cells name. Set 0 is the empty one.
type sets struct {
	slots  *slots
	kernel shared[verdictRuleset]
	keys   []setKey
	refs   []int32 // cells of the active plane that name it
	index  map[setKey]uint16
	tag    uint16
	cut    []bool // by slot of a rule: it acts on single packets of the wire
}

func newSets(kernel shared[verdictRuleset]) *sets {
	n := len(kernel.at)
	return &sets{
		slots:  newSlots("rule sets", 1, n),
		kernel: kernel,
		keys:   make([]setKey, n),
		refs:   make([]int32, n),
		index:  map[setKey]uint16{{}: 0},
		cut:    make([]bool, maxRules),
	}
}

// intern gives the set with that content, making it if there is none.
func (s *sets) intern(k setKey) (id uint16, made bool, err error) {
	if id, ok := s.index[k]; ok {
		return id, false, nil
	}
	if id, err = s.slots.take(); err != nil {
		return 0, false, err
	}
	s.index[k], s.keys[id] = id, k
	s.tag++
	s.kernel.at[id] = verdictRuleset{N: uint8(k.n), Cut: s.cuts(k), Tag: s.tag, Rule: k.rule}
	return id, true, nil
}

// cuts is 1 if a rule of the set acts on single packets of the wire.
func (s *sets) cuts(k setKey) uint8 {
	for _, slot := range k.rule[:k.n] {
		if s.cut[slot] {
			return 1
		}
	}
	return 0
}

// change is a prepared generation: an idle plane that differs from the active
// one, and how often each set is named more or less in it.
type change struct {
	m     *matrix
	s     *sets
	plane []uint16
	delta map[uint16]int32
	made  []uint16
}

func newChange(m *matrix, s *sets) *change {
	return &change{m: m, s: s, plane: m.next(), delta: map[uint16]int32{}}
}

// rewrite replaces each cell's set by what edit makes of its content. Equal
// sets become equal sets, so edit runs once for each set that is met.
func (c *change) rewrite(cells []cell, edit func(setKey) (setKey, error)) error {
	memo := map[uint16]uint16{}
	old, now, run := uint16(0), uint16(0), int32(0)
	settle := func() {
		if old != now && run != 0 {
			c.delta[old] -= run
			c.delta[now] += run
		}
		run = 0
	}
	defer settle()
	for i, at := range cells {
		have := c.plane[at]
		if i == 0 || have != old {
			settle()
			to, ok := memo[have]
			if !ok {
				key, err := edit(c.s.keys[have])
				if err != nil {
					return err
				}
				id, made, err := c.s.intern(key)
				if err != nil {
					return err
				}
				if made {
					c.made = append(c.made, id)
				}
				memo[have], to = id, id
			}
			old, now = have, to
		}
		c.plane[at] = now
		run++
	}
	return nil
}

// commit flips, and retires the sets that no cell names any more.
func (c *change) commit() {
	c.m.flip()
	for id, d := range c.delta {
		c.s.refs[id] += d
	}
	for id := range c.delta {
		c.s.drop(id, c.s.slots.retire)
	}
	for _, id := range c.made {
		c.s.drop(id, c.s.slots.untake)
	}
}

// abort forgets the change; the active plane was never touched.
func (c *change) abort() {
	for _, id := range c.made {
		c.s.drop(id, c.s.slots.untake)
	}
}

// drop removes a set that nothing names.
func (s *sets) drop(id uint16, giveBack func(uint16)) {
	if id == 0 || s.refs[id] != 0 {
		return
	}
	if have, ok := s.index[s.keys[id]]; !ok || have != id {
		return
	}
	delete(s.index, s.keys[id])
	giveBack(id)
}
