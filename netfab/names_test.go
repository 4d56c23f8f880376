package netfab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// resolverOf is Go's own resolver on a node, asking our name server over the
// given transport.
func resolverOf(n *Node, network string) *net.Resolver {
	server := strings.Fields(n.ResolvConf())[1]
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, proto, _ string) (net.Conn, error) {
		if network != "udp" {
			proto = network
		}
		return n.DialContext(ctx, proto, net.JoinHostPort(server, "53"))
	}}
}

// TestNamesFromInside asks with Go's resolver over UDP and TCP, from nodes and
// from the clients.
func TestNamesFromInside(t *testing.T) {
	n := newNetwork(t, "node1", "node2", "Node_3.a-b")
	if err := n.Alias("mydomain.com", "node1"); err != nil {
		t.Fatal(err)
	}
	if err := n.Alias("both", "node1"); err != nil {
		t.Fatal(err)
	}
	if err := n.Alias("both", "node2", "node1"); err != nil {
		t.Fatal(err)
	}
	for _, from := range []*Node{node(t, n, "node1"), n.Clients()} {
		for _, network := range []string{"udp", "tcp"} {
			r := resolverOf(from, network)
			for name, want := range map[string]string{
				"node2":        "[10.77.1.2 fd00:77::1:2]",
				"NODE2":        "[10.77.1.2 fd00:77::1:2]",
				"node2.":       "[10.77.1.2 fd00:77::1:2]",
				"node_3.a-b":   "[10.77.1.3 fd00:77::1:3]",
				"mydomain.com": "[10.77.1.1 fd00:77::1:1]",
				"both":         "[10.77.1.1 10.77.1.2 fd00:77::1:1 fd00:77::1:2]",
				"clients":      "[10.77.0.10 fd00:77::10]",
			} {
				addrs, err := r.LookupNetIP(t.Context(), "ip", name)
				if err != nil || fmt.Sprint(sorted(addrs)) != want {
					t.Errorf("%s from %s: expected %s, got %v, %v", name, from.Name, want, addrs, err)
				}
			}
			for addr, want := range map[string]string{"10.77.1.2": "[node2.]", "fd00:77::1:2": "[node2.]"} {
				if names, err := r.LookupAddr(t.Context(), addr); err != nil || fmt.Sprint(names) != want {
					t.Errorf("%s: expected %s, got %v, %v", addr, want, names, err)
				}
			}
			_, err := r.LookupNetIP(t.Context(), "ip", "node9")
			if e := (*net.DNSError)(nil); !errors.As(err, &e) || !e.IsNotFound {
				t.Errorf("node9: expected not found, got %v", err)
			}
		}
	}
	if err := n.RemoveNode(t.Context(), "node1"); err != nil {
		t.Fatal(err)
	}
	if addrs, ok := n.Lookup("mydomain.com"); ok {
		t.Errorf("the alias of a removed node stands for %v", addrs)
	}
	if addrs, _ := n.Lookup("both"); fmt.Sprint(addrs) != "[10.77.1.2 fd00:77::1:2]" {
		t.Errorf("the alias of a removed node and another stands for %v", addrs)
	}
	for _, bad := range [][]string{{"node2", "node2"}, {"x", "node9"}, {"a b", "node2"}, {"y"}, {"localhost", "node2"}} {
		if err := n.Alias(bad[0], bad[1:]...); err == nil {
			t.Errorf("alias %v was accepted", bad)
		}
	}
	if _, err := n.AddNodes(t.Context(), "both"); err == nil {
		t.Error("a node took an alias for its name")
	}
}

func sorted(addrs []netip.Addr) []netip.Addr {
	four, six := byFamily(addrs)
	return append(sortAddrs(four), sortAddrs(six)...)
}

// TestNoData asks for a type that a name does not have: no error, no answer.
func TestNoData(t *testing.T) {
	n := newNetwork(t, "node1")
	c, err := node(t, n, "node1").DialContext(t.Context(), "udp6", net.JoinHostPort(n.Services().IP6.String(), "53"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	answer, _, err := new(dns.Client).ExchangeWithConn(new(dns.Msg).SetQuestion("node1.", dns.TypeMX), &dns.Conn{Conn: c})
	if err != nil || answer.Rcode != dns.RcodeSuccess || len(answer.Answer) != 0 {
		t.Errorf("MX of node1: %v, %v", answer, err)
	}
}

// TestNamesByC asks with the C library's resolver, in a mount namespace that
// has the node's own files.
func TestNamesByC(t *testing.T) {
	n := newNetwork(t, "node1", "node2")
	one := node(t, n, "node1")
	dir := t.TempDir()
	for name, text := range map[string]string{"resolv.conf": one.ResolvConf(), "hosts": one.Hosts(), "nsswitch.conf": "hosts: files dns\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	getent := func(args string) (string, error) {
		return run(t, one, "unshare", "--mount", "sh", "-c",
			"for f in resolv.conf hosts nsswitch.conf; do mount --bind "+dir+"/$f $(readlink -f /etc/$f) || exit 9; done; exec getent "+args)
	}
	for args, want := range map[string]string{
		"ahostsv4 node2":   "10.77.1.2",
		"ahostsv6 node2":   "fd00:77::1:2",
		"ahosts node2":     "fd00:77::1:2", // glibc goes by RFC 3484, which knows no private IPv6
		"hosts 10.77.1.2":  "10.77.1.2       node2",
		"ahostsv4 node1":   "10.77.1.1",
		"ahosts localhost": "::1",
	} {
		out, err := getent(args)
		if err != nil || !strings.HasPrefix(out, want) {
			t.Errorf("getent %s: expected %s first, got %q, %v", args, want, out, err)
		}
	}
	if out, err := getent("ahosts node9"); err == nil {
		t.Errorf("getent ahosts node9: got %q", out)
	}
	h := one.FailNames(NamesServFail)
	if out, err := getent("ahosts node2"); err == nil {
		t.Errorf("getent ahosts node2, names failing: got %q", out)
	}
	if out, err := getent("ahosts node1"); err != nil {
		t.Errorf("getent ahosts node1, its own name, names failing: got %q, %v", out, err)
	}
	if h.Touched() == 0 {
		t.Error("the harm counts no question")
	}
	if err := h.Heal(); err != nil {
		t.Fatal(err)
	}
}

// TestNameHarm lets one node's questions fail, time out and be slow, over the
// wire and in dialling, and leaves the others' alone.
func TestNameHarm(t *testing.T) {
	n := newNetwork(t, "node1", "node2")
	one, two := node(t, n, "node1"), node(t, n, "node2")
	echo(t, two, "7")
	ask := func(from *Node) error {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		_, err := resolverOf(from, "udp").LookupNetIP(ctx, "ip4", "node2")
		return err
	}
	dial := func(from *Node) error {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		c, err := from.DialContext(ctx, "tcp", "node2:7")
		if err == nil {
			err = c.Close()
		}
		return err
	}
	for _, how := range []struct {
		name string
		harm func() *NameHarm
		is   func(*net.DNSError) bool
	}{
		{"servfail", func() *NameHarm { return one.FailNames(NamesServFail) }, func(e *net.DNSError) bool { return e.IsTemporary && !e.IsTimeout }},
		{"time-out", func() *NameHarm { return one.FailNames(NamesTimeOut) }, func(e *net.DNSError) bool { return e.IsTimeout }},
		{"slow", func() *NameHarm { return one.SlowNames(time.Second) }, func(e *net.DNSError) bool { return e.IsTimeout }},
	} {
		t.Run(how.name, func(t *testing.T) {
			h := how.harm()
			for what, try := range map[string]func(*Node) error{"ask": ask, "dial": dial} {
				before := h.Touched()
				err := try(one)
				if e := (*net.DNSError)(nil); !errors.As(err, &e) || !how.is(e) {
					t.Errorf("%s: got %v", what, err)
				}
				if h.Touched() == before {
					t.Errorf("%s: not counted", what)
				}
				touched := h.Touched()
				if err := try(two); err != nil {
					t.Errorf("%s from node2: %v", what, err)
				}
				if err := try(n.Clients()); err != nil {
					t.Errorf("%s from the clients: %v", what, err)
				}
				if h.Touched() > touched+1 { // a late retry of node1's is possible
					t.Errorf("%s: others' questions were counted", what)
				}
			}
			if first, last := h.Window(); first == 0 || last < first {
				t.Errorf("window from %d to %d", first, last)
			}
			for range 2 {
				if err := h.Heal(); err != nil {
					t.Fatal(err)
				}
			}
			if err := errors.Join(ask(one), dial(one)); err != nil {
				t.Errorf("after healing: %v", err)
			}
		})
	}
	t.Run("slow by 100ms", func(t *testing.T) {
		h := one.SlowNames(100 * time.Millisecond)
		start := time.Now()
		if err := ask(one); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took < 100*time.Millisecond || took > 250*time.Millisecond {
			t.Errorf("took %v", took)
		}
		if err := h.Heal(); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("healed while waiting", func(t *testing.T) {
		h := one.SlowNames(time.Hour)
		done := make(chan error, 1)
		go func() { done <- ask(one) }()
		waitFor(t, time.Second, "the question", func() bool { return h.Touched() > 0 })
		if err := errors.Join(h.Heal(), <-done); err != nil {
			t.Error(err)
		}
	})
}

func sortAddrs(addrs []netip.Addr) []netip.Addr {
	slices.SortFunc(addrs, netip.Addr.Compare)
	return addrs
}
