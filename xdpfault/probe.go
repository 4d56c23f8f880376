package xdpfault

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A probe is a frame from the engine's own hardware address to itself. It
// leaves through a port's eth0 as any packet does, rules count it apart, and
// at the receiver it is for another host: only a packet socket sees it, no
// IP stack answers. It looks like a packet of the rule that it proves: same
// addresses, protocol, ports.

// prober sends and sees probes at one port, from inside its namespace.
type prober struct {
	fd   int
	port *Port
}

func openProber(p *Port, mac net.HardwareAddr) (*prober, error) {
	pr := &prober{fd: -1, port: p}
	err := p.Peer.Do(func() error {
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			return err
		}
		pr.fd = fd
		return pr.listen(mac)
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("probe socket at port %d (%s): %w", p.Index, p.IfName, err), pr.close())
	}
	return pr, nil
}

// listen takes frames from mac only, and sends past queues and taps.
func (pr *prober) listen(mac net.HardwareAddr) error {
	high, low := binary.BigEndian.Uint32(mac), binary.BigEndian.Uint16(mac[4:])
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 6},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: high, Jf: 3},
		{Code: unix.BPF_LD | unix.BPF_H | unix.BPF_ABS, K: 10},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: uint32(low), Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0xffff},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: (*unix.SockFilter)(unsafe.Pointer(&filter[0]))}
	if err := unix.SetsockoptSockFprog(pr.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &prog); err != nil {
		return fmt.Errorf("filter: %w", err)
	}
	if err := unix.SetsockoptInt(pr.fd, unix.SOL_PACKET, unix.PACKET_QDISC_BYPASS, 1); err != nil {
		return fmt.Errorf("bypass queues: %w", err)
	}
	return unix.Bind(pr.fd, &unix.SockaddrLinklayer{Protocol: bigEndian16(unix.ETH_P_ALL), Ifindex: pr.port.PeerIfIndex})
}

func (pr *prober) send(frame []byte) error {
	return unix.Sendto(pr.fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: pr.port.PeerIfIndex, Halen: 6})
}

// receive gives the numbers of the probes that have arrived.
func (pr *prober) receive() ([]uint32, error) {
	var nonces []uint32
	frame := make([]byte, 256)
	for {
		n, from, err := unix.Recvfrom(pr.fd, frame, 0)
		if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
			return nonces, nil
		}
		if err != nil {
			return nonces, fmt.Errorf("receive probes at port %d: %w", pr.port.Index, err)
		}
		if ll, ok := from.(*unix.SockaddrLinklayer); ok && ll.Pkttype == unix.PACKET_OUTGOING || n < 4 {
			continue
		}
		nonces = append(nonces, binary.BigEndian.Uint32(frame[n-4:]))
	}
}

func (pr *prober) close() error {
	if pr.fd < 0 {
		return nil
	}
	fd := pr.fd
	pr.fd = -1
	return unix.Close(fd)
}

// probeFrame is a frame that meets the match, ending in the probe's number.
func probeFrame(mac net.HardwareAddr, src, dst netip.Addr, m Match, nonce uint32) []byte {
	payload := binary.BigEndian.AppendUint32(nil, nonce)
	proto, l4 := m.Proto, []byte(nil)
	if proto == Any {
		proto = UDP
		if m.NewConns || m.Existing {
			proto = TCP
		}
	}
	sport, dport := m.SrcPort, m.DstPort
	if sport == 0 {
		sport = 9 // discard
	}
	if dport == 0 {
		dport = 9
	}
	number := uint8(proto)
	switch proto {
	case TCP:
		l4 = make([]byte, 20)
		l4[12] = 5 << 4
		l4[13] = 0x10 // ACK
		if m.NewConns {
			l4[13] = 0x02 // SYN
		}
	case UDP:
		l4 = make([]byte, 8)
		binary.BigEndian.PutUint16(l4[4:], uint16(8+len(payload)))
	default:
		l4 = []byte{8, 0, 0, 0, 0, 0, 0, 0} // echo request
		if dst.Is6() {
			l4[0], number = 128, unix.IPPROTO_ICMPV6
		}
	}
	if proto == TCP || proto == UDP {
		binary.BigEndian.PutUint16(l4, sport)
		binary.BigEndian.PutUint16(l4[2:], dport)
	}
	frame := append(append([]byte{}, mac...), mac...)
	if dst.Is4() {
		frame = append(frame, 0x08, 0x00)
		frame = append(frame, header4(src, dst, number, len(l4)+len(payload))...)
	} else {
		frame = append(frame, 0x86, 0xdd)
		frame = append(frame, header6(src, dst, number, len(l4)+len(payload))...)
	}
	return append(append(frame, l4...), payload...)
}

func header4(src, dst netip.Addr, proto uint8, payload int) []byte {
	h := make([]byte, 20)
	h[0], h[8], h[9] = 0x45, 64, proto
	binary.BigEndian.PutUint16(h[2:], uint16(len(h)+payload))
	copy(h[12:], src.AsSlice())
	copy(h[16:], dst.AsSlice())
	binary.BigEndian.PutUint16(h[10:], checksum(h, 0))
	return h
}

func header6(src, dst netip.Addr, proto uint8, payload int) []byte {
	h := make([]byte, 40)
	h[0], h[6], h[7] = 6<<4, proto, 64
	binary.BigEndian.PutUint16(h[4:], uint16(payload))
	copy(h[8:], src.AsSlice())
	copy(h[24:], dst.AsSlice())
	return h
}

// checksum is the Internet checksum (RFC 1071) of data, after sum.
func checksum(data []byte, sum uint32) uint16 {
	for ; len(data) > 1; data = data[2:] {
		sum += uint32(binary.BigEndian.Uint16(data))
	}
	if len(data) == 1 {
		sum += uint32(data[0]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

func bigEndian16(v uint16) uint16 { return v<<8 | v>>8 }
