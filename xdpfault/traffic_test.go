package xdpfault

import (
	"bytes"
	"encoding/binary"
	"math"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// within demands that hits of n be within 3.5 standard errors of share; with
// the fixed seed the outcome is always the same.
func within(t *testing.T, hits, n int, share float64) {
	t.Helper()
	got := float64(hits) / float64(n)
	sigma := math.Sqrt(share * (1 - share) / float64(n))
	if math.Abs(got-share) > 3.5*sigma {
		t.Errorf("%d of %d (%.4f): %.1f standard errors from %g", hits, n, got, math.Abs(got-share)/sigma, share)
	}
}

func addAddr(name string, addr netip.Addr) error {
	l, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	bits := addr.BitLen()
	return netlink.AddrAdd(l, &netlink.Addr{IPNet: &net.IPNet{IP: addr.AsSlice(), Mask: net.CIDRMask(bits, bits)}, Flags: unix.IFA_F_NODAD})
}

// ping sends an echo request from inside the node and waits for the answer.
func (n *testNode) ping(t *testing.T, to netip.Addr, wait time.Duration) bool {
	t.Helper()
	domain, proto, kind := unix.AF_INET, unix.IPPROTO_ICMP, byte(8)
	var sa unix.Sockaddr = &unix.SockaddrInet4{Addr: n.as4(to)}
	if to.Is6() {
		domain, proto, kind = unix.AF_INET6, unix.IPPROTO_ICMPV6, 128
		sa = &unix.SockaddrInet6{Addr: to.As16()}
	}
	fd := -1
	err := n.ns.Do(func() (err error) {
		fd, err = unix.Socket(domain, unix.SOCK_RAW|unix.SOCK_CLOEXEC, proto)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	msg := []byte{kind, 0, 0, 0, 0x12, 0x34, 0, 1}
	if to.Is4() {
		binary.BigEndian.PutUint16(msg[2:], checksum(msg, 0))
	}
	if err := unix.Sendto(fd, msg, 0, sa); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(wait)
	buf := make([]byte, 1500)
	for {
		left := time.Until(deadline)
		if left <= 0 {
			return false
		}
		tv := unix.NsecToTimeval(left.Nanoseconds())
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv); err != nil {
			t.Fatal(err)
		}
		got, _, err := unix.Recvfrom(fd, buf, 0)
		if err != nil {
			return false
		}
		if at := bytes.Index(buf[:got], []byte{0x12, 0x34, 0, 1}); at >= 4 && (buf[at-4] == 0 || buf[at-4] == 129) {
			return true
		}
	}
}

func (n *testNode) as4(a netip.Addr) (b [4]byte) {
	if a.Is4() {
		b = a.As4()
	}
	return b
}

func testICMP(t *testing.T, f *fabric) {
	for _, to := range []netip.Addr{f.nodes[3].ip, f.nodes[3].ip6} {
		if !f.nodes[2].ping(t, to, 2*time.Second) {
			t.Fatalf("ping %s: no answer", to)
		}
		h := f.apply(Rule{Links: []Link{{2, 3}}, Match: Match{Proto: ICMP}, Action: Drop{}})
		if f.nodes[2].ping(t, to, 100*time.Millisecond) {
			t.Errorf("ping %s: answered although ICMP is dropped", to)
		}
		f.reach(2, 3, true)
		f.heal(h)
	}
}

// testFragments sends datagrams larger than the MTU: a rule on their port
// takes all fragments or none.
func testFragments(t *testing.T, f *fabric) {
	for _, v6 := range []bool{false, true} {
		src, dst := f.nodes[2].ip, f.nodes[3].ip
		if v6 {
			src, dst = f.nodes[2].ip6, f.nodes[3].ip6
		}
		in, out := f.nodes[3].listenUDP(t, dst, 4000), f.nodes[2].listenUDP(t, src, 0)
		s := newSink(in)
		send := func() {
			t.Helper()
			if _, err := out.WriteToUDP(make([]byte, 4000), &net.UDPAddr{IP: dst.AsSlice(), Port: 4000}); err != nil {
				t.Fatal(err)
			}
		}
		h := f.apply(Rule{Links: []Link{{2, 3}}, Match: Match{DstPort: 4001}, Action: Drop{}})
		send()
		if got := s.settle(1, time.Second); got != 1 {
			t.Errorf("another port's rule: %d datagrams, want 1", got)
		}
		f.heal(h)
		h = f.apply(Rule{Links: []Link{{2, 3}}, Match: Match{DstPort: 4000}, Action: Drop{}})
		send()
		if got := s.settle(2, quiet); got != 1 {
			t.Errorf("a rule for the port: %d datagrams, want still 1", got)
		}
		if r := h.Receipt(); r.Dropped.Packets != 3 {
			t.Errorf("receipt: got %v, want 3 fragments dropped", r)
		}
		f.heal(h)
		_, _ = in.Close(), out.Close()
	}
}
