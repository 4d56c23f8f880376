package xdpfault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"testing"
	"time"
)

// TestConformance is the rule engine's contract, on both hooks, with real
// traffic between namespaces.
func TestConformance(t *testing.T) {
	requireRoot(t)
	for _, hook := range []Hook{HookTC, HookXDP} {
		t.Run(hook.String(), func(t *testing.T) {
			for _, c := range []struct {
				name string
				run  func(*testing.T, *fabric)
			}{
				{"reachable", testReachable},
				{"isolation", testIsolation},
				{"one way", testOneWay},
				{"split is atomic", testSplitAtomic},
				{"TCP stops and resumes", testTCPResumes},
				{"ports", testPorts},
				{"new connections", testNewConns},
				{"existing connections", testExistingConns},
				{"ICMP", testICMP},
				{"fragments", testFragments},
				{"overlap", testOverlap},
				{"partial release", testRelease},
				{"all", testAll},
				{"services", testServices},
				{"prove", testProve},
				{"link stats", testLinkStats},
				{"detach and attach", testDetach},
				{"loss", testLoss},
				{"loss in bursts", testBurst},
				{"refusals", testRefusals},
			} {
				t.Run(c.name, func(t *testing.T) { c.run(t, newFabric(t, hook, 6)) })
			}
		})
	}
}

func both(a, b int) []Link { return []Link{{a, b}, {b, a}} }

func isolate(n int) []Link { return []Link{{n, All}, {All, n}} }

func splitLinks(parts ...[]int) []Link {
	var links []Link
	for i, p := range parts {
		for j, q := range parts {
			if i == j {
				continue
			}
			for _, a := range p {
				for _, b := range q {
					links = append(links, Link{a, b})
				}
			}
		}
	}
	return links
}

func (f *fabric) apply(rules ...Rule) *Handle {
	f.t.Helper()
	h, err := f.engine.Apply(rules...)
	if err != nil {
		f.t.Fatal(err)
	}
	return h
}

func (f *fabric) drop(links ...Link) *Handle {
	f.t.Helper()
	return f.apply(Rule{Links: links, Action: Drop{}})
}

func (f *fabric) heal(h *Handle) {
	f.t.Helper()
	if err := h.Heal(); err != nil {
		f.t.Fatal(err)
	}
}

// burst sends n datagrams from a to b and tells how many arrive. A last one
// over another path is no help to know the end: the switch works within the
// send, so what has not arrived soon after is lost.
func (f *fabric) burst(a, b, port, n int, v6 bool) int {
	f.t.Helper()
	src, dst := f.nodes[a].ip, f.nodes[b].ip
	if v6 {
		src, dst = f.nodes[a].ip6, f.nodes[b].ip6
	}
	in := f.nodes[b].listenUDP(f.t, dst, port)
	defer in.Close()
	s := newSink(in)
	out := f.nodes[a].listenUDP(f.t, src, 0)
	defer out.Close()
	to := &net.UDPAddr{IP: dst.AsSlice(), Port: port}
	for i := range n {
		if _, err := out.WriteToUDP(fmt.Appendf(nil, "%08d", i), to); err != nil {
			f.t.Fatal(err)
		}
		if i%64 == 63 { // let the receiver's softirq keep up
			s.settle(i+1, 0)
		}
	}
	return s.settle(n, 50*time.Millisecond)
}

// settle waits until n have arrived or none did for a while.
func (s *sink) settle(n int, quiet time.Duration) int {
	quiet = max(quiet, time.Millisecond)
	timer := time.NewTimer(quiet)
	defer timer.Stop()
	for s.count() < n {
		select {
		case <-s.got:
			timer.Reset(quiet)
		case <-timer.C:
			return s.count()
		}
	}
	return s.count()
}

// reach demands that datagrams from a to b arrive, or none does, over IPv4 and IPv6.
func (f *fabric) reach(a, b int, want bool) {
	f.t.Helper()
	for _, v6 := range []bool{false, true} {
		got := f.burst(a, b, 4000, 5, v6)
		if want && got != 5 || !want && got != 0 {
			f.t.Errorf("%d→%d (IPv6 %v): %d of 5 datagrams arrived, want reachable %v", a, b, v6, got, want)
		}
	}
}

func testReachable(t *testing.T, f *fabric) {
	f.reach(0, 2, true)
	f.reach(2, 3, true)
	f.reach(3, 2, true)
}

func testIsolation(t *testing.T, f *fabric) {
	h := f.drop(isolate(2)...)
	f.reach(2, 3, false)
	f.reach(3, 2, false)
	f.reach(0, 2, false)
	f.reach(3, 4, true)
	r := h.Receipt()
	if r.Dropped.Packets != 30 || r.Matched != r.Dropped || len(r.Links) != 3 {
		t.Errorf("receipt: got %+v, want 30 packets dropped on 3 links", r)
	}
	if r.First == 0 || r.Last <= r.First || r.Last > monotonic() {
		t.Errorf("receipt: first %d, last %d: want kernel times before now", r.First, r.Last)
	}
	f.heal(h)
	f.reach(2, 3, true)
	f.reach(0, 2, true)
	if again := h.Receipt(); again.Dropped != r.Dropped {
		t.Errorf("receipt after healing: got %v, want %v", again, r)
	}
	f.heal(h)
}

func testOneWay(t *testing.T, f *fabric) {
	h := f.drop(Link{2, 3})
	f.reach(2, 3, false)
	f.reach(3, 2, true)
	f.heal(h)
	f.reach(2, 3, true)
}

// testSplitAtomic flips between two splits that both forbid 2→3 and each
// allows what the other forbids; nothing may pass 2→3, and between the flips
// at least one of two packets passes elsewhere.
func testSplitAtomic(t *testing.T, f *fabric) {
	flips := 2000
	if os.Getenv("BRINE_LONG") != "" {
		flips = 100_000
	}
	first := Rule{Links: splitLinks([]int{2, 4}, []int{3, 5}), Action: Drop{}}
	second := Rule{Links: splitLinks([]int{2, 5}, []int{3, 4}), Action: Drop{}}
	in := f.nodes[3].listenUDP(t, f.nodes[3].ip, 4000)
	s := newSink(in)
	h := f.apply(first)
	var stop atomic.Bool
	done := make(chan int)
	out := f.nodes[2].listenUDP(t, f.nodes[2].ip, 0)
	go func() {
		to, sent := &net.UDPAddr{IP: f.nodes[3].ip.AsSlice(), Port: 4000}, 0
		for !stop.Load() {
			if _, err := out.WriteToUDP([]byte("forbidden"), to); err == nil {
				sent++
			}
		}
		done <- sent
	}()
	begin := time.Now()
	for i := range flips {
		next := first
		if i%2 == 0 {
			next = second
		}
		to := f.apply(next) // both hold for a moment, then the new one alone
		f.heal(h)
		h = to
	}
	took := time.Since(begin)
	stop.Store(true)
	sent := <-done
	if got := s.settle(1, 50*time.Millisecond); got != 0 {
		t.Errorf("%d forbidden packets passed in %d flips, want none of %d", got, flips, sent)
	}
	if sent < flips/10 {
		t.Errorf("only %d packets sent during %d flips", sent, flips)
	}
	t.Logf("%d flips in %v, %d packets", 2*flips, took, sent)
}

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

func testOverlap(t *testing.T, f *fabric) {
	first := f.drop(isolate(2)...)
	second := f.drop(both(2, 3)...)
	f.reach(2, 3, false)
	for _, h := range []*Handle{first, second} {
		if r := h.Receipt(); r.Dropped.Packets != 10 {
			t.Errorf("receipt: got %v, want 10 dropped: each rule sees each packet", r)
		}
	}
	f.heal(first)
	f.reach(2, 3, false)
	f.reach(2, 4, true)
	f.heal(second)
	f.reach(2, 3, true)
	f.reach(3, 2, true)
}

func testRelease(t *testing.T, f *fabric) {
	h := f.drop(splitLinks([]int{2, 3}, []int{4, 5})...)
	f.reach(2, 4, false)
	if err := h.Release(func(l Link) bool { return l.From == 2 || l.To == 2 }); err != nil {
		t.Fatal(err)
	}
	f.reach(2, 4, true)
	f.reach(5, 2, true)
	f.reach(3, 4, false)
	if n := len(h.Links()); n != 4 {
		t.Errorf("%d links still cut, want 4", n)
	}
	if r := h.Receipt(); r.Dropped.Packets != 20 {
		t.Errorf("receipt: got %v, want 20 dropped, 10 of them before the release", r)
	}
	f.heal(h)
	f.reach(3, 4, true)
}

// testAll attaches a port after a rule on All was applied.
func testAll(t *testing.T, f *fabric) {
	h := f.drop(isolate(2)...)
	node := f.add(9)
	if err := f.engine.Attach(node.port); err != nil {
		t.Fatal(err)
	}
	f.reach(9, 2, false)
	f.reach(2, 9, false)
	f.reach(9, 3, true)
	f.heal(h)
	f.reach(9, 2, true)
}

// testServices: the services' own address is out of harm's way, the outside
// world behind them is not.
func testServices(t *testing.T, f *fabric) {
	h := f.drop(isolate(2)...)
	f.reach(2, Services, true)
	f.reach(Services, 2, true)
	f.heal(h)
	if err := f.engine.SetDefault(Services); err != nil {
		t.Fatal(err)
	}
	outside := netip.MustParseAddr("192.0.2.7")
	err := f.nodes[Services].ns.Do(func() error { return addAddr("eth0", outside) })
	if err != nil {
		t.Fatal(err)
	}
	f.nodes[Services].ip = outside
	for _, want := range []bool{true, false, true} {
		if !want {
			h = f.drop(isolate(2)...)
		} else {
			f.heal(h)
		}
		for _, l := range both(2, Services) {
			if got := f.burst(l.From, l.To, 4000, 5, false) == 5; got != want {
				t.Errorf("outside, %s: reachable %v, want %v", l, got, want)
			}
		}
	}
	if err := f.engine.SetDefault(-1); err != nil {
		t.Fatal(err)
	}
	if got := f.burst(2, Services, 4000, 5, false); got != 0 {
		t.Errorf("%d datagrams reached an unknown address without a default port", got)
	}
}

func testProve(t *testing.T, f *fabric) {
	ctx := context.Background()
	for name, rule := range map[string]Rule{
		"isolation": {Links: isolate(2), Action: Drop{}},
		"split":     {Links: splitLinks([]int{0, 2, 3}, []int{4, 5}), Action: Drop{}},
		"port":      {Links: []Link{{2, 3}}, Match: Match{Proto: TCP, DstPort: 2380}, Action: Drop{}},
		"ICMP":      {Links: []Link{{2, 3}}, Match: Match{Proto: ICMP}, Action: Drop{}},
		"new":       {Links: []Link{{2, 3}}, Match: Match{NewConns: true}, Action: Drop{}},
		"loss":      {Links: both(2, 3), Action: Loss{Share: 0.5}},
	} {
		h := f.apply(rule)
		begin := time.Now()
		if err := f.engine.Prove(ctx, h); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		t.Logf("%s: proved in %v", name, time.Since(begin))
		r := h.Receipt()
		if r.Touched() || r.Probes == 0 || drops(rule.Action) && r.ProbesDropped != r.Probes {
			t.Errorf("%s: receipt %+v, want probes alone", name, r)
		}
		if s := f.engine.LinkStats(Link{2, 3}, Match{}); s.Sent.Packets != 0 {
			t.Errorf("%s: probes are in the link's traffic: %+v", name, s)
		}
		f.heal(h)
	}
	// a rule that is not there is not proved
	h := f.drop(Link{2, 3})
	change := newChange(f.engine.matrix, f.engine.sets)
	if err := change.rewrite(h.rules[0].on, func(setKey) (setKey, error) { return setKey{}, nil }); err != nil {
		t.Fatal(err)
	}
	change.commit()
	ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	if err := f.engine.Prove(ctx, h); err == nil {
		t.Error("a harm that is not in force was proved")
	} else {
		t.Log(err)
	}
}

func testLinkStats(t *testing.T, f *fabric) {
	h := f.drop(Link{2, 3})
	f.burst(2, 3, 4001, 5, false)
	f.heal(h)
	f.burst(2, 3, 4001, 5, true)
	f.burst(2, 3, 4002, 5, false)
	for _, c := range []struct {
		match         Match
		sent, arrived uint64
	}{
		{Match{}, 15, 10},
		{Match{DstPort: 4001}, 10, 5},
		{Match{Proto: UDP, DstPort: 4002}, 5, 5},
		{Match{Proto: TCP}, 0, 0},
	} {
		s := f.engine.LinkStats(Link{2, 3}, c.match)
		if s.Sent.Packets != c.sent || s.Arrived.Packets != c.arrived {
			t.Errorf("%+v: got %+v, want %d sent and %d arrived", c.match, s, c.sent, c.arrived)
		}
	}
	if s := f.engine.LinkStats(Link{3, 2}, Match{}); s.Sent.Packets != 0 {
		t.Errorf("3→2: got %+v, want none", s)
	}
}

func testDetach(t *testing.T, f *fabric) {
	h := f.drop(Link{4, 2})
	for range 3 {
		if err := f.engine.Detach(2); err != nil {
			t.Fatal(err)
		}
		f.reach(3, 2, false)
		if err := f.engine.Attach(f.nodes[2].port); err != nil {
			t.Fatal(err)
		}
		f.reach(3, 2, true)
		f.reach(2, 3, true)
		f.reach(4, 2, false)
	}
	f.heal(h)
	if err := f.engine.Detach(77); !errors.Is(err, ErrNoSuchPort) {
		t.Errorf("detach port 77: got %v", err)
	}
}

func testLoss(t *testing.T, f *fabric) {
	const n = 20000
	h := f.apply(Rule{Links: []Link{{2, 3}}, Action: Loss{Share: 0.1}})
	got := n - f.burst(2, 3, 4000, n, false)
	if r := h.Receipt(); r.Dropped.Packets != uint64(got) || r.Matched.Packets != n {
		t.Errorf("receipt: got %v, want %d of %d dropped", r, got, n)
	}
	within(t, got, n, 0.1)
	f.heal(h)
}

func testBurst(t *testing.T, f *fabric) {
	const n = 50000
	h := f.apply(Rule{Links: []Link{{2, 3}}, Action: Loss{Share: 0.1, Burst: 5}})
	got := n - f.burst(2, 3, 4000, n, false)
	if share := float64(got) / n; share < 0.08 || share > 0.12 {
		t.Errorf("lost %.3f, want about 0.1", share)
	}
	f.heal(h)
}

func testRefusals(t *testing.T, f *fabric) {
	for name, rule := range map[string]Rule{
		"no action":     {Links: []Link{{2, 3}}},
		"no links":      {Action: Drop{}},
		"unknown port":  {Links: []Link{{2, 77}}, Action: Drop{}},
		"itself":        {Links: []Link{{2, 2}}, Action: Drop{}},
		"share":         {Links: []Link{{2, 3}}, Action: Loss{Share: 1.5}},
		"burst":         {Links: []Link{{2, 3}}, Action: Loss{Share: 0.9, Burst: 2}},
		"ICMP port":     {Links: []Link{{2, 3}}, Match: Match{Proto: ICMP, DstPort: 5}, Action: Drop{}},
		"new UDP":       {Links: []Link{{2, 3}}, Match: Match{Proto: UDP, NewConns: true}, Action: Drop{}},
		"new, existing": {Links: []Link{{2, 3}}, Match: Match{NewConns: true, Existing: true}, Action: Drop{}},
	} {
		good := Rule{Links: []Link{{2, 3}}, Action: Drop{}}
		if _, err := f.engine.Apply(good, rule); err == nil {
			t.Errorf("%s: no error", name)
		} else {
			t.Log(err)
		}
	}
	f.reach(2, 3, true) // nothing of a refused Apply is in force
	var harms []*Handle
	for range setRules {
		harms = append(harms, f.drop(Link{2, 3}))
	}
	if _, err := f.engine.Apply(Rule{Links: []Link{{4, 5}, {2, 3}}, Action: Drop{}}); err == nil {
		t.Error("one rule too many: no error")
	}
	f.reach(4, 5, true)
	for _, h := range harms {
		f.heal(h)
	}
	f.reach(2, 3, true)
	if n := len(f.engine.sets.index); n != 1 {
		t.Errorf("%d rule sets are left, want the empty one alone", n)
	}
}
