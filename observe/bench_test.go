package observe

import (
	"bytes"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkThroughput sends requests at a rate, or as many as there can be, with observation on and off.
func BenchmarkThroughput(b *testing.B) {
	for _, bench := range []struct {
		name string
		rate float64 // 0: as many as there can be
		size int     // of the answers
	}{{"5000 per second", 5000, 5}, {"saturated", 0, 5}, {"1 MB answers", 0, 1 << 20}} {
		b.Run(bench.name, func(b *testing.B) {
			answer := bytes.Repeat([]byte("x"), bench.size)
			for b.Loop() {
				var per [2]float64
				var lost uint64
				for i, on := range []bool{false, true} {
					o, c := watch(b, Config{}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
						w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
						_, _ = w.Write(answer)
					}))
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

// BenchmarkLatencyError compares what is seen with what client and server measure themselves, by the same quantiles.
func BenchmarkLatencyError(b *testing.B) {
	for b.Loop() {
		var server []time.Duration // one request at a time
		o, c := watch(b, Config{}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			began := time.Now()
			time.Sleep(5 * time.Millisecond) // the latency
			_, _ = io.WriteString(w, "hello")
			server = append(server, time.Since(began))
		}))
		var client []time.Duration
		for range 300 {
			began := time.Now()
			fetch(b, c, get(b, "/"))
			client = append(client, time.Since(began))
		}
		rows := seen(b, o).HTTPEvents
		wire := map[Role][]time.Duration{}
		for i, role := range rows.Column("trace_role").Ints {
			wire[Role(role)] = append(wire[Role(role)], time.Duration(rows.Column("latency").Ints[i]))
		}
		at := func(v []time.Duration, share float64) float64 {
			slices.Sort(v)
			return float64(v[int(share*float64(len(v)-1))].Microseconds())
		}
		for _, end := range []struct {
			name      string
			own, seen []time.Duration
		}{{"client", client, wire[Client]}, {"server", server, wire[Server]}} {
			b.ReportMetric(math.Abs(at(end.own, 0.5)-at(end.seen, 0.5)), "µs-"+end.name+"-median")
			b.ReportMetric(math.Abs(at(end.own, 0.99)-at(end.seen, 0.99)), "µs-"+end.name+"-p99")
		}
	}
}
