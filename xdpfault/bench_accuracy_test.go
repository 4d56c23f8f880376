package xdpfault

import (
	"fmt"
	"io"
	"math"
	"net"
	"testing"
	"time"
)

// BenchmarkAccuracy tells how true faults are, on real packets: what was asked
// and what came of it. On a busy machine delays are later and rates lower than
// on an idle one.
func BenchmarkAccuracy(b *testing.B) {
	f := newFabric(b, HookTC, 4)
	b.Run("loss", func(b *testing.B) {
		for _, percent := range []float64{0.1, 1, 10, 50} {
			b.Run(fmt.Sprintf("%g%%", percent), func(b *testing.B) { f.lossAccuracy(b, percent/100) })
		}
	})
	b.Run("delay", func(b *testing.B) {
		for _, by := range []time.Duration{time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond} {
			b.Run(by.String(), func(b *testing.B) { f.delayAccuracy(b, by) })
		}
	})
	b.Run("rate", func(b *testing.B) {
		for _, mbit := range []float64{1, 10, 100} {
			b.Run(fmt.Sprintf("%g Mbit", mbit), func(b *testing.B) { f.rateAccuracy(b, mbit) })
		}
	})
	b.Run("TCP through 10 ms", f.delayedThroughput)
}

// lossAccuracy sends 100,000 packets through a loss of so large a share.
// The seed is fixed, and so is the outcome.
func (f *fabric) lossAccuracy(b *testing.B, share float64) {
	const n = 100_000
	once(b, func() {
		h := f.apply(Rule{Links: []Link{{2, 3}}, Action: Loss{Share: share}})
		arrived := f.burst(2, 3, 4000, n, false)
		if r := h.Receipt(); r.Matched.Packets != n || r.Dropped.Packets != uint64(n-arrived) {
			b.Errorf("%d arrived, receipt %v", arrived, r)
		}
		f.heal(h)
		lost := float64(n-arrived) / n
		b.ReportMetric(lost*100, "lost-%")
		b.ReportMetric((lost-share)/math.Sqrt(share*(1-share)/n), "sigma")
	})
}

// delayAccuracy sends one datagram at a time and tells by how much each is too
// late: at the receiver's kernel; as the receiving program sees it; and, for
// comparison, by how much it sees one late that nothing delayed, when it has
// waited for it as long. first is that after a pause of the whole machine.
func (f *fabric) delayAccuracy(b *testing.B, by time.Duration) {
	n := int(max(40, min(1000, 2*time.Second/by)))
	once(b, func() {
		h := f.apply(Rule{Links: []Link{{2, 3}}, Action: Delay{By: by}})
		got := f.arrivals(2, 3, n, 0)
		seen := f.oneWay(2, 3, n)
		first := f.arrivals(2, 3, 40, 50*time.Millisecond)
		f.heal(h)
		woken := f.awaken(2, 3, n, by)
		b.ReportMetric(ms(got[n/2]-by), "late-median-ms")
		b.ReportMetric(ms(got[n*99/100]-by), "late-p99-ms")
		b.ReportMetric(ms(seen[n/2]-by), "seen-median-ms")
		b.ReportMetric(ms(seen[n*99/100]-by), "seen-p99-ms")
		b.ReportMetric(ms(first[20]-by), "first-median-ms")
		b.ReportMetric(ms(woken[n/2]), "undelayed-median-ms")
		b.ReportMetric(ms(woken[n*99/100]), "undelayed-p99-ms")
	})
}

// rateAccuracy sends full packets at once for about a second, at the rate.
func (f *fabric) rateAccuracy(b *testing.B, mbit float64) {
	once(b, func() {
		h := f.apply(Rule{Links: []Link{{2, 3}}, Action: Rate{BitsPerSecond: mbit * 1e6, Queue: 10000}})
		b.ReportMetric(f.rateOf(2, 3, int(mbit*1e6/8/1514))/mbit, "of-asked")
		f.heal(h)
	})
}

// delayedThroughput is one TCP stream through 10 ms each way, which has
// opened its window before the measuring begins.
func (f *fabric) delayedThroughput(b *testing.B) {
	once(b, func() {
		h := f.apply(Rule{Links: both(2, 3), Action: Delay{By: 10 * time.Millisecond}})
		defer f.heal(h)
		l := f.nodes[3].listenTCP(b, f.nodes[3].ip, 0)
		go discard(l)
		c, err := f.nodes[2].dialTCP(l.Addr(), net.Dialer{Timeout: 5 * time.Second})
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		buf := make([]byte, 1<<18)
		send := func(length time.Duration) (gbit float64) {
			sent, begin := 0, time.Now()
			for time.Since(begin) < length {
				n, err := c.Write(buf)
				if err != nil {
					b.Fatal(err)
				}
				sent += n
			}
			return float64(sent) * 8 / time.Since(begin).Seconds() / 1e9
		}
		send(time.Second)
		b.ReportMetric(send(2*time.Second), "Gbit/s")
	})
}

// discard reads all that comes in on a listener's first connection.
func discard(l net.Listener) {
	c, err := l.Accept()
	if err != nil {
		return
	}
	defer c.Close()
	_, _ = io.Copy(struct{ io.Writer }{io.Discard}, c)
}

// once does one measurement, which reports metrics of its own, whatever b.N.
func once(b *testing.B, measure func()) {
	done := false
	for b.Loop() {
		if !done {
			measure()
			done = true
		}
	}
	b.ReportMetric(0, "ns/op")
}

func ms(d time.Duration) float64 { return us(d) / 1000 }
