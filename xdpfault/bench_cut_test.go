package xdpfault

import (
	"encoding/binary"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkCut sends all the time and tells how long after the call the last
// packet that arrived was sent, and what the call took; none may be sent after
// the call has returned.
func BenchmarkCut(b *testing.B) {
	f := newFabric(b, HookTC, 102)
	for _, cut := range []struct {
		name  string
		links []Link
	}{
		{"isolation", isolate(2)},
		{"split of 100", splitLinks(nodes(2, 52), nodes(52, 102))},
	} {
		b.Run(cut.name, func(b *testing.B) {
			once(b, func() {
				var last, call []float64
				for range 21 {
					l, c := f.cut(b, Rule{Links: cut.links, Action: Drop{}}, 2, 52)
					last, call = append(last, l), append(call, c)
				}
				slices.Sort(last)
				slices.Sort(call)
				b.ReportMetric(last[10], "last-packet-µs")
				b.ReportMetric(last[20], "last-packet-max-µs")
				b.ReportMetric(call[10], "call-µs")
			})
		})
	}
}

// cut applies a rule while from sends to to, and gives in µs, from the call on,
// when the last packet that arrived was sent (0: before it), and the return.
func (f *fabric) cut(b *testing.B, rule Rule, from, to int) (last, call float64) {
	b.Helper()
	in, out := f.nodes[to].listenUDP(b, f.nodes[to].ip, 4000), f.nodes[from].listenUDP(b, f.nodes[from].ip, 0)
	defer in.Close()
	defer out.Close()
	s := newSink(in)
	base := time.Now()
	var sent, stop atomic.Int64
	ended := make(chan error, 1)
	go func() {
		addr := &net.UDPAddr{IP: f.nodes[to].ip.AsSlice(), Port: 4000}
		buf := make([]byte, 16)
		for stop.Load() == 0 {
			binary.BigEndian.PutUint64(buf, uint64(time.Since(base)))
			if _, err := out.WriteToUDP(buf, addr); err != nil {
				ended <- err
				return
			}
			sent.Add(1)
		}
		ended <- nil
	}()
	wait := func(more int64) {
		for want := sent.Load() + more; sent.Load() < want && len(ended) == 0; {
			time.Sleep(50 * time.Microsecond)
		}
	}
	wait(100)
	begin := time.Since(base)
	h := f.apply(rule)
	end := time.Since(base)
	wait(100) // which must not arrive
	stop.Store(1)
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
	s.settle(int(sent.Load()), 2*time.Millisecond)
	s.mu.Lock()
	at := time.Duration(binary.BigEndian.Uint64(s.last))
	s.mu.Unlock()
	f.heal(h)
	if at > end {
		b.Errorf("a packet of %s after the call's return arrived", at-end)
	}
	return max(0, us(at-begin)), us(end - begin)
}

func us(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }
