package load

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Slow answers do not slow the sending, and their latency counts from when they were due.
func TestOpenLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		r, err := Start(t.Context(), Spec{Rate: 10, For: 2 * time.Second, Do: func(context.Context) (bool, error) {
			time.Sleep(3 * time.Second) // as long as the server takes; virtual time
			return n.Add(1)%4 == 0, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		<-r.Done()
		got := r.Report()
		if got.Sent != 20 || got.OK != 15 || got.Failed != 5 || got.Errors != 0 {
			t.Errorf("%s", got)
		}
		if got.P50 < 2990*time.Millisecond || got.Max > 3010*time.Millisecond {
			t.Errorf("%s", got)
		}
	})
}

// Five requests, one a second, take five seconds: the last one's turn too.
func TestTheLastTurnLastsToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		r, err := Start(t.Context(), Spec{Rate: 1, For: 5 * time.Second, Do: func(context.Context) (bool, error) { return false, nil }})
		if err != nil {
			t.Fatal(err)
		}
		<-r.Done()
		if got := r.Report(); got.Sent != 5 || got.Rate < 0.99 || got.Rate > 1.01 {
			t.Errorf("%s", got)
		}
		if took := time.Since(began); took < 5*time.Second || took > 5050*time.Millisecond {
			t.Errorf("took %s", took)
		}
	})
}

func TestTooManyOpenAreToldNotHidden(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		r, err := Start(t.Context(), Spec{Rate: 100, MaxOpen: 5, Do: func(context.Context) (bool, error) {
			time.Sleep(time.Second)
			return false, broken
		}})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(995 * time.Millisecond)
		r.Stop()
		<-r.Done()
		if got := r.Report(); got.Sent != 5 || got.Errors != 5 || got.Skipped != 95 || !errors.Is(got.LastErr, broken) {
			t.Errorf("%s", got)
		}
	})
}

// The schedule's error and rate are measured; a busy machine may be late, but sends everything.
func TestRate(t *testing.T) {
	for _, rate := range []float64{1000, 10_000} {
		r, err := Start(t.Context(), Spec{Rate: rate, For: 500 * time.Millisecond, Do: func(context.Context) (bool, error) { return false, nil }})
		if err != nil {
			t.Fatal(err)
		}
		<-r.Done()
		got := r.Report()
		if got.Sent+got.Skipped != int(rate/2) {
			t.Errorf("%g/s: %s", rate, got)
		}
		t.Logf("%g/s: late by %s (median), %s (p99)", rate, got.LateP50, got.LateP99)
	}
}

// BenchmarkSchedule measures how far from its due time a request is sent.
func BenchmarkSchedule(b *testing.B) {
	for _, rate := range []float64{1000, 10_000} {
		b.Run(fmt.Sprintf("%g", rate), func(b *testing.B) {
			for b.Loop() {
				r, err := Start(b.Context(), Spec{Rate: rate, For: 2 * time.Second, Do: func(context.Context) (bool, error) { return false, nil }})
				if err != nil {
					b.Fatal(err)
				}
				<-r.Done()
				got := r.Report()
				b.ReportMetric(float64(got.LateP50.Microseconds()), "µs-late-median")
				b.ReportMetric(float64(got.LateP99.Microseconds()), "µs-late-p99")
			}
		})
	}
}
