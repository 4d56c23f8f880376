// Package load sends requests at a fixed rate, whatever becomes of them: an open loop. A late answer delays no later
// request, and latency counts from the moment that a request was due.
//
//	due:    |    |    |    |    |         every 1/rate
//	sent:   |    |    |    |    |
//	answer:    |        ||        |       latency = answer − due
//
// A closed loop would send less the slower the system is, and so hide what it is to measure ("coordinated omission",
// Gil Tene, "How NOT to Measure Latency").
//
//	r := load.Start(ctx, load.Spec{Rate: 10, For: time.Minute, Do: send})
//	<-r.Done()
//	fmt.Println(r.Report())
package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Spec says what is sent.
type Spec struct {
	Rate float64       // per second
	For  time.Duration // 0: until Stop
	// Do sends one request. Its error means that there was no answer; failed, that the answer was one of failure.
	Do func(context.Context) (failed bool, err error)
	// MaxOpen is how many may be under way at once; what is due beyond that is not sent and counted. 0: 10,000.
	MaxOpen int
}

const (
	defaultOpen = 10_000
	// what the histograms hold: 1 µs to 10 min, three digits
	lowest, highest, digits = 1, int64(10 * time.Minute / time.Microsecond), 3
	// drain is how long Done waits for the last answers; each request has its own time-out as well.
	drain = 2 * time.Minute
)

// Run is load under way.
type Run struct {
	spec Spec
	stop context.CancelFunc
	done chan struct{}

	mu      sync.Mutex
	latency *hdrhistogram.Histogram // µs from due to answer
	late    *hdrhistogram.Histogram // µs from due to sent
	sent    int
	ok      int
	failed  int
	errors  int
	skipped int
	lastErr error
	lap     Lap
	began   time.Time
	ended   time.Time
}

// Start begins sending; the first request is due at once. It goes on until its time is over (that of one a second for 5 s
// is 5 s, and five are sent), Stop, or ctx ends.
func Start(ctx context.Context, spec Spec) (*Run, error) {
	if spec.Rate <= 0 {
		return nil, fmt.Errorf("%g requests per second: expected more than none", spec.Rate)
	}
	if spec.MaxOpen == 0 {
		spec.MaxOpen = defaultOpen
	}
	sending, stop := context.WithCancel(ctx)
	r := &Run{
		spec: spec, stop: stop, done: make(chan struct{}), began: time.Now(),
		latency: hdrhistogram.New(lowest, highest, digits), late: hdrhistogram.New(lowest, highest, digits),
	}
	go r.run(ctx, sending)
	return r, nil
}

func (r *Run) run(ctx, sending context.Context) {
	defer close(r.done)
	defer r.stop()
	answering, giveUp := context.WithCancel(ctx)
	defer giveUp()
	var open sync.WaitGroup
	var under atomic.Int64
	sleep := newSleeper()
	defer sleep.stop()
	for i := 0; ; i++ {
		offset := time.Duration(float64(i) / r.spec.Rate * float64(time.Second))
		if r.spec.For > 0 && offset >= r.spec.For {
			sleep.until(sending, r.began.Add(r.spec.For)) // the last one's turn lasts as long as any
			break
		}
		due := r.began.Add(offset)
		sleep.until(sending, due)
		if sending.Err() != nil {
			break
		}
		if under.Load() >= int64(r.spec.MaxOpen) {
			r.mu.Lock()
			r.skipped++
			r.mu.Unlock()
			continue
		}
		under.Add(1)
		open.Go(func() {
			defer under.Add(-1)
			r.one(answering, due)
		})
	}
	r.mu.Lock()
	r.ended = time.Now()
	r.mu.Unlock()
	timeout := time.AfterFunc(drain, giveUp)
	defer timeout.Stop()
	open.Wait()
}

func (r *Run) one(ctx context.Context, due time.Time) {
	late := time.Since(due)
	failed, err := r.spec.Do(ctx)
	took := time.Since(due)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent++
	r.lap.Slowest = max(r.lap.Slowest, took)
	if failed || err != nil {
		r.lap.Bad++
	} else {
		r.lap.Good++
	}
	_ = r.late.RecordValue(clamp(late)) // clamped: never out of range
	switch {
	case err != nil:
		r.errors++
		r.lastErr = err
		return
	case failed:
		r.failed++
	default:
		r.ok++
	}
	_ = r.latency.RecordValue(clamp(took))
}

func clamp(d time.Duration) int64 { return min(max(d.Microseconds(), lowest), highest) }

// Stop ends the sending; what was sent is still waited for. Done tells when.
func (r *Run) Stop() { r.stop() }

// Done is closed when the last request has ended.
func (r *Run) Done() <-chan struct{} { return r.done }

// Lap is what has become of the requests that ended since the last lap.
type Lap struct {
	Good, Bad int // answered well; answered with failure, or not at all
	Slowest   time.Duration
}

// Lap begins the next lap.
func (r *Run) Lap() Lap {
	r.mu.Lock()
	defer r.mu.Unlock()
	lap := r.lap
	r.lap = Lap{}
	return lap
}

// Report tells what has become of the requests so far.
type Report struct {
	Sent, OK, Failed, Errors int // answered well, answered with failure, not answered
	Skipped                  int // not sent, since too many were open
	LastErr                  error
	Mean, P50, P90, P99, Max time.Duration // from due to answer
	LateP50, LateP99         time.Duration // from due to sent: the schedule's error
	Rate                     float64       // per second, as sent
}

// Report gives what has become of the requests so far.
func (r *Run) Report() Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	us := func(h *hdrhistogram.Histogram, p float64) time.Duration {
		return time.Duration(h.ValueAtQuantile(p)) * time.Microsecond
	}
	end := r.ended
	if end.IsZero() {
		end = time.Now()
	}
	return Report{
		Sent: r.sent, OK: r.ok, Failed: r.failed, Errors: r.errors, Skipped: r.skipped, LastErr: r.lastErr,
		Mean: time.Duration(r.latency.Mean()) * time.Microsecond,
		P50:  us(r.latency, 50), P90: us(r.latency, 90), P99: us(r.latency, 99), Max: us(r.latency, 100),
		LateP50: us(r.late, 50), LateP99: us(r.late, 99),
		Rate: float64(r.sent) / max(end.Sub(r.began).Seconds(), 1/r.spec.Rate),
	}
}

// String says it for a person.
func (r Report) String() string {
	s := fmt.Sprintf("%d requests sent (%.4g per second), %d answered well, %d with failure, %d not answered; from due to answer: median %s, p90 %s, p99 %s, max %s",
		r.Sent, r.Rate, r.OK, r.Failed, r.Errors, r.P50, r.P90, r.P99, r.Max)
	if r.Skipped > 0 {
		s += fmt.Sprintf("; %d were due but not sent: too many were open", r.Skipped)
	}
	if r.LastErr != nil {
		s += "; last error: " + r.LastErr.Error()
	}
	return s
}

// ErrNone says that no request was answered.
var ErrNone = errors.New("no request was answered")
