package xdpfault

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// vnetHeader is the length of struct virtio_net_hdr, which stands before each
// frame that the delay line's device gives and takes.
const vnetHeader = 10

const vnetNeedsChecksum = 1 // VIRTIO_NET_HDR_F_NEEDS_CSUM

// packet is a frame in the delay line.
type packet struct {
	buf    []byte // virtio_net_hdr, then the frame
	link   Link
	rules  []*lineRule
	random uint16
	due    int64  // monotonic ns
	seq    uint64 // order of arrival
	loose  bool   // may be overtaken
	broken bool   // corrupted
}

func (p *packet) frame() []byte { return p.buf[vnetHeader:] }

func (p *packet) wireLen() int { return len(p.buf) - vnetHeader }

// handover is what the verdict program writes in place of the two hardware
// addresses and the type (struct handover in bpf/rules.h).
type handover struct {
	link           Link
	set, tag, mask uint16
	random         uint16
	stamp          uint16
}

func readHandover(frame []byte) handover {
	word := func(i int) uint16 { return binary.LittleEndian.Uint16(frame[2*i:]) }
	return handover{
		link: Link{int(word(0)), int(word(1))},
		set:  word(2), tag: word(3), mask: word(4), random: word(5), stamp: word(6),
	}
}

// restoreType writes the frame's type where the stamp was. Only IP gets here.
func restoreType(frame []byte) {
	kind := uint16(unix.ETH_P_IP)
	if len(frame) > 14 && frame[14]>>4 == 6 {
		kind = unix.ETH_P_IPV6
	}
	binary.BigEndian.PutUint16(frame[12:], kind)
}

// finishChecksum computes the checksum that the sender left to offload.
func (p *packet) finishChecksum() {
	h, frame := p.buf, p.frame()
	if h[0]&vnetNeedsChecksum == 0 || h[1] != 0 { // h[1]: segments to come
		return
	}
	start := int(binary.LittleEndian.Uint16(h[6:]))
	at := start + int(binary.LittleEndian.Uint16(h[8:]))
	if at+2 > len(frame) {
		return
	}
	sum := checksum(frame[start:], 0)
	if sum == 0 {
		sum = 0xffff // UDP: 0 means none
	}
	binary.BigEndian.PutUint16(frame[at:], sum)
	h[0] &^= vnetNeedsChecksum
}

// corrupt flips a bit so that the receiver's checksum fails: in the payload,
// or, where there is none, in the checksum.
func (p *packet) corrupt() {
	if p.broken { // a second flip could undo the first
		return
	}
	p.broken = true
	p.finishChecksum()
	frame := p.frame()
	l4, proto, first := transport(frame)
	if l4 == 0 || l4 >= len(frame) {
		return
	}
	head, field := 0, -1
	if first {
		switch {
		case proto == unix.IPPROTO_TCP && len(frame) >= l4+20:
			head, field = int(frame[l4+12]>>4)*4, 16
		case proto == unix.IPPROTO_UDP && len(frame) >= l4+8:
			head, field = 8, 6
		case (proto == unix.IPPROTO_ICMP || proto == unix.IPPROTO_ICMPV6) && len(frame) >= l4+8:
			head, field = 8, 2
		}
	}
	at := l4 + head
	if at >= len(frame) {
		at = l4 + field
		frame[at] ^= 1 << (p.random & 7)
		return
	}
	at += int(p.random>>3) % (len(frame) - at)
	frame[at] ^= 1 << (p.random & 7)
	if proto == unix.IPPROTO_UDP && field > 0 && frame[l4+6] == 0 && frame[l4+7] == 0 {
		frame[l4+7] = 1 // sent without a checksum: give it a wrong one
	}
}

// transport finds the L4 header; first is false in later fragments, whose
// payload begins there.
func transport(frame []byte) (at int, proto byte, first bool) {
	if len(frame) < 34 {
		return 0, 0, false
	}
	switch binary.BigEndian.Uint16(frame[12:]) {
	case unix.ETH_P_IP:
		return 14 + int(frame[14]&0xf)*4, frame[23], binary.BigEndian.Uint16(frame[20:])&0x1fff == 0
	case unix.ETH_P_IPV6:
		if len(frame) < 54 {
			return 0, 0, false
		}
		at, proto, first = 54, frame[20], true
		for at+8 <= len(frame) {
			switch proto {
			case unix.IPPROTO_HOPOPTS, unix.IPPROTO_ROUTING, unix.IPPROTO_DSTOPTS:
				proto, at = frame[at], at+8+int(frame[at+1])*8
			case unix.IPPROTO_FRAGMENT:
				first = binary.BigEndian.Uint16(frame[at+2:])&0xfff8 == 0
				return at + 8, frame[at], first
			default:
				return at, proto, first
			}
		}
		return at, proto, first
	}
	return 0, 0, false
}
