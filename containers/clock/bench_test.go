package clock

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

// BenchmarkCall measures a call in a static C program, its clock right, then
// wrong, then right again: the best of 300 times 1,000 calls.
func BenchmarkCall(b *testing.B) {
	n := newNode(b)
	r := n.start(b, 0, program(b, "c-static"))
	c := newClock(b, n)
	measure := func() (real, mono float64) {
		if _, err := fmt.Fprintln(r.in, "b"); err != nil {
			b.Fatal(err)
		}
		if _, err := fmt.Sscan(r.line(), &real, &mono); err != nil {
			b.Fatal(err)
		}
		return real, mono
	}
	real0, mono0 := measure()
	set(b, c, Skew{Offset: time.Hour, Rate: 1.1})
	real1, mono1 := measure()
	restore(b, c)
	real2, _ := measure()
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(real0, "real-before-ns")
	b.ReportMetric(real1, "real-wrong-ns")
	b.ReportMetric(real2, "real-after-ns")
	b.ReportMetric(real1/real0, "real-ratio")
	b.ReportMetric(mono1/mono0, "monotonic-ratio")
}

// BenchmarkSet measures from the call to its effect in every process: the first
// time, which stops threads, and later changes, which do not.
func BenchmarkSet(b *testing.B) {
	for _, processes := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("%d-processes", processes), func(b *testing.B) {
			n := newNode(b)
			for range processes {
				n.start(b, 0, program(b, "go-static"))
			}
			c := newClock(b, n)
			var first, later, right time.Duration
			for range b.N {
				t0 := time.Now()
				set(b, c, Skew{Offset: time.Minute})
				t1 := time.Now()
				set(b, c, Skew{Rate: 1.1})
				t2 := time.Now()
				restore(b, c)
				first, later, right = first+t1.Sub(t0), later+t2.Sub(t1), right+time.Since(t2)
			}
			us := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(b.N) }
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(us(first), "first-µs")
			b.ReportMetric(us(later), "later-µs")
			b.ReportMetric(us(right), "restore-µs")
		})
	}
}

// BenchmarkStart measures starting a program in the node, to its end: the clock
// right and unwatched, then wrong.
func BenchmarkStart(b *testing.B) {
	n := newNode(b)
	c := newClock(b, n)
	run := func() time.Duration {
		began := time.Now()
		for range b.N {
			r := n.start(b, 0, program(b, "c-static"))
			if err := errors.Join(r.in.Close(), r.cmd.Wait()); err != nil {
				b.Fatal(err)
			}
		}
		return time.Since(began)
	}
	run() // warm
	right := run()
	if err := c.Set(context.Background(), Skew{Offset: time.Hour}); err != nil {
		b.Fatal(err)
	}
	wrong := run()
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(right.Microseconds())/float64(b.N), "right-µs")
	b.ReportMetric(float64(wrong.Microseconds())/float64(b.N), "wrong-µs")
}
