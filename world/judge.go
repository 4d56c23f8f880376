package world

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"brine.test/brine/world/history"
	"brine.test/brine/world/record"
)

// Judgement is a property of a history.
type Judgement int

// The properties.
const (
	Linearizable Judgement = iota
	Serializable
	StrictlySerializable
	NoLostWrite
	NoDuplicate
	NoTimeTravel
	LockExclusion
)

// JudgeHistory judges what the clients did, once they have stopped. An empty or undecided history fails. The judgement is
// in the record, a violation with the operations that prove it, and drawn where that helps.
//
// With broken it must be violated, as by a service whose mistake is known: a history that keeps the property, or leaves it
// undecided, fails.
func (w *World) JudgeHistory(ctx context.Context, j Judgement, broken bool) error {
	return w.judgeHistory(ctx, broken, func(h history.History) (finding, error) {
		switch j {
		case Linearizable:
			return w.linearizable(h)
		case Serializable, StrictlySerializable:
			return finding{}, history.Serializable(h, j == StrictlySerializable, history.Limits{})
		case NoLostWrite:
			return finding{}, history.NoLostWrites(h)
		case NoDuplicate:
			return finding{}, history.NoDuplicates(h)
		case NoTimeTravel:
			return finding{}, history.MonotonicReads(h)
		case LockExclusion:
			return finding{}, history.LockExclusion(h)
		}
		return finding{}, fmt.Errorf("judgement %d: unknown", j)
	})
}

// TotalAlways judges that all accounts together held so much in every read; with broken, that in some they did not.
func (w *World) TotalAlways(ctx context.Context, total int, broken bool) error {
	return w.judgeHistory(ctx, broken, func(h history.History) (finding, error) { return finding{}, history.Total(h, total) })
}

// finding is what shows a violation: a page, and the operations on it.
type finding struct {
	page  string
	drawn []history.Drawn
}

func (w *World) judgeHistory(ctx context.Context, broken bool, judge func(history.History) (finding, error)) error {
	h, err := w.finishedWork(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	shown, err := judge(h)
	found, drawing := "", shown.page
	var v *history.Violation
	if errors.As(err, &v) && len(shown.drawn) == 0 {
		shown.drawn = v.Drawn()
	}
	switch {
	case broken && err == nil:
		err = fmt.Errorf("expected a violation, got none in %d operations", len(h))
	case broken && errors.As(err, &v):
		found, err = v.Error(), nil
	}
	c := record.Check{Kind: "history", Name: sentenceOf(ctx), OK: err == nil, Detail: found, Drawing: drawing, Drawn: drawn(shown.drawn), Took: time.Since(began)}
	if err != nil {
		c.Detail = err.Error()
		err = fmt.Errorf("%w\nhistory: %s", err, w.work.rel)
	} else if found == "" {
		c.Detail = fmt.Sprintf("judged %d operations in %s", len(h), round(time.Since(began)))
	}
	if drawing != "" && err != nil {
		err = fmt.Errorf("%w\ndrawing: %s", err, drawing)
	}
	w.rec.Check(c)
	return err
}

// linearizable judges keys as registers, and workloads that change several keys at one instant as transactions.
func (w *World) linearizable(h history.History) (finding, error) {
	transactions := append(h.Of(history.Accounts), h.Of(history.Lists)...)
	if len(transactions) > 0 {
		if err := history.Serializable(transactions, true, history.Limits{}); err != nil {
			return finding{}, err
		}
		var rest history.History
		for _, o := range h {
			if o.Work != history.Accounts && o.Work != history.Lists {
				rest = append(rest, o)
			}
		}
		if len(rest) == 0 {
			return finding{}, nil
		}
		h = rest
	}
	r := history.Linearizable(h, history.Limits{})
	if r.Violation == nil {
		return finding{}, r.Err
	}
	path, rel := w.rec.Artifact("linearizability.html")
	if err := r.Drawing(path, w.harmSpans()); err != nil {
		return finding{}, errors.Join(r.Err, err)
	}
	return finding{rel, r.Drawn()}, r.Err
}

func drawn(all []history.Drawn) []record.Drawn {
	out := make([]record.Drawn, len(all))
	for i, d := range all {
		out[i] = record.Drawn(d)
	}
	return out
}

// harmSpans are the harms of the scenario on the record's clock.
func (w *World) harmSpans() []history.Span {
	harms := w.allHarms()
	var all []history.Span
	for _, a := range harms {
		a.mu.Lock()
		end := time.Now()
		if a.done {
			end = a.ended
		}
		all = append(all, history.Span{Text: a.named(), Begin: w.mono(a.begun), End: w.mono(end)})
		a.mu.Unlock()
	}
	return all
}

// mono is a moment on the record's clock.
func (w *World) mono(t time.Time) int64 {
	return w.suite.rec.Now().Mono - time.Since(t).Nanoseconds()
}

// window is the time that a bound means: all of the work, or that of a harm.
func (w *World) window(ctx context.Context, b Bound) (history.Window, error) {
	switch b.Kind {
	case Now:
		return history.Window{}, nil
	case While:
		span, err := w.During(ctx, b.While)
		if err != nil {
			return history.Window{}, err
		}
		return history.Window{Begin: w.mono(span.Begin), End: w.mono(span.End)}, nil
	case Before:
		a, _, err := w.meant(ctx, w.allHarms(), b.While)
		if err != nil {
			return history.Window{}, err
		}
		return history.Window{Begin: math.MinInt64, End: w.mono(a.meant)}, nil
	case After:
		span, err := w.During(ctx, b.While)
		if err != nil {
			return history.Window{}, err
		}
		return history.Window{Begin: w.mono(span.End), End: math.MaxInt64}, nil
	}
	return history.Window{}, errors.New("a history is over: it can be looked at once, as a whole, or before, while or after a harm was on\nhint: leave the time bound away, or write `while node2 was isolated`, `before node2 was isolated` or `after node2 was isolated`")
}

// measure measures what clients did in the time that a bound means. Where that is over it may do so while they still
// work.
func (w *World) measure(ctx context.Context, which history.Which, b Bound) (*history.Availability, error) {
	at, err := w.window(ctx, b)
	if err != nil {
		return nil, err
	}
	load := w.finishedWork
	if b.Kind == While || b.Kind == Before {
		load = func(context.Context) (history.History, error) { return w.loadHistory() }
	}
	h, err := load(ctx)
	if err != nil {
		return nil, err
	}
	if b.Kind == While {
		return history.MeasureHarm(h, which, at)
	}
	return history.Measure(h, which, at)
}

// judged writes an availability's judgement down.
func (w *World) judged(ctx context.Context, a *history.Availability, err error) error {
	c := record.Check{Kind: "history", Name: sentenceOf(ctx), OK: err == nil, Detail: a.String()}
	if err != nil {
		c.Detail = strings.TrimSpace(err.Error())
	}
	w.rec.Check(c)
	return err
}

// Succeeded judges the share of operations that were served: at least so much of 1.
func (w *World) Succeeded(ctx context.Context, which history.Which, c Compare, share float64, b Bound) error {
	a, err := w.measure(ctx, which, b)
	if err != nil {
		return err
	}
	if got := a.Share(); c == AtLeast && got < share || c == AtMost && got > share {
		err = fmt.Errorf("expected %s %.4g%% of %s to succeed, got %s", c, 100*share, which, a)
	}
	return w.judged(ctx, a, err)
}

// LongestOutage judges the longest time in which no operation was served.
func (w *World) LongestOutage(ctx context.Context, c Compare, limit time.Duration, b Bound) error {
	a, err := w.measure(ctx, history.Operations, b)
	if err != nil {
		return err
	}
	if c == AtMost && a.Outage > limit || c == AtLeast && a.Outage < limit {
		began := w.work.read.Began()
		err = fmt.Errorf("expected the longest outage to be %s %s, got %s: from %.3fs to %.3fs after the clients began (%s)",
			c, limit, round(a.Outage), float64(a.OutageAt.Begin-began)/1e9, float64(a.OutageAt.End-began)/1e9, a)
	}
	return w.judged(ctx, a, err)
}

// Latency judges a percentile of latencies (100 is the maximum), or with percentile 0 their mean.
func (w *World) Latency(ctx context.Context, which history.Which, percentile float64, c Compare, limit time.Duration, b Bound) error {
	a, err := w.measure(ctx, which, b)
	if err != nil {
		return err
	}
	got, name := a.Mean(), "mean"
	if percentile > 0 {
		name = fmt.Sprintf("p%g", percentile)
		if got, err = a.Latency(percentile); err != nil {
			return err
		}
	}
	if c == AtMost && got > limit || c == AtLeast && got < limit {
		err = fmt.Errorf("expected the %s latency of %s to be %s %s, got %s (%s)", name, which, c, limit, got, a)
	}
	return w.judged(ctx, a, err)
}
