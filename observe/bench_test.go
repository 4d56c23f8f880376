package observe

import (
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkThroughput sends requests at a rate with observation on and off, and as many as there can be.
func BenchmarkThroughput(b *testing.B) {
	for _, bench := range []struct {
		name string
		rate float64 // 0: as many as there can be
	}{{"5000 per second", 5000}, {"saturated", 0}} {
		b.Run(bench.name, func(b *testing.B) {
			for b.Loop() {
				var per [2]float64
				var lost uint64
				for i, on := range []bool{false, true} {
					o, c := watch(b, Config{}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
					c.Transport.(*http.Transport).MaxIdleConnsPerHost = 64
					if !on {
						detachAll(b, o)
					}
					per[i] = flood(b, c, bench.rate, 2*time.Second)
					if t := seen(b, o); on {
						lost = t.Loss.Lost
					}
				}
				b.ReportMetric(per[0], "off/s")
				b.ReportMetric(per[1], "on/s")
				b.ReportMetric(per[1]/per[0], "on/off")
				b.ReportMetric(float64(lost), "events-lost")
			}
		})
	}
}

func detachAll(b *testing.B, o *Observer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, h := range o.hooks {
		if err := h.detach(); err != nil {
			b.Fatal(err)
		}
	}
	o.hooks = nil
}

// flood sends for a time and gives the requests per second.
func flood(b *testing.B, c *http.Client, rate float64, d time.Duration) float64 {
	b.Helper()
	var n int
	var mu sync.Mutex
	var wg sync.WaitGroup
	began := time.Now()
	end := began.Add(d)
	var due atomic.Int64 // how many requests were due so far
	for range 32 {
		wg.Go(func() {
			mine := 0
			for time.Now().Before(end) {
				if rate > 0 {
					time.Sleep(time.Until(began.Add(time.Duration(float64(due.Add(1)) / rate * float64(time.Second))))) // its turn
				}
				resp, err := c.Get("http://" + serverIP + ":8080/")
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
				mine++
			}
			mu.Lock()
			n += mine
			mu.Unlock()
		})
	}
	wg.Wait()
	return float64(n) / d.Seconds()
}

// BenchmarkLatencyError compares what is seen with what client and server measure themselves.
func BenchmarkLatencyError(b *testing.B) {
	for b.Loop() {
		o, c := watch(b, Config{}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(5 * time.Millisecond) // the latency
			_, _ = io.WriteString(w, "hello")
		}))
		var own []time.Duration
		for range 300 {
			began := time.Now()
			fetch(b, c, get(b, "/"))
			own = append(own, time.Since(began))
		}
		rows := seen(b, o).HTTPEvents
		roles, latencies := rows.Column("trace_role").Ints, rows.Column("latency").Ints
		var wire []time.Duration
		for i := range roles {
			if Role(roles[i]) == Client {
				wire = append(wire, time.Duration(latencies[i]))
			}
		}
		slices.Sort(own)
		slices.Sort(wire)
		at := func(v []time.Duration, share float64) float64 {
			return float64(v[int(share*float64(len(v)-1))].Microseconds())
		}
		b.ReportMetric(at(own, 0.5)-at(wire, 0.5), "µs-error-median")
		b.ReportMetric(at(own, 0.99)-at(wire, 0.99), "µs-error-p99")
	}
}
