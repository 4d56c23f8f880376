package netfab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestDialErrors demands the errors that package net gives.
func TestDialErrors(t *testing.T) {
	n := newNetwork(t, "node1", "node2")
	one := node(t, n, "node1")
	_, err := one.DialContext(t.Context(), "tcp", "node2:1")
	if op := (*net.OpError)(nil); !errors.Is(err, unix.ECONNREFUSED) || !errors.As(err, &op) || op.Addr.String() != "10.77.1.2:1" {
		t.Errorf("nobody listens: got %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = one.DialContext(ctx, "tcp", "192.0.2.1:1")
	if e := net.Error(nil); !errors.As(err, &e) || !e.Timeout() {
		t.Errorf("silence: got %v", err)
	}
	if _, err = one.DialContext(ctx, "tcp", "node2:1"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("too late: got %v", err)
	}
	for network, addr := range map[string]string{"unix": "/x", "tcp": "node2", "tcp4": "[fd00:77::1:2]:1", "udp": "node2:nosuchservice"} {
		if _, err := one.DialContext(t.Context(), network, addr); err == nil {
			t.Errorf("%s %s: was dialled", network, addr)
		}
	}
}

// TestFallback listens on IPv6 alone and is reached by name: at once when
// IPv4 refuses, soon when it is silent.
func TestFallback(t *testing.T) {
	n := newNetwork(t, "node1", "node2")
	one, two := node(t, n, "node1"), node(t, n, "node2")
	l, err := two.Listen(t.Context(), "tcp6", "node2:7")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	dial := func() time.Duration {
		start := time.Now()
		c, err := one.DialContext(t.Context(), "tcp", "node2:7")
		if err != nil {
			t.Fatal(err)
		}
		if got := c.RemoteAddr().String(); got != "[fd00:77::1:2]:7" {
			t.Errorf("reached %s", got)
		}
		_ = c.Close()
		return time.Since(start)
	}
	if took := dial(); took > fallbackDelay/2 {
		t.Errorf("IPv4 refuses: took %v", took)
	}
	if out, err := run(t, one, "ip", "route", "add", "blackhole", "10.77.1.2/32"); err != nil {
		t.Fatal(err, out)
	}
	if took := dial(); took > fallbackDelay { // a blackhole route fails at once
		t.Errorf("IPv4 has no route: took %v", took)
	}
	if out, err := run(t, one, "ip", "route", "replace", "10.77.1.2/32", "via", "10.77.0.99", "dev", "eth0", "onlink"); err != nil {
		t.Fatal(err, out)
	}
	if took := dial(); took < fallbackDelay || took > 3*fallbackDelay {
		t.Errorf("IPv4 is silent: took %v", took)
	}
}

// TestManyDials waits in a thousand dials at once without a thread for each.
func TestManyDials(t *testing.T) {
	n := newNetwork(t, "node1")
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	var wg sync.WaitGroup
	var timeouts atomic.Int32
	for range 1000 {
		wg.Go(func() {
			if _, err := node(t, n, "node1").DialContext(ctx, "tcp4", "192.0.2.1:80"); errors.Is(err, context.DeadlineExceeded) {
				timeouts.Add(1)
			}
		})
	}
	wg.Wait()
	if timeouts.Load() != 1000 {
		t.Errorf("%d of 1,000 dials timed out", timeouts.Load())
	}
	if out := threads(t); out > 200 {
		t.Errorf("%d threads", out)
	}
}

func threads(t *testing.T) int {
	t.Helper()
	return look().threads
}

// TestHTTP serves HTTP on a node and asks from the clients: by name, a new
// connection each time, or one for all.
func TestHTTP(t *testing.T) {
	n := newNetwork(t, "node1", "node2")
	l, err := node(t, n, "node2").Listen(t.Context(), "tcp", ":8080")
	if err != nil {
		t.Fatal(err)
	}
	var conns atomic.Int32
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "hello %s from %s", strings.Split(r.RemoteAddr, ":")[0], r.Host)
	}))
	_ = srv.Listener.Close()
	srv.Listener = l
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	for name, client := range map[string]struct {
		opts []HTTPOption
		want int32
	}{"new": {nil, 3}, "kept": {[]HTTPOption{KeepAlive()}, 1}} {
		conns.Store(0)
		c := n.Clients().HTTP(client.opts...)
		for range 3 {
			r, err := c.R().SetContext(t.Context()).Get("http://node2:8080/")
			if err != nil || r.String() != "hello 10.77.0.10 from node2:8080" {
				t.Fatalf("%s: got %v, %v", name, r, err)
			}
		}
		if conns.Load() != client.want {
			t.Errorf("%s: %d connections, expected %d", name, conns.Load(), client.want)
		}
		c.GetClient().CloseIdleConnections()
	}
}

// TestForward reaches a node's own loopback from the host's, both directions
// ending by themselves, and a closed forward leaves nothing.
func TestForward(t *testing.T) {
	n := newNetwork(t, "node1", "node2")
	echo(t, node(t, n, "node2"), "7")
	for _, to := range []string{"node2:7", "localhost:7"} {
		f, err := node(t, n, "node2").Forward(t.Context(), to)
		if err != nil {
			t.Fatal(err)
		}
		c, err := net.Dial("tcp", f.Addr)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte("through")); err != nil {
			t.Fatal(err)
		}
		if err := c.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(c); err != nil || string(got) != "through" {
			t.Errorf("%s: got %q, %v", to, got, err)
		}
		open, err := net.Dial("tcp", f.Addr)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if err := open.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := open.Read(make([]byte, 1)); err == nil || errors.Is(err, unix.EAGAIN) {
			t.Errorf("%s: a connection outlived its forward: %v", to, err)
		}
		if _, err := net.Dial("tcp", f.Addr); err == nil {
			t.Errorf("%s: a closed forward listens", to)
		}
		_, _ = c.Close(), open.Close()
	}
	if _, err := node(t, n, "node1").Forward(t.Context(), "node2"); err == nil {
		t.Error("a forward without a port was made")
	}
}

// TestCloseEndsSockets closes a network over open connections, listeners and
// forwards, and uses it afterwards.
func TestCloseEndsSockets(t *testing.T) {
	n := newNetwork(t, "node1", "node2")
	one, two := node(t, n, "node1"), node(t, n, "node2")
	echo(t, two, "7")
	c, err := one.DialContext(t.Context(), "tcp", "node2:7")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := one.Forward(t.Context(), "node2:7"); err != nil {
		t.Fatal(err)
	}
	if left := n.Leftovers(); len(left) < 4 {
		t.Errorf("an open network lists %q", left)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	if left := n.Leftovers(); len(left) > 0 {
		t.Errorf("a closed network lists %q", left)
	}
	if _, err := c.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("write to a connection of a closed network: %v", err)
	}
	_, err1 := one.DialContext(t.Context(), "tcp", "node2:7")
	_, err2 := one.Listen(t.Context(), "tcp", ":1")
	_, err3 := n.AddNodes(t.Context(), "node3")
	for _, err := range []error{err1, err2, err3, n.AllowInternet(t.Context())} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("expected %v, got %v", ErrClosed, err)
		}
	}
}

// TestCloseWaitsForSockets closes networks while connections are dialled,
// accepted and closed by their owners: when Close has returned, none of them is
// open in this process.
func TestCloseWaitsForSockets(t *testing.T) {
	for range 20 {
		n := newNetwork(t, "node1", "node2")
		one, two := node(t, n, "node1"), node(t, n, "node2")
		echo(t, two, "7")
		var users sync.WaitGroup
		for range 32 {
			users.Go(func() {
				for {
					c, err := one.DialContext(t.Context(), "tcp", "node2:7")
					if err != nil {
						return // of a closed network, or one that is being closed
					}
					_ = c.Close() // by the network too, perhaps
				}
			})
		}
		time.Sleep(5 * time.Millisecond)
		if err := n.Close(); err != nil {
			t.Error(err)
		}
		look := n.search()
		look.process(fmt.Sprint("/proc/", pid)) // alone: by the time all others are looked at, it is closed anyway
		if len(look.found) > 0 {
			t.Errorf("a closed network lists %q", look.found)
		}
		users.Wait()
	}
}
