package xdpfault

import (
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
)

// path is two ends between which speed is measured.
type path struct {
	name string
	a, b *testNode
}

// barePath is a veth pair between two namespaces with nothing in between.
func barePath(b *testing.B) path {
	f := &fabric{t: b}
	p := path{name: "bare veth"}
	for i, node := range []**testNode{&p.a, &p.b} {
		ns, err := newTestNS()
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(ns.close)
		*node = &testNode{ns: ns}
		(*node).ip, (*node).ip6 = testAddr(i)
	}
	macs := []net.HardwareAddr{{2, 0xb2, 0, 0, 0, 1}, {2, 0xb2, 0, 0, 0, 2}}
	err := p.a.ns.Do(func() error {
		attrs := netlink.NewLinkAttrs()
		attrs.Name, attrs.HardwareAddr = "eth0", macs[0]
		return netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "eth0", PeerHardwareAddr: macs[1], PeerNamespace: netlink.NsFd(p.b.ns.fd)})
	})
	if err != nil {
		f.t.Fatal(err)
	}
	for i, node := range []*testNode{p.a, p.b} {
		if err := node.ns.Do(func() error { return node.configure(macs[1-i]) }); err != nil {
			b.Fatal(err)
		}
	}
	return p
}

// BenchmarkPath compares a link of the switch, without harm, with harm on other
// links, and with delay, with a bare veth pair: medians of interleaved rounds.
func BenchmarkPath(b *testing.B) {
	bare := barePath(b)
	free := newFabric(b, HookTC, 4)
	tc := newFabric(b, HookTC, 7)
	xdp := newFabric(b, HookXDP, 4)
	tc.apply(Rule{Links: splitLinks([]int{2, 3}, []int{4}), Action: Drop{}})
	tc.apply(Rule{Links: both(5, 6), Action: Loss{Share: 0}}) // segments are cut
	same := newFabric(b, HookTC, 5)
	same.apply(Rule{Links: []Link{{2, 4}}, Action: Loss{Share: 0.01}})
	delayed := newFabric(b, HookTC, 4)
	delayed.apply(Rule{Links: both(2, 3), Action: Delay{By: 10 * time.Millisecond}})
	paths := []path{
		bare,
		{"tc, no fault", free.nodes[2], free.nodes[3]},
		{"tc, harm elsewhere", tc.nodes[2], tc.nodes[3]},
		{"tc, loss elsewhere, same sender", same.nodes[2], same.nodes[3]},
		{"tc, 0% loss", tc.nodes[5], tc.nodes[6]},
		{"xdp", xdp.nodes[2], xdp.nodes[3]},
		{"tc, 10 ms delay", delayed.nodes[2], delayed.nodes[3]},
	}
	for _, m := range []struct {
		name    string
		measure func(*testing.B, path) float64
	}{
		{"RTT-µs", roundTrip},
		{"UDP-kpps", packetRate},
		{"TCP1-Gbit/s", func(b *testing.B, p path) float64 { return throughput(b, p, 1) }},
		{"TCP4-Gbit/s", func(b *testing.B, p path) float64 { return throughput(b, p, 4) }},
	} {
		b.Run(m.name, func(b *testing.B) { comparePaths(b, paths, m.name, func(p path) float64 { return m.measure(b, p) }) })
	}
}

// pathRounds is how often each path is measured, in turn.
const pathRounds = 9

// comparePaths measures all paths in interleaved rounds. The ratio is the
// median of the rounds' own ratios, as the machine's load differs between them.
// Each round begins with another path: one that comes after a delayed path,
// which leaves the processors idle, is faster than one that comes after a fast one.
func comparePaths(b *testing.B, paths []path, unit string, measure func(path) float64) {
	got, ratio := make([][]float64, len(paths)), make([][]float64, len(paths))
	for round := range pathRounds {
		for turn := range paths {
			i := (round + turn) % len(paths)
			got[i] = append(got[i], measure(paths[i]))
		}
		for i := range paths {
			ratio[i] = append(ratio[i], got[i][round]/got[0][round])
		}
	}
	for i, p := range paths {
		slices.Sort(got[i])
		slices.Sort(ratio[i])
		b.Run(p.name, func(b *testing.B) {
			for b.Loop() { //nolint:revive // measured above
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(got[i][pathRounds/2], unit)
			b.ReportMetric(ratio[i][pathRounds/2], "of-bare")
		})
	}
}

const measureFor = 200 * time.Millisecond

func roundTrip(b *testing.B, p path) float64 {
	in, out := p.b.listenUDP(b, p.b.ip, 4000), p.a.listenUDP(b, p.a.ip, 0)
	defer in.Close()
	defer out.Close()
	go func() {
		buf := make([]byte, 64)
		for {
			n, from, err := in.ReadFromUDP(buf)
			if err != nil {
				return
			}
			_, _ = in.WriteToUDP(buf[:n], from)
		}
	}()
	to := &net.UDPAddr{IP: p.b.ip.AsSlice(), Port: 4000}
	var times []float64
	buf := make([]byte, 64)
	for begin := time.Now(); time.Since(begin) < measureFor; {
		sent := time.Now()
		if _, err := out.WriteToUDP(buf[:16], to); err != nil {
			b.Fatal(err)
		}
		if _, _, err := out.ReadFromUDP(buf); err != nil {
			b.Fatal(err)
		}
		times = append(times, float64(time.Since(sent).Nanoseconds())/1e3)
	}
	slices.Sort(times)
	return times[len(times)/2]
}

// packetRate sends small datagrams as fast as one socket can and counts what
// arrives.
func packetRate(b *testing.B, p path) float64 {
	in, out := p.b.listenUDP(b, p.b.ip, 4000), p.a.listenUDP(b, p.a.ip, 0)
	defer in.Close()
	defer out.Close()
	s := newSink(in)
	to := netip.AddrPortFrom(p.b.ip, 4000)
	begin, sent := time.Now(), 0
	for ; time.Since(begin) < measureFor; sent++ {
		if _, err := out.WriteToUDPAddrPort([]byte("0123456789abcdef"), to); err != nil {
			b.Fatal(err)
		}
	}
	took := time.Since(begin)
	return float64(s.settle(sent, 30*time.Millisecond)) / took.Seconds() / 1e3
}

func throughput(b *testing.B, p path, streams int) float64 {
	l := p.b.listenTCP(b, p.b.ip, 0)
	defer l.Close()
	var total int64
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range streams {
		wg.Go(func() {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			n, _ := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{c}, make([]byte, 1<<18))
			mu.Lock()
			total += n
			mu.Unlock()
		})
	}
	begin := time.Now()
	for range streams {
		c, err := p.a.dialTCP(l.Addr(), net.Dialer{Timeout: 5 * time.Second})
		if err != nil {
			b.Fatal(err)
		}
		wg.Go(func() {
			defer c.Close()
			buf := make([]byte, 1<<18)
			for time.Since(begin) < 2*measureFor {
				if _, err := c.Write(buf); err != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	return float64(total) * 8 / time.Since(begin).Seconds() / 1e9
}
