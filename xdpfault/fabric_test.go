package xdpfault

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// testNS is an anonymous network namespace, held by its descriptor.
type testNS struct{ fd int }

func newTestNS() (*testNS, error) {
	type result struct {
		fd  int
		err error
	}
	made := make(chan result)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			made <- result{-1, err}
			return
		}
		fd, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		made <- result{fd, err}
	}()
	r := <-made
	return &testNS{r.fd}, r.err
}

var homeNS = func() int {
	fd, err := unix.Open("/proc/self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		panic(err)
	}
	return fd
}()

func (n *testNS) Do(f func() error) error {
	runtime.LockOSThread()
	if err := unix.Setns(n.fd, unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		return err
	}
	err := f()
	if home := unix.Setns(homeNS, unix.CLONE_NEWNET); home != nil {
		return errors.Join(err, home) // the thread stays locked
	}
	runtime.UnlockOSThread()
	return err
}

func (n *testNS) close() { _ = unix.Close(n.fd) }

// fabric is a small switch: namespaces, veths, and an engine.
type fabric struct {
	t      testing.TB
	sw     *testNS
	engine *Engine
	nodes  map[int]*testNode
}

type testNode struct {
	ns   *testNS
	port Port
	ip   netip.Addr
	ip6  netip.Addr
}

const firstIfIndex = 100 // of the host-side ends: port index + this

func requireRoot(t testing.TB) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
}

// newFabric makes ports 0 to n-1 and attaches them.
func newFabric(t testing.TB, hook Hook, n int) *fabric {
	t.Helper()
	f := newBareFabric(t, n)
	engine, err := New(f.sw, Config{Seed: 42, Hook: hook})
	if err != nil {
		t.Fatal(err)
	}
	f.engine = engine
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	for i := range n {
		if err := engine.Attach(f.nodes[i].port); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// newBareFabric makes the namespaces and links alone.
func newBareFabric(t testing.TB, n int) *fabric {
	t.Helper()
	requireRoot(t)
	sw, err := newTestNS()
	if err != nil {
		t.Fatal(err)
	}
	f := &fabric{t: t, sw: sw, nodes: map[int]*testNode{}}
	t.Cleanup(func() {
		for _, node := range f.nodes {
			node.ns.close()
		}
		sw.close()
	})
	for i := range n {
		f.add(i)
	}
	return f
}

func testAddr(i int) (netip.Addr, netip.Addr) {
	b4, b6 := [4]byte{10, 77}, netip.MustParseAddr("fd00:77::").As16()
	binary.BigEndian.PutUint16(b4[2:], uint16(i+10))
	binary.BigEndian.PutUint16(b6[14:], uint16(i+10))
	return netip.AddrFrom4(b4), netip.AddrFrom16(b6)
}

func (f *fabric) add(i int) *testNode {
	f.t.Helper()
	ns, err := newTestNS()
	if err != nil {
		f.t.Fatal(err)
	}
	node := &testNode{ns: ns}
	node.ip, node.ip6 = testAddr(i)
	f.nodes[i] = node
	host := net.HardwareAddr{2, 0xb0, 0, 0, byte(i >> 8), byte(i)}
	peer := net.HardwareAddr{2, 0xb1, 0, 0, byte(i >> 8), byte(i)}
	node.port = Port{
		Index: i, IfIndex: firstIfIndex + i, IfName: fmt.Sprintf("n%d", i), MAC: host,
		Peer: ns, PeerIfIndex: 2, PeerIfName: "eth0", PeerMAC: peer,
		Addrs: []netip.Addr{node.ip, node.ip6},
	}
	err = f.sw.Do(func() error {
		attrs := netlink.NewLinkAttrs()
		attrs.Name, attrs.Index, attrs.HardwareAddr = node.port.IfName, node.port.IfIndex, host
		attrs.NumTxQueues, attrs.NumRxQueues = 1, 1
		veth := &netlink.Veth{
			LinkAttrs: attrs, PeerName: "eth0", PeerHardwareAddr: peer, PeerNamespace: netlink.NsFd(ns.fd),
			PeerNumTxQueues: 1, PeerNumRxQueues: 1,
		}
		if err := netlink.LinkAdd(veth); err != nil {
			return fmt.Errorf("veth: %w", err)
		}
		return netlink.LinkSetUp(veth)
	})
	if err == nil {
		err = ns.Do(func() error { return node.configure(host) })
	}
	if err != nil {
		f.t.Fatal(err)
	}
	return node
}

func (n *testNode) configure(gateway net.HardwareAddr) error {
	eth0, err := netlink.LinkByName("eth0")
	if err != nil {
		return err
	}
	n.port.PeerIfIndex = eth0.Attrs().Index
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	if err := errors.Join(netlink.LinkSetUp(lo), netlink.LinkSetUp(eth0)); err != nil {
		return err
	}
	for _, c := range []struct {
		addr, gw netip.Addr
		bits     int
	}{{n.ip, netip.MustParseAddr("10.77.0.1"), 32}, {n.ip6, netip.MustParseAddr("fe80::1"), 128}} {
		addr := &netlink.Addr{IPNet: &net.IPNet{IP: c.addr.AsSlice(), Mask: net.CIDRMask(c.bits, c.bits)}, Flags: unix.IFA_F_NODAD}
		if err := netlink.AddrAdd(eth0, addr); err != nil {
			return fmt.Errorf("address %s: %w", c.addr, err)
		}
		neigh := &netlink.Neigh{LinkIndex: eth0.Attrs().Index, IP: c.gw.AsSlice(), HardwareAddr: gateway, State: netlink.NUD_PERMANENT}
		if err := netlink.NeighAdd(neigh); err != nil {
			return fmt.Errorf("neighbour %s: %w", c.gw, err)
		}
		all := &net.IPNet{IP: make(net.IP, len(c.addr.AsSlice())), Mask: net.CIDRMask(0, c.bits)}
		route := &netlink.Route{LinkIndex: eth0.Attrs().Index, Dst: all, Gw: c.gw.AsSlice(), Flags: int(netlink.FLAG_ONLINK)}
		if err := netlink.RouteAdd(route); err != nil {
			return fmt.Errorf("route via %s: %w", c.gw, err)
		}
	}
	return nil
}

// listenUDP opens a socket inside the node.
func (n *testNode) listenUDP(t testing.TB, addr netip.Addr, port int) *net.UDPConn {
	t.Helper()
	var conn *net.UDPConn
	err := n.ns.Do(func() (err error) {
		conn, err = net.ListenUDP("udp", &net.UDPAddr{IP: addr.AsSlice(), Port: port})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	cerr := raw.Control(func(fd uintptr) { // beyond net.core.rmem_max, which is small on a stock system
		err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 8<<20)
	})
	if err := errors.Join(err, cerr); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// listenTCP opens a listener inside the node.
func (n *testNode) listenTCP(t testing.TB, addr netip.Addr, port int) net.Listener {
	t.Helper()
	var l net.Listener
	err := n.ns.Do(func() (err error) {
		l, err = net.Listen("tcp", netip.AddrPortFrom(addr, uint16(port)).String())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// dialTCP connects from inside the node.
func (n *testNode) dialTCP(to net.Addr, d net.Dialer) (net.Conn, error) {
	var c net.Conn
	err := n.ns.Do(func() (err error) {
		c, err = d.Dial("tcp", to.String())
		return err
	})
	return c, err
}

// sink counts what a socket gets.
type sink struct {
	conn *net.UDPConn
	mu   sync.Mutex
	n    int
	last []byte
	got  chan struct{}
}

func newSink(conn *net.UDPConn) *sink {
	s := &sink{conn: conn, got: make(chan struct{}, 1)}
	go func() {
		buf := make([]byte, 65536)
		for {
			n, _, err := conn.ReadFromUDP(buf)
			if err != nil {
				return
			}
			s.mu.Lock()
			s.n++
			s.last = append(s.last[:0], buf[:n]...)
			s.mu.Unlock()
			select {
			case s.got <- struct{}{}:
			default:
			}
		}
	}()
	return s
}

func (s *sink) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n
}
