package xdpfault

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// testSegments: while a share acts on a link, verdicts fall on wire packets,
// also of connections that were open before. The sender's other links, and
// this one before and after, carry segments of many packets.
func testSegments(t *testing.T, f *fabric) {
	before := f.offloads(2)
	if f.engine.Hook() == HookTC && !strings.Contains(before, "true") {
		t.Fatalf("no offload is on: %s", before)
	}
	struck, other := f.connectLive(2, 3), f.connectLive(2, 4)
	long := func(c *liveConn, when string, want bool) {
		want = want && f.engine.Hook() == HookTC // native XDP has single packets everywhere
		if longest := f.longest(c.to, func() { c.send(4 << 20) }); longest < 1514 || want != (longest > 1514) {
			t.Errorf("%s: packets of up to %d bytes reach %d", when, longest, c.to)
		}
	}
	long(struck, "without a fault", true)
	first := f.apply(Rule{Links: []Link{{2, 3}}, Action: Loss{Share: 0.001}})
	long(struck, "with loss", false)
	long(other, "with loss elsewhere", true)
	second := f.apply(Rule{Links: []Link{{2, 3}, {3, All}}, Action: Duplicate{Share: 0.001}})
	f.transfer(2, 3, 4<<20, false)
	f.transfer(2, 3, 4<<20, true)
	for _, h := range []*Handle{first, second} {
		if r := h.Receipt(); r.Matched.Bytes/r.Matched.Packets > 1514 {
			t.Errorf("verdicts fell on more than wire packets: %v", r)
		}
	}
	if got := f.offloads(2); got != before {
		t.Errorf("the sender's offloads: %s, before: %s", got, before)
	}
	f.heal(first)
	long(struck, "with the second of two faults", false)
	f.heal(second)
	long(struck, "after healing", true)
	cut := f.apply(Rule{Links: []Link{{3, 2}}, Action: Loss{Share: 0.001}, Match: Match{Proto: TCP, DstPort: 1}})
	long(struck, "with loss the other way", true)
	f.heal(cut)
}

// offloads tells which segmentation offloads of a node are on.
func (f *fabric) offloads(node int) (on string) {
	f.t.Helper()
	err := f.nodes[node].ns.Do(func() error {
		bits, err := segmentationBits("eth0")
		if err != nil {
			return err
		}
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		active, err := activeFeatures(fd, "eth0")
		for _, bit := range bits {
			on += fmt.Sprint(bit, active.has(bit), " ")
		}
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return on
}

// liveConn is an open connection whose bytes are read and thrown away.
type liveConn struct {
	t    testing.TB
	to   int
	conn net.Conn
	got  atomic.Int64
	sent int64
}

func (f *fabric) connectLive(a, b int) *liveConn {
	f.t.Helper()
	l := f.nodes[b].listenTCP(f.t, f.nodes[b].ip, 0)
	c := &liveConn{t: f.t, to: b}
	go func() {
		in, err := l.Accept()
		if err != nil {
			return
		}
		defer in.Close()
		buf := make([]byte, 1<<16)
		for {
			n, err := in.Read(buf)
			c.got.Add(int64(n))
			if err != nil {
				return
			}
		}
	}()
	var err error
	if c.conn, err = f.nodes[a].dialTCP(l.Addr(), net.Dialer{Timeout: 10 * time.Second}); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = c.conn.Close() })
	return c
}

// send returns when all has arrived.
func (c *liveConn) send(n int) {
	c.t.Helper()
	if _, err := c.conn.Write(make([]byte, n)); err != nil {
		c.t.Fatal(err)
	}
	c.sent += int64(n)
	for end := time.Now().Add(30 * time.Second); c.got.Load() < c.sent; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			c.t.Fatalf("%d of %d bytes arrived within 30 s", c.got.Load(), c.sent)
		}
	}
}

// longest is the length of the longest IPv4 frame that reaches a node during work.
func (f *fabric) longest(node int, work func()) int {
	f.t.Helper()
	fd := -1
	err := f.nodes[node].ns.Do(func() (err error) {
		fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, int(binary.NativeEndian.Uint16([]byte{8, 0})))
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 64<<20); err != nil {
		f.t.Fatal(err)
	}
	work()
	most, buf := 0, make([]byte, 1<<17)
	for {
		n, from, err := unix.Recvfrom(fd, buf, unix.MSG_TRUNC)
		if err != nil {
			return most
		}
		if ll, ok := from.(*unix.SockaddrLinklayer); ok && ll.Pkttype == unix.PACKET_HOST {
			most = max(most, n)
		}
	}
}

// testUDPSegments sends datagrams in one segmented send, with a trailing short
// one, through the delay line, and under loss.
func testUDPSegments(t *testing.T, f *fabric) {
	const size, n = 1400, 30
	want := make([]byte, size*n-100)
	for i := 0; i+8 <= len(want); i += 8 {
		binary.LittleEndian.PutUint64(want[i:], mix64(uint64(i)))
	}
	for _, v6 := range []bool{false, true} {
		for name, rule := range map[string]Rule{
			"plain": {Links: []Link{{4, 3}}, Action: Drop{}},
			"delay": {Links: []Link{{2, 3}}, Action: Delay{By: 2 * time.Millisecond}},
			"loss":  {Links: []Link{{2, 3}}, Action: Loss{Share: 1e-9}},
			"rate":  {Links: []Link{{2, 3}}, Action: Rate{BitsPerSecond: 1e9}},
		} {
			h := f.apply(rule)
			before := f.engine.LinkStats(Link{2, 3}, Match{})
			got := f.sendSegmented(2, 3, want, size, v6)
			if !bytes.Equal(got, want) {
				t.Errorf("%s, IPv6 %v: %d bytes arrived, not the %d sent", name, v6, len(got), len(want))
			}
			if r := h.Receipt(); name != "plain" && r.Matched.Packets != n {
				t.Errorf("%s, IPv6 %v: receipt %v, want %d wire packets", name, v6, r, n)
			}
			after := f.engine.LinkStats(Link{2, 3}, Match{})
			if sent, arrived := after.Sent.Packets-before.Sent.Packets, after.Arrived.Packets-before.Arrived.Packets; sent != n || arrived != n {
				t.Errorf("%s, IPv6 %v: link: %d sent, %d arrived, want %d", name, v6, sent, arrived, n)
			}
			f.heal(h)
		}
	}
	if errs := f.snmp(3, "Udp", "InCsumErrors"); errs != 0 {
		t.Errorf("%d checksum errors", errs)
	}
}

// sendSegmented sends data in one call as datagrams of size, and gives what arrives.
func (f *fabric) sendSegmented(a, b int, data []byte, size int, v6 bool) []byte {
	f.t.Helper()
	src, dst := f.nodes[a].ip, f.nodes[b].ip
	if v6 {
		src, dst = f.nodes[a].ip6, f.nodes[b].ip6
	}
	in, out := f.nodes[b].listenUDP(f.t, dst, 4000), f.nodes[a].listenUDP(f.t, src, 0)
	defer in.Close()
	defer out.Close()
	if err := sendSegments(out, &net.UDPAddr{IP: dst.AsSlice(), Port: 4000}, data, size); err != nil {
		f.t.Fatal(err)
	}
	var got []byte
	buf := make([]byte, 65536)
	for len(got) < len(data) {
		if err := in.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
			f.t.Fatal(err)
		}
		n, _, err := in.ReadFromUDP(buf)
		if err != nil {
			return got
		}
		got = append(got, buf[:n]...)
	}
	return got
}

// sendSegments is one call that sends data as datagrams of size.
func sendSegments(out *net.UDPConn, to *net.UDPAddr, data []byte, size int) error {
	control := make([]byte, unix.CmsgSpace(2))
	h := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
	h.Level, h.Type = unix.SOL_UDP, unix.UDP_SEGMENT
	h.SetLen(unix.CmsgLen(2))
	binary.NativeEndian.PutUint16(control[unix.CmsgLen(0):], uint16(size))
	_, _, err := out.WriteMsgUDP(data, control, to)
	return err
}

// testSameSeed: the same seed and the same packets decide the same.
func testSameSeed(t *testing.T, f *fabric) {
	lost := func(f *fabric) string {
		var b strings.Builder
		f.apply(
			Rule{Links: []Link{{2, 3}}, Action: Loss{Share: 0.2}},
			Rule{Links: []Link{{2, 3}}, Action: Loss{Share: 0.1, Burst: 4}},
		)
		for _, data := range f.stream(2, 3, 500, 64, false, quiet) {
			fmt.Fprintf(&b, "%d ", number(data))
		}
		return b.String()
	}
	first := lost(f)
	if second := lost(newFabric(t, f.engine.Hook(), 5)); first != second {
		t.Errorf("the same seed lost other packets:\n%s\n%s", first, second)
	}
}
