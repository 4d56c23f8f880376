package xdpfault

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestReset(t *testing.T) {
	requireRoot(t)
	for _, hook := range []Hook{HookTC, HookXDP} {
		t.Run(hook.String(), func(t *testing.T) { testReset(t, newFabric(t, hook, 5)) })
	}
}

func testReset(t *testing.T, f *fabric) {
	// idle and busy ones, over both IP versions, with the server at either end
	idle4, idle6, back := f.connect(2, 3, 5000, false), f.connect(2, 3, 5001, true), f.connect(3, 2, 5002, false)
	busy := f.connect(2, 3, 5003, false)
	other := f.connect(2, 4, 5004, false)
	go func() { _, _ = io.Copy(io.Discard, busy) }()
	go func() {
		for {
			if _, err := busy.Write(make([]byte, 8192)); err != nil {
				return
			}
		}
	}()
	begin := time.Now()
	got, err := f.engine.Reset(context.Background(), []Link{{2, 3}}, Match{})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d connections in %s", len(got), time.Since(begin))
	if len(got) != 4 {
		t.Errorf("reset %v, want 4 connections", got)
	}
	for _, c := range []net.Conn{idle4, idle6, back} {
		if err := ask(c, time.Second); !errors.Is(err, unix.ECONNRESET) && !errors.Is(err, unix.EPIPE) {
			t.Errorf("%s: got %v, want a reset", c.RemoteAddr(), err)
		}
	}
	if err := ask(other, 2*time.Second); err != nil {
		t.Errorf("connection to another node: %v", err)
	}
	// new ones may be made
	c, err := f.nodes[2].dialTCP(idle4.RemoteAddr(), net.Dialer{Timeout: 2 * time.Second})
	if err != nil {
		t.Fatalf("dial after the reset: %v", err)
	}
	defer c.Close()
	if err := ask(c, 2*time.Second); err != nil {
		t.Errorf("new connection: %v", err)
	}
	if got, err := f.engine.Reset(context.Background(), []Link{{2, 3}}, Match{DstPort: 9999}); err != nil || len(got) != 0 {
		t.Errorf("reset of an unused port: %v, %v", got, err)
	}
}

func TestParseTCP(t *testing.T) {
	line := "   1: 0A004D0A:1388 0B004D0A:C350 01 00000000:00000000 00:00000000 00000000     0        0 1 1"
	c, ok := parseTCP(line)
	if !ok || c.Local != netip.MustParseAddrPort("10.77.0.10:5000") || c.Remote != netip.MustParseAddrPort("10.77.0.11:50000") {
		t.Errorf("got %v, %v", c, ok)
	}
	if _, ok := parseTCP("  sl  local_address rem_address   st"); ok {
		t.Error("the heading is no connection")
	}
}

func FuzzParseTCP(f *testing.F) {
	f.Add("   1: 0A004D0A:1388 0B004D0A:C350 01 0")
	f.Fuzz(func(_ *testing.T, line string) { parseTCP(line) })
}

func FuzzPacket(f *testing.F) {
	f.Add(probeFrame(make([]byte, 6), netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2"), Match{Proto: TCP}, 1), uint16(7))
	f.Fuzz(func(_ *testing.T, frame []byte, random uint16) {
		p := &packet{buf: append(make([]byte, vnetHeader), frame...), random: random}
		p.corrupt()
	})
}
