package netfab

import (
	"bytes"
	"encoding/binary"
	"slices"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
)

// largestFrame is the longest that a link carries; what is longer is captured
// before the kernel cuts it into such.
const largestFrame = 14 + MTU

// segments are where a TCP or UDP packet has what its segments are made with.
//
//	captured at eth0   │ headers │ ················ 64 KiB of payload ··············· │
//	on the wire                  │ 1 │ 2 │ 3 lost │ 4 │ …
//	in the file        │ headers │ 1   2 │  │ headers │ 3 │  │ headers │ 4 … │
//	                                         "lost: …"
type segments struct {
	flow    string // addresses, protocol and ports
	l4      int    // where the transport's header begins,
	payload int    // and where the payload does
}

// segmentsOf looks at a frame's headers. Packets with IPv6 extensions and
// fragments have no segments.
func segmentsOf(frame []byte) (s segments, ok bool) {
	const l3 = 14
	if len(frame) < l3+20 {
		return s, false
	}
	var addresses []byte
	var proto byte
	switch binary.BigEndian.Uint16(frame[12:]) {
	case unix.ETH_P_IP:
		if binary.BigEndian.Uint16(frame[l3+6:])&0x3fff != 0 {
			return s, false
		}
		s.l4, proto, addresses = l3+int(frame[l3]&0xf)*4, frame[l3+9], frame[l3+12:l3+20]
	case unix.ETH_P_IPV6:
		if len(frame) < l3+40 {
			return s, false
		}
		s.l4, proto, addresses = l3+40, frame[l3+6], frame[l3+8:l3+40]
	}
	switch {
	case proto == unix.IPPROTO_UDP && len(frame) >= s.l4+8:
		s.payload = s.l4 + 8
	case proto == unix.IPPROTO_TCP && len(frame) >= s.l4+20:
		s.payload = s.l4 + int(frame[s.l4+12]>>4)*4
	default:
		return s, false
	}
	s.flow = string(addresses) + string(proto) + string(frame[s.l4:s.l4+4])
	return s, len(frame) > s.payload
}

func (s segments) tcp() bool { return s.flow[len(s.flow)-5] == unix.IPPROTO_TCP }

// lostSegment is a part of a packet's payload that became a packet of the wire and was lost.
type lostSegment struct {
	from, to int // in the payload
	frame    []byte
	why      string
}

// addLarge notes a packet that the kernel will cut.
func (h *hold) addLarge(p *heldPacket) {
	s, ok := segmentsOf(p.data)
	if !ok || len(p.data) <= largestFrame || len(p.data) != p.ci.Length {
		return
	}
	if h.large == nil {
		h.large = map[string][]*heldPacket{}
	}
	h.large[s.flow] = append(h.large[s.flow], p)
}

// forgetLarge lets go of a packet that is the oldest.
func (h *hold) forgetLarge(p *heldPacket) {
	if s, _ := segmentsOf(p.data); len(h.large[s.flow]) > 0 && h.large[s.flow][0] == p {
		if h.large[s.flow] = h.large[s.flow][1:]; len(h.large[s.flow]) == 0 {
			delete(h.large, s.flow)
		}
	}
}

// markSegment finds the last packet that a lost one was cut out of, and tells
// whether there is one.
func (h *hold) markSegment(l LostPacket) bool {
	lost, ok := segmentsOf(l.Frame)
	if !ok || !l.Outbound || len(l.Frame) != l.Length {
		return false
	}
	whole := h.large[lost.flow]
	for _, p := range slices.Backward(whole) {
		if p.ci.Timestamp.After(l.At.Add(clockSlack)) {
			continue
		}
		if from := p.find(l.Frame, lost); from >= 0 {
			p.lost = append(p.lost, lostSegment{from, from + l.Length - lost.payload, l.Frame, l.Why})
			return true
		}
	}
	return false
}

// find gives where in the packet's payload a segment's is that is not lost already, or -1.
func (p *heldPacket) find(frame []byte, lost segments) int {
	s, _ := segmentsOf(p.data)
	payload, part := p.data[s.payload:], frame[lost.payload:]
	is := func(from int) bool {
		to := from + len(part)
		return from >= 0 && to <= len(payload) && bytes.Equal(payload[from:to], part) &&
			!slices.ContainsFunc(p.lost, func(l lostSegment) bool { return from < l.to && l.from < to })
	}
	if s.tcp() {
		seq := func(frame []byte, l4 int) uint32 { return binary.BigEndian.Uint32(frame[l4+4:]) }
		if from := int(int32(seq(frame, lost.l4) - seq(p.data, s.l4))); is(from) {
			return from
		}
		return -1
	}
	for from := 0; from+len(part) <= len(payload); from += len(part) {
		if is(from) {
			return from
		}
	}
	if last := len(payload) - len(part); is(last) { // it may be shorter than the others
		return last
	}
	return -1
}

// pieces are what is written of a packet: itself, or, where segments of it were
// lost, these and what is between them.
func (p *heldPacket) pieces() []*heldPacket {
	if len(p.lost) == 0 {
		return []*heldPacket{p}
	}
	slices.SortFunc(p.lost, func(a, b lostSegment) int { return a.from - b.from })
	s, _ := segmentsOf(p.data)
	id := binary.BigEndian.Uint16(p.data[18:]) // IPv4's, which counts segments
	var all []*heldPacket
	put := func(data []byte, why string) {
		piece := &heldPacket{ci: p.ci, data: data, out: p.out, why: why}
		piece.ci.CaptureLength, piece.ci.Length = len(data), len(data)
		all = append(all, piece)
	}
	at := 0
	between := func(to int) {
		if at < to {
			put(s.cut(p.data, at, to, id), "")
		}
		at = to
	}
	for _, l := range p.lost {
		between(l.from)
		put(slices.Concat(p.data[:12], l.frame[12:]), l.why)
		at, id = l.to, binary.BigEndian.Uint16(l.frame[18:])+1
	}
	between(len(p.data) - s.payload)
	return all
}

// cut makes a packet of a part of the payload, as the kernel does. The
// transport's checksum stays what it was: not filled in.
func (s segments) cut(data []byte, from, to int, id uint16) []byte {
	const fin, push, reduced = 0x01, 0x08, 0x80
	out := slices.Concat(data[:s.payload], data[s.payload+from:s.payload+to])
	order := binary.BigEndian
	if order.Uint16(out[12:]) == unix.ETH_P_IP {
		ip := out[14:s.l4]
		order.PutUint16(ip[2:], uint16(len(out)-14))
		order.PutUint16(ip[4:], id)
		order.PutUint16(ip[10:], 0)
		order.PutUint16(ip[10:], ^checksum.Checksum(ip, 0))
	} else {
		order.PutUint16(out[18:], uint16(len(out)-s.l4))
	}
	l4 := out[s.l4:]
	if !s.tcp() {
		order.PutUint16(l4[4:], uint16(len(l4)))
		return out
	}
	order.PutUint32(l4[4:], order.Uint32(l4[4:])+uint32(from))
	if s.payload+to < len(data) {
		l4[13] &^= fin | push
	}
	if from > 0 {
		l4[13] &^= reduced
	}
	return out
}
