package netfab

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sys/unix"
)

// internet is a stand-in for the world beyond: an echo for TCP and UDP and a
// name server on the host's loopback, which the relay reaches under any
// address that a node dials.
type internet struct {
	tcp, udp, dns string // where they listen
	mu            sync.Mutex
	dialled       []string
}

func (i *internet) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	i.mu.Lock()
	i.dialled = append(i.dialled, network+" "+addr)
	i.mu.Unlock()
	switch {
	case strings.HasSuffix(addr, ":53"):
		addr = i.dns
	case strings.HasSuffix(addr, ":81"):
		addr = "127.0.0.1:1" // nobody listens there
	case network == "tcp":
		addr = i.tcp
	default:
		addr = i.udp
	}
	return (&net.Dialer{}).DialContext(ctx, network, addr)
}

func newInternet(t *testing.T) *internet {
	t.Helper()
	i := &internet{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	i.tcp, i.udp = l.Addr().String(), pc.LocalAddr().String()
	t.Cleanup(func() { _, _ = l.Close(), pc.Close() })
	serveEcho(l, pc)
	i.dns = serveZone(t)
	return i
}

// serveZone answers for example.com, big.example.com (too large for UDP) and
// nothing else.
func serveZone(t *testing.T) string {
	t.Helper()
	// Not 127.0.0.1, where a connection of somebody's may have the port.
	pc, err := net.ListenPacket("udp", "127.0.5.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", pc.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		records := map[string]int{"example.com.": 1, "big.example.com.": 500}[q.Question[0].Name]
		if records == 0 {
			m.SetRcode(q, dns.RcodeNameError)
		}
		for k := range records {
			rr := fmt.Sprintf("%s 60 IN A 203.0.113.%d", q.Question[0].Name, k%250+1)
			if q.Question[0].Qtype == dns.TypeAAAA {
				rr = fmt.Sprintf("%s 60 IN AAAA 2001:db8::%x", q.Question[0].Name, k+1)
			}
			record, err := dns.NewRR(rr)
			if err != nil {
				panic(err)
			}
			m.Answer = append(m.Answer, record)
		}
		if _, udp := w.RemoteAddr().(*net.UDPAddr); udp {
			m.Truncate(1232)
		}
		_ = w.WriteMsg(m)
	})
	for _, srv := range []*dns.Server{{PacketConn: pc, Handler: handler}, {Listener: l, Handler: handler}} {
		go func() { _ = srv.ActivateAndServe() }()
		t.Cleanup(func() { _ = srv.Shutdown() })
	}
	return pc.LocalAddr().String()
}

// allow lets the network out to the stand-in.
func allow(t *testing.T, n *Network) *internet {
	t.Helper()
	i := newInternet(t)
	for range 2 { // the second time changes nothing
		if err := n.allowOutside(t.Context(), outside{dial: i.dial, resolvers: []string{"192.0.2.53:53"}}); err != nil {
			t.Fatal(err)
		}
	}
	return i
}

// TestInternetTCP sends megabytes out and back, over IPv4 and IPv6, from a
// node and from the clients, and compares hashes.
func TestInternetTCP(t *testing.T) {
	n := newNetwork(t, "node1", "node2")
	i := allow(t, n)
	for _, from := range []*Node{node(t, n, "node1"), n.Clients()} {
		for _, addr := range []string{"203.0.113.10:80", "[2001:db8::10]:80"} {
			start := time.Now()
			exchange(t, from, "tcp", addr, 8<<20)
			t.Logf("%s to %s: 8 MiB there and back in %v", from.Name, addr, time.Since(start).Round(time.Millisecond))
		}
	}
	i.mu.Lock()
	first := i.dialled[0]
	i.mu.Unlock()
	if want := "tcp 203.0.113.10:80"; first != want {
		t.Errorf("expected the relay to dial %q, got %q", want, first)
	}
	noBadSums(t, n)

	_, err := node(t, n, "node1").DialContext(t.Context(), "tcp", "203.0.113.10:81")
	if !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("a port where nobody listens: expected %v, got %v", unix.ECONNREFUSED, err)
	}
	for _, inside := range []string{"10.77.99.9:80", "[fd00:77::99:9]:80"} { // addresses of ours that nobody has
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		_, err := node(t, n, "node1").DialContext(ctx, "tcp", inside)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: expected silence, got %v", inside, err)
		}
	}
}

// TestInternetUDP sends datagrams of many sizes, fragmented ones, and a train
// that the kernel cuts up (UDP_SEGMENT).
func TestInternetUDP(t *testing.T) {
	n := newNetwork(t, "node1")
	allow(t, n)
	one := node(t, n, "node1")
	for _, addr := range []string{"203.0.113.10:9", "[2001:db8::10]:9"} {
		for _, size := range []int{1, 100, 1451, 1452, 1453, 1472, 1473, 9000, 60_000} {
			exchange(t, one, "udp", addr, size)
		}
		c, err := one.DialContext(t.Context(), "udp", addr)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := c.(*heldUDP).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		const segment, count = 1400, 20
		if cerr := raw.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.IPPROTO_UDP, unix.UDP_SEGMENT, segment)
		}); cerr != nil || err != nil {
			t.Fatal(cerr, err)
		}
		sent := make([]byte, segment*count)
		_, _ = rand.Read(sent)
		if _, err := c.Write(sent); err != nil {
			t.Fatal(err)
		}
		if err := c.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		var got []byte
		for buf := make([]byte, 64<<10); len(got) < len(sent); {
			k, err := c.Read(buf)
			if err != nil {
				t.Fatalf("after %d of %d bytes: %v", len(got), len(sent), err)
			}
			if k != segment {
				t.Fatalf("a datagram of %d bytes, expected %d", k, segment)
			}
			got = append(got, buf[:k]...)
		}
		if sha256.Sum256(got) != sha256.Sum256(sent) {
			t.Error("the train came back changed")
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	noBadSums(t, n)
}

// TestInternetNames resolves outside names in a node, ours as before, and
// fails for what is nowhere.
func TestInternetNames(t *testing.T) {
	n := newNetwork(t, "node1", "node2")
	allow(t, n)
	one := node(t, n, "node1")
	exchange(t, one, "tcp", "example.com:80", 1000)
	exchange(t, one, "tcp6", "example.com:80", 1000)
	for name, want := range map[string]int{"example.com": 2, "big.example.com": 1000, "node2": 2} {
		addrs, err := resolverOf(one, "udp").LookupNetIP(t.Context(), "ip", name)
		if err != nil || len(addrs) != want {
			t.Errorf("%s: expected %d addresses, got %d, %v", name, want, len(addrs), err)
		}
	}
	for _, name := range []string{"nowhere.example.com", "node3"} {
		_, err := resolverOf(one, "udp").LookupNetIP(t.Context(), "ip", name)
		if e := (*net.DNSError)(nil); !errors.As(err, &e) || !e.IsNotFound {
			t.Errorf("%s: expected not found, got %v", name, err)
		}
		_, err = one.Resolve(t.Context(), name)
		if e := (*net.DNSError)(nil); !errors.As(err, &e) || !e.IsNotFound {
			t.Errorf("%s: expected not found, got %v", name, err)
		}
	}
	// A name server of the internet, asked directly, is just UDP.
	m := new(dns.Msg).SetQuestion("example.com.", dns.TypeA)
	c, err := one.DialContext(t.Context(), "udp", "198.51.100.1:53")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if answer, _, err := new(dns.Client).ExchangeWithConn(m, &dns.Conn{Conn: c}); err != nil || len(answer.Answer) != 1 {
		t.Errorf("asking outside: %v %v", answer, err)
	}
}

// TestNoPing demands that nobody answers pings in the internet's name.
func TestNoPing(t *testing.T) {
	n := newNetwork(t, "node1", "node2")
	allow(t, n)
	for addr, answers := range map[string]bool{"10.77.1.2": true, "fd00:77::1:2": true, "203.0.113.10": false, "2001:db8::10": false} {
		if err := ping(t, node(t, n, "node1"), netip.MustParseAddr(addr)); (err == nil) != answers {
			t.Errorf("ping %s: expected an answer: %v, got %v", addr, answers, err)
		}
	}
}

// noBadSums demands that no receiver saw a wrong checksum.
func noBadSums(t *testing.T, n *Network) {
	t.Helper()
	for _, at := range []*Node{node(t, n, "node1"), n.Services(), n.Clients()} {
		out, err := run(t, at, "cat", "/proc/net/snmp", "/proc/net/snmp6")
		if err != nil {
			t.Fatal(err)
		}
		for proto, column := range map[string]string{"Tcp:": "InCsumErrors", "Udp:": "InCsumErrors"} {
			var names []string
			for line := range strings.Lines(out) {
				fields := strings.Fields(line)
				if len(fields) == 0 || fields[0] != proto {
					continue
				}
				if names == nil {
					names = fields
					continue
				}
				for k, name := range names {
					if name == column && fields[k] != "0" {
						t.Errorf("%s: %s %s is %s", at.Name, proto, column, fields[k])
					}
				}
			}
		}
	}
}

var errNoAnswer = errors.New("no answer")

// ping sends one ICMP echo request from a node, as ping does without NET_RAW.
func ping(t *testing.T, from *Node, to netip.Addr) error {
	t.Helper()
	proto, request, reply := unix.IPPROTO_ICMP, byte(8), byte(0)
	if to.Is6() {
		proto, request, reply = unix.IPPROTO_ICMPV6, 128, 129
	}
	return from.NS().Do(func() error {
		fd, err := unix.Socket(family(to), unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, proto)
		if err != nil {
			return err
		}
		defer func() { _ = unix.Close(fd) }()
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 300_000}); err != nil {
			return err
		}
		payload := bytes.Repeat([]byte{'x'}, 56)
		if err := unix.Sendto(fd, append([]byte{request, 0, 0, 0, 0, 0, 0, 1}, payload...), 0, sockaddr(netip.AddrPortFrom(to, 0))); err != nil {
			return err
		}
		buf := make([]byte, 1500)
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if err != nil || n != 64 || buf[0] != reply {
			return errors.Join(errNoAnswer, err)
		}
		return nil
	})
}

func serveEcho(l net.Listener, pc net.PacketConn) {
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
		}
	}()
	go func() {
		buf := make([]byte, 64<<10)
		for {
			k, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = pc.WriteTo(buf[:k], from)
		}
	}()
}
