package xdpfault

import (
	"fmt"
	"slices"
)

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
	if len(live.freed) > 0 {
		live.on = slices.DeleteFunc(live.on, func(c cell) bool { return live.freed[e.matrix.link(c)] })
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
		}
	}
	return nil
}
