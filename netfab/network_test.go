package netfab

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

func sortedLinks(t *testing.T, ns *Namespace) (names []string) {
	t.Helper()
	err := ns.Do(func() error {
		ifs, err := net.Interfaces()
		for _, i := range ifs {
			names = append(names, i.Name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

// run runs a program of this machine inside a node.
func run(t *testing.T, n *Node, args ...string) (string, error) {
	t.Helper()
	var out []byte
	err := n.NS().Do(func() error {
		var err error
		out, err = exec.CommandContext(t.Context(), args[0], args[1:]...).CombinedOutput()
		return err
	})
	return string(out), err
}

// echo answers TCP and UDP on a node's port with what it gets.
func echo(t *testing.T, n *Node, port string) {
	t.Helper()
	l, err := n.Listen(t.Context(), "tcp", ":"+port)
	if err != nil {
		t.Fatal(err)
	}
	pc, err := n.ListenPacket(t.Context(), "udp", ":"+port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = l.Close(), pc.Close() })
	serveEcho(l, pc)
}

// exchange sends size bytes to an echo and compares what comes back.
func exchange(t *testing.T, from *Node, network, addr string, size int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := from.DialContext(ctx, network, addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	payload := bytes.Repeat([]byte("brine and "), size/10+1)[:size]
	go func() { _, _ = c.Write(payload) }()
	got := make([]byte, size)
	if network[:3] == "udp" {
		_, err = c.Read(got)
	} else {
		_, err = io.ReadFull(c, got)
	}
	if err != nil {
		t.Fatalf("%s %s: read: %v", network, addr, err)
	}
	if sha256.Sum256(got) != sha256.Sum256(payload) {
		t.Fatalf("%s %s: %d bytes came back changed", network, addr, size)
	}
}

// TestTraffic sends TCP and UDP between nodes, clients and services, over IPv4
// and IPv6, small and large, by name and by address.
func TestTraffic(t *testing.T) {
	n := newNetwork(t, "node1", "node2")
	one, two := node(t, n, "node1"), node(t, n, "node2")
	echo(t, two, "7")
	for _, from := range []*Node{one, two, n.Clients(), n.Services()} {
		for _, network := range []string{"tcp", "tcp4", "tcp6", "udp4", "udp6"} {
			exchange(t, from, network, "node2:7", 100)
		}
		exchange(t, from, "tcp4", "node2:7", 4<<20)
		exchange(t, from, "tcp6", "NODE2.:7", 4<<20)
		exchange(t, from, "udp4", net.JoinHostPort(two.IP.String(), "7"), 60_000)
		exchange(t, from, "udp6", net.JoinHostPort(two.IP6.String(), "7"), 1_452)
		exchange(t, from, "udp6", net.JoinHostPort(two.IP6.String(), "7"), 60_000)
	}
	exchange(t, two, "tcp4", "localhost:7", 100)
	exchange(t, two, "tcp6", "localhost:7", 100)
}

// TestConfiguration reads back what the nodes' namespaces were given.
func TestConfiguration(t *testing.T) {
	n := newNetwork(t, "node1")
	one := node(t, n, "node1")
	// Before Linux 6.8 a link is said to be up some time after it is.
	waitFor(t, 5*time.Second, "eth0 up", func() bool {
		out, err := run(t, one, "ip", "link", "show", "eth0")
		return err == nil && !strings.Contains(out, "state UNKNOWN")
	})
	for _, want := range []struct{ cmd, contains string }{
		{"ip -br link show eth0", "02:77:00:00:00:02"},
		{"ip link show eth0", "mtu 1500 qdisc noqueue state UP"},
		{"ip -d link show eth0", "numtxqueues 1 numrxqueues 1"},
		{"ip -d link show eth0", "102: eth0@if102"},
		{"ip -d link show eth0", "addrgenmode none"},
		{"ip link show lo", "LOOPBACK,UP"},
		{"ip addr show eth0", "inet 10.77.1.1/16 scope global noprefixroute eth0"},
		{"ip addr show eth0", "inet6 fd00:77::1:1/64 scope global nodad noprefixroute"},
		{"ip route", "default via 10.77.0.1 dev eth0 onlink"},
		{"ip -6 route", "default via fd00:77::1 dev eth0 metric 1024 onlink"},
		{"ip neigh", "10.77.0.1 dev eth0 lladdr 02:77:ff:ff:ff:fe PERMANENT"},
		{"ip neigh", "fd00:77::1 dev eth0 lladdr 02:77:ff:ff:ff:fe PERMANENT"},
	} {
		out, err := run(t, one, strings.Fields(want.cmd)...)
		if err != nil || !strings.Contains(out, want.contains) {
			t.Errorf("%s: %v: expected %q in\n%s", want.cmd, err, want.contains, out)
		}
	}
	for _, s := range nodeSysctls {
		path := strings.Replace(s.path, "/default/", "/eth0/", 1)
		out, err := run(t, one, "cat", "/proc/sys/net/"+path)
		if err != nil || strings.TrimSpace(out) != s.value {
			t.Errorf("%s: %v: expected %s, got %s", path, err, s.value, out)
		}
	}
	if want := "nameserver 10.77.0.53\n"; one.ResolvConf() != want {
		t.Errorf("resolv.conf: expected %q, got %q", want, one.ResolvConf())
	}
	if want := "10.77.1.1\tnode1\nfd00:77::1:1\tnode1\n"; !strings.HasSuffix(one.Hosts(), want) {
		t.Errorf("hosts: expected %q at the end of %q", want, one.Hosts())
	}
}

// TestNoWayOut dials the host's own addresses and others from a node: nothing answers.
func TestNoWayOut(t *testing.T) {
	n := newNetwork(t, "node1")
	host, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = host.Close() }()
	_, port, _ := net.SplitHostPort(host.Addr().String())
	targets := []string{"10.77.200.1:" + port, "[fd00:77::999]:" + port, "192.0.2.1:80", "[2001:db8::1]:80"}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().IsGlobalUnicast() {
			targets = append(targets, net.JoinHostPort(p.Addr().String(), port))
		}
	}
	for _, to := range targets {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		c, err := node(t, n, "node1").DialContext(ctx, "tcp", to)
		cancel()
		if err == nil {
			_ = c.Close()
			t.Errorf("%s: reached from a node", to)
		} else if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: expected silence, got %v", to, err)
		}
	}
	for _, to := range []string{"127.0.0.1:" + port, "[::1]:" + port} {
		if c, err := node(t, n, "node1").DialContext(t.Context(), "tcp", to); err == nil {
			_ = c.Close()
			t.Errorf("%s: the host's loopback reached from a node", to)
		}
	}
}

// TestTwoNetworks gives two networks the same addresses and finds them apart.
func TestTwoNetworks(t *testing.T) {
	a, b := newNetwork(t, "node1", "node2"), newNetwork(t, "node1", "node2")
	echo(t, node(t, a, "node2"), "7")
	exchange(t, node(t, a, "node1"), "tcp", "node2:7", 1000)
	if c, err := node(t, b, "node1").DialContext(t.Context(), "tcp", "node2:7"); err == nil {
		_ = c.Close()
		t.Fatal("node1 of the second network reached node2 of the first")
	}
	if node(t, a, "node2").IP != node(t, b, "node2").IP {
		t.Fatal("the networks have different addresses, the test proves nothing")
	}
}

// TestRemoveNode takes a node out and puts one of its name back.
func TestRemoveNode(t *testing.T) {
	n := newNetwork(t, "node1", "node2", "node3")
	echo(t, node(t, n, "node1"), "7")
	old := node(t, n, "node2")
	if err := n.RemoveNode(t.Context(), "node2"); err != nil {
		t.Fatal(err)
	}
	if _, ok := n.Lookup("node2"); ok {
		t.Error("node2 still has an address")
	}
	if got := linksOf(t, n.Switch()); got != "brine0 brine1 brine2 brine4 lo" {
		t.Errorf("ports: got %s", got)
	}
	exchange(t, node(t, n, "node3"), "tcp", "node1:7", 100)
	added, err := n.AddNodes(t.Context(), "node2", "node4")
	if err != nil {
		t.Fatal(err)
	}
	if added[0].IP != old.IP || added[0].Index != old.Index || added[1].Index != 5 {
		t.Errorf("expected node2 at %v and node4 at index 5, got %v and %d", old.IP, added[0].IP, added[1].Index)
	}
	exchange(t, added[0], "tcp", "node1:7", 100)
	if err := n.RemoveNode(t.Context(), "node9"); err == nil {
		t.Error("node9 was removed")
	}
}

// TestAddNodesAllOrNone fails in the middle and leaves nothing.
func TestAddNodesAllOrNone(t *testing.T) {
	n := newNetwork(t, "node1")
	before := linksOf(t, n.Switch())
	fail := failingSwitch{n.sw, 4}
	n.sw = fail
	if _, err := n.AddNodes(t.Context(), "node2", "node3", "node4", "node5"); !errors.Is(err, errAttach) {
		t.Fatalf("expected %v, got %v", errAttach, err)
	}
	n.sw = fail.Switch
	if after := linksOf(t, n.Switch()); after != before {
		t.Errorf("ports: before %s, after %s", before, after)
	}
	nodes, err := n.AddNodes(t.Context(), "node2", "node3", "node4", "node5")
	if err != nil || nodes[0].Index != 3 {
		t.Fatalf("adding them again: %v", err)
	}
	for _, bad := range []string{"", "2node", "a b", "clients", "services", "node2"} {
		if _, err := n.AddNodes(t.Context(), bad); err == nil {
			t.Errorf("%q: was taken for a name", bad)
		}
	}
}

var errAttach = errors.New("no more ports")

type failingSwitch struct {
	Switch
	at int
}

func (s failingSwitch) Attach(p Port) error {
	if s.at != 0 && p.Index == s.at {
		return errAttach
	}
	return s.Switch.Attach(p)
}

// TestNewAllOrNone fails in each part of the making of a network, and leaves
// nothing, a switch that was opened meanwhile included.
func TestNewAllOrNone(t *testing.T) {
	needRoot(t)
	ctx, cancel := context.WithCancel(t.Context())
	errSwitch := errors.New("no switch")
	for _, test := range []struct {
		name  string
		nodes []string
		open  func(sw *closedSwitch) error
		want  error
	}{
		{"a name", []string{"node1", "2node"}, nil, nil},
		{"the switch", []string{"node1"}, func(*closedSwitch) error { return errSwitch }, errSwitch},
		{"a port", []string{"node1", "node2", "node3"}, func(sw *closedSwitch) error { sw.at = 3; return nil }, errAttach},
		{"given up", nodeNames(100), func(*closedSwitch) error { cancel(); return nil }, context.Canceled},
	} {
		t.Run(test.name, func(t *testing.T) {
			sw := &closedSwitch{failingSwitch: failingSwitch{Switch: nullSwitch{}}}
			opened := false
			n, err := New(ctx, Config{Name: t.Name(), Nodes: test.nodes, Switch: func(*Namespace) (Switch, error) {
				err := test.open(sw)
				opened = err == nil
				return sw, err
			}})
			if err == nil || n != nil || test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("expected %v, got %v", test.want, err)
			}
			if sw.closed != opened {
				t.Errorf("the switch: opened %v, closed %v", opened, sw.closed)
			}
		})
	}
}

type closedSwitch struct {
	failingSwitch
	closed bool
}

func (s *closedSwitch) Close() error { s.closed = true; return nil }

// TestThousandNodes makes 1,000 nodes and lets the first and the last talk.
func TestThousandNodes(t *testing.T) {
	n := newNetwork(t)
	names := make([]string, 1000)
	for i := range names {
		names[i] = fmt.Sprintf("node%d", i+1)
	}
	start := time.Now()
	nodes, err := n.AddNodes(t.Context(), names...)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("1,000 nodes in %v", time.Since(start).Round(time.Millisecond))
	echo(t, nodes[999], "7")
	exchange(t, nodes[0], "tcp4", "node1000:7", 1<<20)
	exchange(t, nodes[500], "tcp6", "node1000:7", 1<<20)
	start = time.Now()
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("closed in %v", time.Since(start).Round(time.Microsecond))
}
