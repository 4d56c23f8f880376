package observe

import (
	"encoding/binary"
	"net/netip"
)

// eventSize is sizeof(struct event) of bpf/sight.c.
const eventSize = 72

// TCP flags.
const (
	flagFIN = 1 << iota
	flagSYN
	flagRST
	flagPSH
	flagACK
)

const (
	protoTCP = 6
	protoUDP = 17
)

// event is one packet, or a piece of one, as a program saw it.
type event struct {
	time     uint64 // CLOCK_MONOTONIC, ns
	ifindex  uint32
	seq, ack uint32
	length   uint32 // payload bytes; the payload handed over may be shorter
	local    netip.AddrPort
	remote   netip.AddrPort
	proto    uint8
	flags    uint8
	egress   bool
	packets  uint16
}

// decode reads a record of the ring. The payload is good until the next read.
func decode(b []byte) (e event, payload []byte, ok bool) {
	if len(b) < eventSize {
		return e, nil, false
	}
	le := binary.LittleEndian
	captured := le.Uint32(b[24:])
	if uint64(len(b)) < eventSize+uint64(captured) {
		return e, nil, false
	}
	e = event{
		time: le.Uint64(b), ifindex: le.Uint32(b[8:]), seq: le.Uint32(b[12:]), ack: le.Uint32(b[16:]), length: le.Uint32(b[20:]),
		proto: b[65], flags: b[66], egress: b[67] != 0, packets: le.Uint16(b[68:]),
	}
	src := netip.AddrPortFrom(address(b[32:48], b[64]), le.Uint16(b[28:]))
	dst := netip.AddrPortFrom(address(b[48:64], b[64]), le.Uint16(b[30:]))
	if e.egress {
		e.local, e.remote = src, dst
	} else {
		e.local, e.remote = dst, src
	}
	return e, b[eventSize : eventSize+captured], true
}

func address(b []byte, version byte) netip.Addr {
	if version == 4 {
		return netip.AddrFrom4([4]byte(b))
	}
	return netip.AddrFrom16([16]byte(b))
}
