package xdpfault

import (
	"net"
	"net/netip"
	"testing"
	"time"
)

func testDelay(t *testing.T, f *fabric) {
	for _, by := range []time.Duration{time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond} {
		h := f.apply(Rule{Links: []Link{{2, 3}}, Action: Delay{By: by}})
		n, rounds := int(min(200, time.Second/by)), 0
		var got []time.Duration
		for late := true; late && rounds < 3; rounds++ { // a busy machine makes it later
			got = f.arrivals(2, 3, n, 0)
			late = got[n/2]-by > 2*time.Millisecond
		}
		if got[0] < by {
			t.Errorf("%s: one datagram took only %s", by, got[0])
		}
		if late := got[n/2] - by; late > 2*time.Millisecond {
			t.Errorf("%s: the median is %s late", by, late)
		}
		t.Logf("%s: median +%s, p99 +%s", by, got[n/2]-by, got[n*99/100]-by)
		if back := f.oneWay(3, 2, 5); back[2] > by && by > time.Millisecond {
			t.Errorf("%s: the way back took %s", by, back[2])
		}
		if r := h.Receipt(); r.Delayed.Packets != uint64(n*rounds) || r.Matched != r.Delayed {
			t.Errorf("%s: receipt %v, want %d delayed", by, r, n*rounds)
		}
		f.heal(h)
		if again := f.oneWay(2, 3, 5); again[2] > by && by > time.Millisecond {
			t.Errorf("%s: after healing it took %s", by, again[2])
		}
	}
}

// testDelayTCP sends large segments of random bytes over both IP versions.
func testDelayTCP(t *testing.T, f *fabric) {
	for _, v6 := range []bool{false, true} {
		h := f.apply(Rule{Links: both(2, 3), Action: Delay{By: 5 * time.Millisecond}})
		begin := time.Now()
		f.transfer(2, 3, 8<<20, v6)
		t.Logf("8 MiB in %s (IPv6 %v)", time.Since(begin), v6)
		if r := h.Receipt(); r.Delayed.Bytes < 8<<20 {
			t.Errorf("receipt: %v, want at least 8 MiB delayed", r)
		}
		f.heal(h)
		if s := f.snmp(3, "Udp", "InCsumErrors") + f.snmp(3, "Tcp", "InCsumErrors"); s != 0 {
			t.Errorf("%d checksum errors", s)
		}
	}
}

func testJitter(t *testing.T, f *fabric) {
	const by, jitter = 20 * time.Millisecond, 15 * time.Millisecond
	h := f.apply(Rule{Links: []Link{{2, 3}}, Action: Delay{By: by, Jitter: jitter}})
	got := f.oneWay(2, 3, 30)
	if got[0] < by-jitter || got[25]-got[4] < jitter/2 {
		t.Errorf("from %s to %s: want them spread over %s ± %s", got[0], got[29], by, jitter)
	}
	if n := inversions(f.stream(2, 3, 500, 64, false, 2*quiet)); n != 0 {
		t.Errorf("jitter reordered %d packets", n)
	}
	f.heal(h)
}

// testDelayEnds heals a long delay: what waited goes at once, in order.
func testDelayEnds(t *testing.T, f *fabric) {
	h := f.apply(Rule{Links: []Link{{2, 3}}, Action: Delay{By: time.Minute}})
	s := newSink(f.nodes[3].listenUDP(t, f.nodes[3].ip, 4000))
	out := f.nodes[2].listenUDP(t, f.nodes[2].ip, 0)
	for i := range 10 {
		if _, err := out.WriteToUDP(numbered(i, 16), &net.UDPAddr{IP: f.nodes[3].ip.AsSlice(), Port: 4000}); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.settle(1, quiet); got != 0 {
		t.Errorf("%d arrived before their time", got)
	}
	f.heal(h)
	if got := s.settle(10, time.Second); got != 10 {
		t.Errorf("%d of 10 arrived after healing", got)
	}
}

func testCutWhileDelayed(t *testing.T, f *fabric) {
	delay := f.apply(Rule{Links: []Link{{2, 3}}, Action: Delay{By: 500 * time.Millisecond}})
	s := newSink(f.nodes[3].listenUDP(t, f.nodes[3].ip, 4000))
	out := f.nodes[2].listenUDP(t, f.nodes[2].ip, 0)
	to := &net.UDPAddr{IP: f.nodes[3].ip.AsSlice(), Port: 4000}
	for i := range 10 {
		if _, err := out.WriteToUDP(numbered(i, 16), to); err != nil {
			t.Fatal(err)
		}
	}
	cut := f.drop(Link{2, 3})
	waitFor(t, func() bool { return cut.Receipt().Dropped.Packets == 10 })
	if got := s.settle(1, quiet); got != 0 {
		t.Errorf("%d packets outlived the cut", got)
	}
	if r := cut.Receipt(); r.Dropped.Packets != 10 {
		t.Errorf("receipt of the cut: %v, want 10 dropped", r)
	}
	if st := f.engine.LinkStats(Link{2, 3}, Match{}); st.Sent.Packets != 10 || st.Arrived.Packets != 0 {
		t.Errorf("link: %+v, want 10 sent, none arrived", st)
	}
	f.heal(cut)
	_ = s.conn.Close()
	if got := f.stream(2, 3, 10, 16, true, time.Second); len(got) != 10 {
		t.Errorf("%d of 10 arrived after healing", len(got))
	}
	if st := f.engine.LinkStats(Link{2, 3}, Match{}); st.Sent.Packets != 20 || st.Arrived.Packets != 10 {
		t.Errorf("link: %+v, want 20 sent, 10 arrived", st)
	}
	f.heal(delay)
}

func testRate(t *testing.T, f *fabric) {
	for _, mbit := range []float64{1, 10, 100} {
		h := f.apply(Rule{Links: []Link{{2, 3}}, Action: Rate{BitsPerSecond: mbit * 1e6, Queue: 10000}})
		var got float64
		for range 3 { // a busy machine makes it slower, nothing makes it faster
			if got = f.rateOf(2, 3, int(mbit*1e6/8/1514/2)); got >= mbit*0.95 {
				break
			}
		}
		t.Logf("%g Mbit/s: got %.2f", mbit, got)
		if got < mbit*0.95 || got > mbit*1.05 {
			t.Errorf("%g Mbit/s: got %.2f", mbit, got)
		}
		f.heal(h)
	}
}

// rateOf sends n full packets at once and measures the Mbit/s of their arrival,
// from the first send until the receiver's kernel had the last one, however late
// this program looks.
func (f *fabric) rateOf(a, b, n int) float64 {
	f.t.Helper()
	in, out := f.nodes[b].listenUDP(f.t, f.nodes[b].ip, 4000), f.nodes[a].listenUDP(f.t, f.nodes[a].ip, 0)
	defer in.Close()
	defer out.Close()
	f.stampArrivals(in)
	data, to := numbered(0, 1472), netip.AddrPortFrom(f.nodes[b].ip, 4000) // little to do for each: to be ahead of the rate
	begin := realtime()
	go func() {
		for range n {
			_, _ = out.WriteToUDPAddrPort(data, to)
		}
	}()
	var last int64
	for i := range n {
		if err := in.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			f.t.Fatal(err)
		}
		at, err := readStamped(in)
		if err != nil {
			f.t.Fatalf("%d of %d arrived: %v", i, n, err)
		}
		last = at
	}
	return float64(n) * 1514 * 8 / time.Duration(last-begin).Seconds() / 1e6
}

func testQueue(t *testing.T, f *fabric) {
	h := f.apply(Rule{Links: []Link{{2, 3}}, Action: Rate{BitsPerSecond: 1e6, Queue: 8}})
	got := len(f.stream(2, 3, 50, 1000, false, 2*quiet))
	if got < 8 || got > 10 {
		t.Errorf("%d of 50 passed a queue of 8, want 8 to 10", got)
	}
	if r := h.Receipt(); int(r.Dropped.Packets) != 50-got || r.Delayed.Packets != 50 {
		t.Errorf("receipt: %v, want 50 delayed and %d of them dropped", r, 50-got)
	}
	f.heal(h)
}

func testReorder(t *testing.T, f *fabric) {
	const n = 2000
	h := f.apply(Rule{Links: []Link{{2, 3}}, Action: Reorder{Share: 0.05, By: 2 * time.Millisecond}})
	got := f.stream(2, 3, n, 64, false, quiet)
	r := h.Receipt()
	if len(got) != n {
		t.Errorf("%d of %d arrived", len(got), n)
	}
	if late := inversions(got); late < int(r.Reordered.Packets)*8/10 || r.Reordered.Packets == 0 {
		t.Errorf("%d were overtaken, receipt %v", late, r)
	}
	f.heal(h)
}
