package xdpfault

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// resetTap hears what a node sends, inside its namespace, and speaks to it
// from the host-side end of its veth, past the switch.
type resetTap struct {
	port    *Port
	in, out int
	acks    map[[2]netip.AddrPort]uint32 // by local and remote end: the last ACK number sent
}

func openResetTap(sw NetNS, p *Port) (*resetTap, error) {
	tap := &resetTap{port: p, in: -1, out: -1, acks: map[[2]netip.AddrPort]uint32{}}
	open := func(fd *int, ifindex int, proto uint16) func() error {
		return func() (err error) {
			*fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
			if err != nil || proto == 0 {
				return err
			}
			return unix.Bind(*fd, &unix.SockaddrLinklayer{Protocol: bigEndian16(proto), Ifindex: ifindex})
		}
	}
	err := errors.Join(p.Peer.Do(open(&tap.in, p.PeerIfIndex, unix.ETH_P_ALL)), sw.Do(open(&tap.out, p.IfIndex, 0)))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("packet socket at port %d (%s): %w", p.Index, p.IfName, err), tap.close())
	}
	return tap, nil
}

func (t *resetTap) close() error {
	var errs []error
	for _, fd := range []int{t.in, t.out} {
		if fd >= 0 {
			errs = append(errs, unix.Close(fd))
		}
	}
	return errors.Join(errs...)
}

// inject lets a frame appear on the node's eth0.
func (t *resetTap) inject(frame []byte) error {
	copy(frame, t.port.PeerMAC)
	copy(frame[6:], t.port.MAC)
	if err := unix.Sendto(t.out, frame, 0, &unix.SockaddrLinklayer{Ifindex: t.port.IfIndex, Halen: 6}); err != nil {
		return fmt.Errorf("send to port %d: %w", t.port.Index, err)
	}
	return nil
}

// listen notes the acknowledgement numbers that the node sends.
func (t *resetTap) listen() error {
	frame := make([]byte, 256)
	for {
		n, from, err := unix.Recvfrom(t.in, frame, 0)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return nil
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return fmt.Errorf("listen at port %d: %w", t.port.Index, err)
		}
		if ll, ok := from.(*unix.SockaddrLinklayer); !ok || ll.Pkttype != unix.PACKET_OUTGOING {
			continue
		}
		at, proto, first := transport(frame[:n])
		if proto != unix.IPPROTO_TCP || !first || n < at+20 || frame[at+13]&0x10 == 0 {
			continue
		}
		src, dst := addresses(frame[:n])
		ends := [2]netip.AddrPort{
			netip.AddrPortFrom(src, binary.BigEndian.Uint16(frame[at:])),
			netip.AddrPortFrom(dst, binary.BigEndian.Uint16(frame[at+2:])),
		}
		t.acks[ends] = binary.BigEndian.Uint32(frame[at+8:])
	}
}

// addresses reads the IP addresses of a frame that transport has understood.
func addresses(frame []byte) (src, dst netip.Addr) {
	if binary.BigEndian.Uint16(frame[12:]) == unix.ETH_P_IP {
		return netip.AddrFrom4([4]byte(frame[26:])), netip.AddrFrom4([4]byte(frame[30:]))
	}
	return netip.AddrFrom16([16]byte(frame[22:])), netip.AddrFrom16([16]byte(frame[38:]))
}

// tcpFrame is a bare TCP segment with a right checksum, after 12 bytes left
// for hardware addresses.
func tcpFrame(src, dst netip.AddrPort, seq uint32, flags byte) []byte {
	seg := make([]byte, 20)
	binary.BigEndian.PutUint16(seg, src.Port())
	binary.BigEndian.PutUint16(seg[2:], dst.Port())
	binary.BigEndian.PutUint32(seg[4:], seq)
	seg[12], seg[13] = 5<<4, flags
	pseudo := append(src.Addr().AsSlice(), dst.Addr().AsSlice()...)
	pseudo = append(pseudo, 0, unix.IPPROTO_TCP, 0, byte(len(seg)))
	binary.BigEndian.PutUint16(seg[16:], checksum(append(pseudo, seg...), 0))
	frame := make([]byte, 12, 74)
	if src.Addr().Is4() {
		frame = append(frame, 0x08, 0x00)
		frame = append(frame, header4(src.Addr(), dst.Addr(), unix.IPPROTO_TCP, len(seg))...)
	} else {
		frame = append(frame, 0x86, 0xdd)
		frame = append(frame, header6(src.Addr(), dst.Addr(), unix.IPPROTO_TCP, len(seg))...)
	}
	return append(frame, seg...)
}

// tcpConnections lists the connections of a port's namespace that are open:
// established, or half closed.
func tcpConnections(p *Port) ([]Connection, error) {
	var conns []Connection
	err := p.Peer.Do(func() error {
		for _, name := range []string{"/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6"} {
			data, err := os.ReadFile(name)
			if err != nil {
				if errors.Is(err, os.ErrNotExist) {
					continue // no IPv6
				}
				return err
			}
			for line := range strings.Lines(string(data)) {
				if c, ok := parseTCP(line); ok {
					conns = append(conns, c)
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("connections of port %d (%s): %w", p.Index, p.IfName, err)
	}
	return conns, nil
}

// parseTCP reads a line of /proc/net/tcp or tcp6: number, local and remote
// end, state (proc(5)).
func parseTCP(line string) (c Connection, ok bool) {
	fields := strings.Fields(line)
	if len(fields) < 4 {
		return c, false
	}
	switch fields[3] {
	case "01", "04", "05", "08", "09": // ESTABLISHED, FIN_WAIT1, FIN_WAIT2, CLOSE_WAIT, LAST_ACK
	default:
		return c, false
	}
	var ok1, ok2 bool
	c.Local, ok1 = parseEnd(fields[1])
	c.Remote, ok2 = parseEnd(fields[2])
	return c, ok1 && ok2
}

// parseEnd reads an address in 32-bit words of the machine's order, and a port.
func parseEnd(s string) (netip.AddrPort, bool) {
	words, port, ok := strings.Cut(s, ":")
	n, err := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil || len(words)%8 != 0 {
		return netip.AddrPort{}, false
	}
	var raw []byte
	for ; words != ""; words = words[8:] {
		w, err := strconv.ParseUint(words[:8], 16, 32)
		if err != nil {
			return netip.AddrPort{}, false
		}
		raw = binary.NativeEndian.AppendUint32(raw, uint32(w))
	}
	addr, ok := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(addr.Unmap(), uint16(n)), ok
}
