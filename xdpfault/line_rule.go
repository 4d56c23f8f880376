package xdpfault

// lineAction is an action that works in the delay line.
type lineAction interface {
	Action
	// pass moves when the packet is due, or changes it; false drops it.
	pass(s *stage, p *packet) bool
}

// usesLine tells whether a rule sends packets to the delay line.
func usesLine(a Action) (lineAction, bool) {
	if c, ok := a.(Corrupt); ok && c.Undetected {
		return nil, false
	}
	la, ok := a.(lineAction)
	return la, ok
}

// stage is the state of one rule on one link in the delay line.
type stage struct {
	seed     uint64
	position uint64
	last     int64   // when the packet before is due, monotonic ns
	leaving  []int64 // when the packets in a queue leave it
	dropped  Count
}

// uniform draws from [0, 1): the same seed and packets give the same draws.
func (s *stage) uniform() float64 {
	s.position++
	return float64(mix64(s.seed+s.position*0x9e3779b97f4a7c15)>>11) / (1 << 53)
}

// lineRule is a rule as the delay line's process knows it.
type lineRule struct {
	id     uint32
	seed   uint64
	action lineAction
	shared bool
	stages map[Link]*stage
}

func newLineRule(id uint32, seed uint64, action lineAction) *lineRule {
	rate, ok := action.(Rate)
	return &lineRule{id: id, seed: mix64(seed ^ 0x6c696e65), action: action, shared: ok && rate.Shared, stages: map[Link]*stage{}}
}

func (r *lineRule) pass(p *packet) bool {
	key := p.link
	if r.shared {
		key = Link{All, All}
	}
	s := r.stages[key]
	if s == nil {
		s = &stage{seed: mix64(r.seed ^ uint64(p.link.From)<<32 ^ uint64(p.link.To))}
		r.stages[key] = s
	}
	if r.action.pass(s, p) {
		return true
	}
	s = r.stage(p.link)
	s.dropped.add(Count{1, uint64(p.wireLen())})
	return false
}

func (r *lineRule) stage(l Link) *stage {
	if r.stages[l] == nil {
		r.stages[l] = &stage{seed: mix64(r.seed ^ uint64(l.From)<<32 ^ uint64(l.To))}
	}
	return r.stages[l]
}

// drops is what a full queue dropped, by link.
func (r *lineRule) drops(slot uint16) (all []lineDrops) {
	if r == nil {
		return nil
	}
	for link, s := range r.stages {
		if s.dropped.Packets > 0 {
			all = append(all, lineDrops{slot, link, s.dropped})
		}
	}
	return all
}
