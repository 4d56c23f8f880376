package xdpfault

import (
	"fmt"
	"net"
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
	return f.burstWithin(a, b, port, n, v6, quiet)
}

// burstWithin is burst that goes on waiting until nothing came for so long.
func (f *fabric) burstWithin(a, b, port, n int, v6 bool, wait time.Duration) int {
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
	keepUp := f.pace(a, b)
	for i := range n {
		if _, err := out.WriteToUDP(fmt.Appendf(nil, "%08d", i), to); err != nil {
			f.t.Fatal(err)
		}
		if i%64 == 63 { // let the receiver's softirq keep up
			keepUp(i + 1)
			s.settle(i+1, 0)
		}
	}
	return s.settle(n, wait)
}

// quiet is for how long nothing may have arrived before nothing more is awaited.
// .ci/kernels, whose machines are slow, sets it higher.
var quiet = func() time.Duration {
	if d, err := time.ParseDuration(os.Getenv("BRINE_TEST_QUIET")); err == nil {
		return d
	}
	return 50 * time.Millisecond
}()

// pace gives a function that waits until n packets from a to b, from now on, have
// had their verdict: a veth's ring holds 256, and drops what comes on top of them.
func (f *fabric) pace(a, b int) func(n int) {
	sent := func() int { return int(f.engine.LinkStats(Link{a, b}, Match{}).Sent.Packets) }
	before := sent()
	return func(n int) {
		for end := time.Now().Add(time.Second); sent()-before < n && time.Now().Before(end); {
			time.Sleep(100 * time.Microsecond) // there is nothing to subscribe to
		}
	}
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
		wait := quiet
		if want {
			wait = 10 * time.Second // all are to come, on a busy machine late
		}
		got := f.burstWithin(a, b, 4000, 5, v6, wait)
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
	if got := s.settle(1, quiet); got != 0 {
		t.Errorf("%d forbidden packets passed in %d flips, want none of %d", got, flips, sent)
	}
	if sent < flips/10 {
		t.Errorf("only %d packets sent during %d flips", sent, flips)
	}
	t.Logf("%d flips in %v, %d packets", 2*flips, took, sent)
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
