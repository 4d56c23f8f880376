package xdpfault

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// lineRequest is what the engine asks of the delay line's process; each is
// answered once it holds. All are JSON, one to a message of the socket between
// the two, as they are rare: what is frequent are packets, and lost ones.
type lineRequest struct {
	Put   *linePut `json:",omitempty"` // a rule, before its slot is in any set that is on
	Heal  []uint16 `json:",omitempty"` // slots: forget the rules, let go what waits for them
	Drops *uint16  `json:",omitempty"` // of this slot's rule
	Watch bool     `json:",omitempty"` // tell of packets that find a queue full
	Stop  bool     `json:",omitempty"`
}

// linePut is a rule with an action of the delay line, which is one of the four.
type linePut struct {
	Slot    uint16
	ID      uint32
	Seed    uint64
	Delay   *Delay   `json:",omitempty"`
	Rate    *Rate    `json:",omitempty"`
	Reorder *Reorder `json:",omitempty"`
	Corrupt *Corrupt `json:",omitempty"`
}

func newLinePut(slot uint16, id uint32, seed uint64, a lineAction) *linePut {
	p := &linePut{Slot: slot, ID: id, Seed: seed}
	switch a := a.(type) {
	case Delay:
		p.Delay = &a
	case Rate:
		p.Rate = &a
	case Reorder:
		p.Reorder = &a
	case Corrupt:
		p.Corrupt = &a
	}
	return p
}

func (p *linePut) rule() (*lineRule, error) {
	switch {
	case p.Delay != nil:
		return newLineRule(p.ID, p.Seed, *p.Delay), nil
	case p.Rate != nil:
		return newLineRule(p.ID, p.Seed, *p.Rate), nil
	case p.Reorder != nil:
		return newLineRule(p.ID, p.Seed, *p.Reorder), nil
	case p.Corrupt != nil:
		return newLineRule(p.ID, p.Seed, *p.Corrupt), nil
	}
	return nil, fmt.Errorf("rule %d: no action", p.ID)
}

// lineAnswer answers a request. Drops come in several where they are many.
type lineAnswer struct {
	Drops []lineDrops `json:",omitempty"`
	More  bool        `json:",omitempty"`
	Error string      `json:",omitempty"`
}

// lineDrops is what the queue of one rule dropped on one link.
type lineDrops struct {
	Slot uint16
	Link Link
	Count
}

// maxDrops is how many links' drops fit into one message.
const maxDrops = 500

// A message's first byte tells an answer from a packet that found a queue full.
const (
	msgAnswer = 'a'
	msgLost   = 'l'
)

// lineLoss is a packet that found a queue full, and how many before it could
// not be told: rule, link, when, missed, length, then the frame's first bytes.
type lineLoss struct {
	rule   uint32
	link   Link
	at     uint64 // kernel monotonic ns
	missed uint64 // since the last one told
	whole  int    // length of the frame
	frame  []byte
}

const lineLossHead = 1 + 4 + 2 + 2 + 8 + 8 + 4

func (m *lineLoss) append(b []byte) []byte {
	o := binary.LittleEndian
	b = append(b, msgLost)
	b = o.AppendUint32(b, m.rule)
	b = o.AppendUint16(b, uint16(m.link.From))
	b = o.AppendUint16(b, uint16(m.link.To))
	b = o.AppendUint64(b, m.at)
	b = o.AppendUint64(b, m.missed)
	b = o.AppendUint32(b, uint32(m.whole))
	return append(b, m.frame...)
}

func parseLineLoss(b []byte) (lineLoss, error) {
	if len(b) < lineLossHead {
		return lineLoss{}, fmt.Errorf("%d bytes: too short for a lost packet", len(b))
	}
	o := binary.LittleEndian
	return lineLoss{
		rule:   o.Uint32(b[1:]),
		link:   Link{int(o.Uint16(b[5:])), int(o.Uint16(b[7:]))},
		at:     o.Uint64(b[9:]),
		missed: o.Uint64(b[17:]),
		whole:  int(o.Uint32(b[25:])),
		frame:  append([]byte{}, b[lineLossHead:]...),
	}, nil
}

// commands carries out what the engine asked for; true ends the thread.
func (l *lineThread) commands() (stop bool) {
	for {
		n, _, err := unix.Recvfrom(l.control, l.message, unix.MSG_DONTWAIT)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return false
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil || n == 0: // the engine's process has ended
			return true
		}
		var req lineRequest
		answer := lineAnswer{}
		if err := json.Unmarshal(l.message[:n], &req); err != nil {
			answer.Error = err.Error()
		} else {
			answer = l.carryOut(req)
		}
		if l.answer(answer) != nil {
			return true
		}
		if req.Stop {
			return true
		}
	}
}

func (l *lineThread) carryOut(req lineRequest) (a lineAnswer) {
	if req.Watch {
		l.watched = true
	}
	if p := req.Put; p != nil {
		r, err := p.rule()
		if err != nil || int(p.Slot) >= len(l.slots) {
			return lineAnswer{Error: fmt.Sprintf("slot %d: %v", p.Slot, err)}
		}
		l.slots[p.Slot] = r
	}
	if slot := req.Drops; slot != nil && int(*slot) < len(l.slots) {
		a.Drops = l.slots[*slot].drops(*slot)
	}
	for _, slot := range req.Heal {
		if int(slot) < len(l.slots) {
			a.Drops = append(a.Drops, l.slots[slot].drops(slot)...)
		}
	}
	if len(req.Heal) > 0 {
		l.heal(req.Heal)
		l.release(l.clock.now()) // what waited is on its way when the engine hears of it
	}
	return a
}

// answer sends an answer, in several messages where it is long.
func (l *lineThread) answer(a lineAnswer) error {
	for {
		part := a
		if part.More = len(a.Drops) > maxDrops; part.More {
			part.Drops, a.Drops = a.Drops[:maxDrops], a.Drops[maxDrops:]
		}
		text, err := json.Marshal(part)
		if err != nil {
			return err
		}
		if err := unix.Sendto(l.control, append([]byte{msgAnswer}, text...), unix.MSG_NOSIGNAL, nil); err != nil {
			return err
		}
		if !part.More {
			return nil
		}
	}
}

// tellLost tells of a packet that found a queue full. It never waits: what
// cannot be told is counted.
func (l *lineThread) tellLost(p *packet, r *lineRule) {
	if !l.watched {
		return
	}
	frame := p.frame()
	loss := lineLoss{
		rule: r.id, link: p.link, at: uint64(l.clock.now()), missed: l.missed, whole: len(frame),
		frame: frame[:min(len(frame), lostBytes)],
	}
	l.message = loss.append(l.message[:0])
	if unix.Sendto(l.control, l.message, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, nil) != nil {
		l.missed++
	} else {
		l.missed = 0
	}
	l.message = l.message[:cap(l.message)]
}
