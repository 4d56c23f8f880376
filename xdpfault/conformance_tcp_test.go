package xdpfault

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// echo serves a listener and answers every line.
func echo(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			_, _ = io.Copy(c, c)
		}()
	}
}

// ask sends a line and reads it back.
func ask(c net.Conn, within time.Duration) error {
	if err := c.SetDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	if _, err := c.Write([]byte("hello\n")); err != nil {
		return err
	}
	_, err := io.ReadFull(c, make([]byte, 6))
	return err
}

func (f *fabric) connect(a, b, port int, v6 bool) net.Conn {
	f.t.Helper()
	addr := f.nodes[b].ip
	if v6 {
		addr = f.nodes[b].ip6
	}
	l := f.nodes[b].listenTCP(f.t, addr, port)
	go echo(l)
	c, err := f.nodes[a].dialTCP(l.Addr(), net.Dialer{Timeout: 5 * time.Second})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = c.Close() })
	if err := ask(c, 5*time.Second); err != nil {
		f.t.Fatal(err)
	}
	return c
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

func testTCPResumes(t *testing.T, f *fabric) {
	for _, v6 := range []bool{false, true} {
		c := f.connect(2, 3, 5000, v6)
		h := f.drop(both(2, 3)...)
		if err := ask(c, 300*time.Millisecond); !isTimeout(err) {
			t.Errorf("asked through a cut: got %v, want a time-out", err)
		}
		f.heal(h)
		// the first answer is to the question that the cut swallowed
		if err := ask(c, 5*time.Second); err != nil {
			t.Errorf("asked after healing: %v", err)
		}
	}
}

func testPorts(t *testing.T, f *fabric) {
	h := f.apply(Rule{Links: []Link{{2, 3}}, Match: Match{Proto: UDP, DstPort: 4001}, Action: Drop{}})
	for _, v6 := range []bool{false, true} {
		if got := f.burst(2, 3, 4001, 5, v6); got != 0 {
			t.Errorf("port 4001: %d arrived, want none", got)
		}
		if got := f.burst(2, 3, 4002, 5, v6); got != 5 {
			t.Errorf("port 4002: %d of 5 arrived", got)
		}
	}
	if r := h.Receipt(); r.Matched.Packets != 10 {
		t.Errorf("receipt: got %v, want 10 packets", r)
	}
	tcp := f.apply(Rule{Links: []Link{{2, 3}}, Match: Match{Proto: TCP, DstPort: 5001}, Action: Drop{}})
	l := f.nodes[3].listenTCP(t, f.nodes[3].ip, 5001)
	go echo(l)
	if _, err := f.nodes[2].dialTCP(l.Addr(), net.Dialer{Timeout: 200 * time.Millisecond}); !isTimeout(err) {
		t.Errorf("dial a dropped port: got %v, want a time-out", err)
	}
	if err := ask(f.connect(2, 3, 5002, false), time.Second); err != nil {
		t.Errorf("port 5002: %v", err)
	}
	f.heal(h)
	f.heal(tcp)
}

func testNewConns(t *testing.T, f *fabric) {
	old := f.connect(2, 3, 5000, false)
	h := f.apply(Rule{Links: []Link{{2, 3}}, Match: Match{NewConns: true}, Action: Drop{}})
	if err := ask(old, 2*time.Second); err != nil {
		t.Errorf("old connection: %v", err)
	}
	to := old.RemoteAddr()
	if _, err := f.nodes[2].dialTCP(to, net.Dialer{Timeout: 200 * time.Millisecond}); !isTimeout(err) {
		t.Errorf("dial: got %v, want a time-out", err)
	}
	f.connect(3, 2, 5000, true) // the other way is free
	f.reach(2, 3, true)         // UDP has no connections
	f.heal(h)
	c, err := f.nodes[2].dialTCP(to, net.Dialer{Timeout: 5 * time.Second})
	if err != nil {
		t.Fatalf("dial after healing: %v", err)
	}
	_ = c.Close()
}

func testExistingConns(t *testing.T, f *fabric) {
	old := f.connect(2, 3, 5000, false)
	h := f.apply(Rule{Links: both(2, 3), Match: Match{Existing: true}, Action: Drop{}})
	if err := ask(old, 300*time.Millisecond); !isTimeout(err) {
		t.Errorf("old connection: got %v, want a time-out", err)
	}
	young, err := f.nodes[2].dialTCP(old.RemoteAddr(), net.Dialer{Timeout: 2 * time.Second})
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	defer young.Close()
	if err := ask(young, 2*time.Second); err != nil {
		t.Errorf("young connection: %v", err)
	}
	f.heal(h)
	if err := ask(old, 5*time.Second); err != nil {
		t.Errorf("old connection after healing: %v", err)
	}
}
