package history

import (
	"fmt"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Which operations a measurement counts.
type Which string

// The operations: those that change something, those that do not, all.
const (
	Writes     Which = "writes"
	Reads      Which = "reads"
	Operations Which = "operations"
)

// Window is a time; the zero value is all of the time in which clients worked, and what of a window is before or after
// that does not count. Both ends belong to it.
type Window struct{ Begin, End int64 }

// Availability is how well the clients were served.
//
// An operation is served when it was acknowledged, and when a compare-and-set was told that another value was there: the
// system did answer. In a window it is served when that came before the window's end: what waits for a partition to heal
// did not succeed while it was there. A latency is the time from when the operation began (in an open loop: from when it
// was due, so that a stall is felt by all whom it kept waiting) until the client had its answer, or gave up. Refusals have
// none.
type Availability struct {
	Total, Served, Failed, Unknown int
	Late                           int // served, but after the window
	Window                         Window
	Outage                         time.Duration // the longest time in which no operation was served
	OutageAt                       Window        // when that was
	latency                        *hdrhistogram.Histogram
}

// inFlight is for how long an operation may have waited at a window's end without telling anything about that window: it
// was on its way, as at every moment. Of a short window, a tenth.
const inFlight = 100 * time.Millisecond

// Latencies are kept from 1 µs to an hour with three significant digits.
const (
	latencyUnit   = time.Microsecond
	latencyMost   = time.Hour
	latencyDigits = 3
)

// Measure measures the operations of clients that began in the window. It fails when there is none.
func Measure(h History, which Which, w Window) (*Availability, error) {
	return measure(h, which, w, false)
}

// MeasureHarm measures the operations of clients in the time of a harm: those that began in it, and those that began just
// before it and waited in it. When all clients hang, none begins anything.
func MeasureHarm(h History, which Which, w Window) (*Availability, error) {
	return measure(h, which, w, true)
}

func measure(h History, which Which, w Window, harm bool) (*Availability, error) {
	part := h.where(func(o *Operation) bool {
		changes := o.changes()
		return o.Client > 0 && !o.Final && (which == Operations || changes == (which == Writes))
	})
	if len(part) == 0 {
		return nil, empty(string(which[:len(which)-1]) + " by a client")
	}
	all := Window{part[0].Start, part[0].End}
	for i := range part {
		all.Begin, all.End = min(all.Begin, part[i].begun()), max(all.End, part[i].End)
	}
	if w == (Window{}) {
		w = all
	}
	w = Window{max(w.Begin, all.Begin), min(w.End, all.End)}
	a := &Availability{Window: w, latency: hdrhistogram.New(1, int64(latencyMost/latencyUnit), latencyDigits)}
	young := min(int64(inFlight), (w.End-w.Begin)/10)
	var served []int64
	for i := range part {
		o := &part[i]
		if o.served() && o.End >= w.Begin && o.End <= w.End {
			served = append(served, o.End)
		}
		if in := w.holds(o, young) || harm && w.kept(o); !in {
			continue
		}
		if err := a.count(o); err != nil {
			return nil, err
		}
	}
	if a.Total == 0 {
		return nil, empty(string(which[:len(which)-1]) + " that began in that time")
	}
	a.outage(served)
	return a, nil
}

// holds tells whether an operation says something about the window: it began there, and was not merely on its way when that
// ended.
func (w Window) holds(o *Operation, young int64) bool {
	begun := o.begun()
	return begun >= w.Begin && begun <= w.End && (o.End <= w.End || w.End-begun >= young)
}

// kept tells whether an operation that began before the window waited in it.
func (w Window) kept(o *Operation) bool {
	return o.begun() < w.Begin && min(o.End, w.End)-w.Begin >= int64(inFlight)
}

func (o *Operation) served() bool { return o.Outcome == OK || o.Conflict }

func (o *Operation) begun() int64 {
	if o.Due != 0 {
		return o.Due
	}
	return o.Start
}

func (a *Availability) count(o *Operation) error {
	a.Total++
	switch {
	case o.served() && o.End > a.Window.End:
		a.Late++
	case o.served():
		a.Served++
	case o.Outcome == Failed:
		a.Failed++
		return nil
	default:
		a.Unknown++
	}
	took := min(max((o.End-o.begun())/int64(latencyUnit), 1), int64(latencyMost/latencyUnit))
	if err := a.latency.RecordValue(took); err != nil {
		return fmt.Errorf("latency of %s: %w", time.Duration(took)*latencyUnit, err)
	}
	return nil
}

// outage finds the longest time without a served operation, the ends of the window included.
func (a *Availability) outage(served []int64) {
	slices.Sort(served)
	last := a.Window.Begin
	for _, at := range append(served, a.Window.End) {
		if gap := time.Duration(at - last); gap > a.Outage {
			a.Outage, a.OutageAt = gap, Window{last, at}
		}
		last = at
	}
}

// Share is the share of operations that were served, from 0 to 1.
func (a *Availability) Share() float64 { return float64(a.Served) / float64(a.Total) }

// Latency is the value that a percentile (0 to 100) of latencies does not exceed, as HdrHistogram has it: within 0.1%.
// It is an error where no operation has one.
func (a *Availability) Latency(percentile float64) (time.Duration, error) {
	if a.latency.TotalCount() == 0 {
		return 0, fmt.Errorf("none of %s has a latency: all were refused", count(a.Total, "operation"))
	}
	return time.Duration(a.latency.ValueAtPercentile(percentile)) * latencyUnit, nil
}

// Mean is the mean latency.
func (a *Availability) Mean() time.Duration {
	return time.Duration(a.latency.Mean() * float64(latencyUnit))
}

// String says it for a person: "1,234 operations: 99.1% succeeded (1,223), 3 refused, 8 without an answer".
func (a *Availability) String() string {
	s := fmt.Sprintf("%s: %.4g%% succeeded (%d), %d refused, %d without an answer", count(a.Total, "operation"), 100*a.Share(), a.Served, a.Failed, a.Unknown)
	if a.Late > 0 {
		s += fmt.Sprintf(", %d answered only after that time", a.Late)
	}
	return s
}
