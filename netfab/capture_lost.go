package netfab

import (
	"bytes"
	"sync"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/pcapgo"
)

const (
	// tellWithin is how late a loss may be told to be found at its packet.
	tellWithin = 100 * time.Millisecond
	// clockSlack is how far the times of a packet and of its loss may differ the wrong way round.
	clockSlack = time.Millisecond
	likeBytes  = 96 // of a packet, behind its link addresses, that tell it from others
)

// LostPacket is a packet from or to a captured node that was dropped on its way.
type LostPacket struct {
	At       time.Time
	Frame    []byte // its first bytes, with the link addresses of both eth0
	Length   int    // of the whole frame
	Outbound bool   // the node sent it: the capture holds it already
	Why      string // goes into the file as the packet's comment
}

// Lost tells the capture of a loss. A packet that the node sent gets a
// comment; a large one, of which a segment was lost, is taken apart for that.
// One that never reached the node, or whose capture is long past, is entered
// with what is known of it. It returns at once.
func (c *Capture) Lost(p LostPacket) { c.held.tell(p) }

// hold keeps packets back until the losses among them are known:
//
//	eth0 ──► packets, 2 × 100 ms ────────────┐
//	             ▲ marks those that were lost ├──► file, in the order of time
//	losses, 100 ms ──► those without a packet ┘
type hold struct {
	packets []*heldPacket // in the order of time
	like    map[string][]*heldPacket
	large   map[string][]*heldPacket // by flow: those that are cut before they reach the wire
	extra   []*heldPacket            // losses without a packet, in the order of time

	mu   sync.Mutex
	told []LostPacket
}

type heldPacket struct {
	ci   gopacket.CaptureInfo
	data []byte
	out  bool
	why  string // it was lost
	lost []lostSegment
}

// likeness is what a packet and its loss have in common; the switch changes link addresses.
func likeness(frame []byte, length int) string {
	frame = frame[min(len(frame), 12):]
	key := append([]byte{byte(length >> 24), byte(length >> 16), byte(length >> 8), byte(length)}, frame[:min(len(frame), likeBytes)]...)
	return string(key)
}

func (h *hold) tell(p LostPacket) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told = append(h.told, p)
}

// add holds a packet; data is copied.
func (h *hold) add(ci gopacket.CaptureInfo, data []byte, out bool) {
	p := &heldPacket{ci: ci, data: bytes.Clone(data), out: out}
	h.packets = append(h.packets, p)
	if !out {
		return
	}
	if h.like == nil {
		h.like = map[string][]*heldPacket{}
	}
	key := likeness(data, ci.Length)
	h.like[key] = append(h.like[key], p)
	h.addLarge(p)
}

// settle finds the packets of the losses told so far that are old enough.
func (h *hold) settle(now time.Time) {
	old := now.Add(-tellWithin)
	h.mu.Lock()
	var due, rest []LostPacket
	for _, l := range h.told {
		if l.At.After(old) {
			rest = append(rest, l)
		} else {
			due = append(due, l)
		}
	}
	h.told = rest
	h.mu.Unlock()
	for _, l := range due {
		if p := h.find(l); p != nil {
			p.why = l.Why
			continue
		}
		if h.markSegment(l) {
			continue
		}
		h.extra = append(h.extra, &heldPacket{
			ci:   gopacket.CaptureInfo{Timestamp: l.At, CaptureLength: len(l.Frame), Length: l.Length},
			data: l.Frame, out: l.Outbound, why: l.Why,
		})
	}
}

// find gives the last packet like a loss that the node sent before it.
func (h *hold) find(l LostPacket) *heldPacket {
	if !l.Outbound {
		return nil
	}
	alike := h.like[likeness(l.Frame, l.Length)]
	for i := len(alike) - 1; i >= 0; i-- {
		if p := alike[i]; p.why == "" && !p.ci.Timestamp.After(l.At.Add(clockSlack)) {
			return p
		}
	}
	return nil
}

// next takes the oldest packet that no loss will be found for any more, or nil.
func (h *hold) next(now time.Time) *heldPacket {
	old := now.Add(-2 * tellWithin)
	from := &h.packets
	if len(h.packets) == 0 || len(h.extra) > 0 && h.extra[0].ci.Timestamp.Before(h.packets[0].ci.Timestamp) {
		from = &h.extra
	}
	if len(*from) == 0 || (*from)[0].ci.Timestamp.After(old) {
		return nil
	}
	p := (*from)[0]
	(*from)[0] = nil
	*from = (*from)[1:]
	if from == &h.packets && p.out {
		key := likeness(p.data, p.ci.Length)
		if h.like[key] = h.like[key][1:]; len(h.like[key]) == 0 {
			delete(h.like, key)
		}
		h.forgetLarge(p)
	}
	return p
}

// end of time: everything is old enough.
var never = time.Unix(1<<40, 0)

// writeHeld writes what is old enough.
func (c *Capture) writeHeld(now time.Time) error {
	c.held.settle(now)
	for p := c.held.next(now); p != nil; p = c.held.next(now) {
		for _, piece := range p.pieces() {
			if err := c.write(piece); err != nil {
				return err
			}
		}
	}
	return nil
}

// options are what a packet's entry says beside its bytes.
func (p *heldPacket) options() pcapgo.NgPacketOptions {
	direction := pcapgo.NgEpbFlagDirectionInbound
	if p.out {
		direction = pcapgo.NgEpbFlagDirectionOutbound
	}
	o := pcapgo.NgPacketOptions{Flags: &pcapgo.NgEpbFlags{Direction: direction}}
	if p.why != "" {
		o.Comments = []string{p.why}
	}
	return o
}
