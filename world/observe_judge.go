package world

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"brine.test/brine/observe"
)

// Limit is a bound on a number, inclusive.
type Limit struct {
	Below bool // or equal; else above or equal
	Value float64
}

func (l Limit) holds(v float64) bool {
	if l.Below {
		return v <= l.Value
	}
	return v >= l.Value
}

func (l Limit) words() string {
	if l.Below {
		return "at most"
	}
	return "at least"
}

// HTTPLatency judges the latency of requests: stat is "median", "mean", "max", or "p99" and the like; the limit is in ns.
func (w *World) HTTPLatency(ctx context.Context, stat string, r Requests, l Limit, b Bound) error {
	return w.overTime(ctx, r, b, func(win window, t *observe.Tables, _ time.Duration) error {
		if len(win.latencies) == 0 {
			return fmt.Errorf("latency of %s: %d requests were seen, and none was answered", r, win.broken)
		}
		got, err := win.latency(stat)
		if err != nil {
			return err
		}
		if l.holds(float64(got)) {
			return nil
		}
		return fmt.Errorf("%s latency of %s: expected %s %s, got %s (%s)", stat, r, l.words(), time.Duration(l.Value), round2(got), win.summary(t))
	})
}

func (w *window) latency(stat string) (time.Duration, error) {
	switch stat {
	case "median":
		return time.Duration(w.quantile(0.5)), nil
	case "max", "maximum":
		return time.Duration(w.quantile(1)), nil
	case "mean":
		sum := 0.0
		for _, v := range w.latencies {
			sum += float64(v)
		}
		return time.Duration(sum / float64(len(w.latencies))), nil
	}
	p, err := strconv.ParseFloat(strings.TrimPrefix(stat, "p"), 64)
	if err != nil || p <= 0 || p > 100 {
		return 0, fmt.Errorf("%s: expected median, mean, max, or a percentile such as p99 or p99.9", stat)
	}
	return time.Duration(w.quantile(p / 100)), nil
}

func (w *window) summary(t *observe.Tables) string {
	s := fmt.Sprintf("%d requests: median %s, p90 %s, p99 %s, max %s", w.requests(),
		round2(time.Duration(w.quantile(0.5))), round2(time.Duration(w.quantile(0.9))), round2(time.Duration(w.quantile(0.99))), round2(time.Duration(w.quantile(1))))
	if w.failed+w.broken > 0 {
		s += fmt.Sprintf("; %d failed, %d without an answer", w.failed, w.broken)
	}
	if t.Loss.Any() {
		s += "; not all was seen: " + t.Loss.String()
	}
	return s
}

func round2(d time.Duration) time.Duration {
	switch {
	case d < time.Millisecond:
		return d.Round(time.Microsecond)
	case d < time.Second:
		return d.Round(100 * time.Microsecond)
	}
	return d.Round(time.Millisecond)
}

// HTTPErrorRate judges the share of requests that were answered with a status of 400 or above, a gRPC status other than
// OK, or not at all. The limit is a share from 0 to 1.
func (w *World) HTTPErrorRate(ctx context.Context, r Requests, l Limit, b Bound) error {
	return w.overTime(ctx, r, b, func(win window, t *observe.Tables, _ time.Duration) error {
		got := float64(win.failed+win.broken) / float64(win.requests())
		if l.holds(got) {
			return nil
		}
		return fmt.Errorf("error rate of %s: expected %s %s, got %s (%s)", r, l.words(), percent(l.Value), percent(got), win.summary(t))
	})
}

func percent(share float64) string {
	return strconv.FormatFloat(math.Round(share*1e6)/1e4, 'f', -1, 64) + "%"
}

// HTTPThroughput judges how many requests were answered in a second. A time that began before any was seen counts from
// the first on.
func (w *World) HTTPThroughput(ctx context.Context, r Requests, l Limit, b Bound) error {
	return w.overTime(ctx, r, b, func(win window, t *observe.Tables, took time.Duration) error {
		got := float64(win.answered) / max(took.Seconds(), 1e-3)
		if l.holds(got) {
			return nil
		}
		return fmt.Errorf("throughput of %s: expected %s %g requests per second, got %.3g (%s in %s)", r, l.words(), l.Value, got, win.summary(t), round(took))
	})
}

// overTime looks at the requests of the time that the sentence means. No request at all fails it.
func (w *World) overTime(ctx context.Context, r Requests, b Bound, judge func(win window, t *observe.Tables, took time.Duration) error) error {
	p, err := w.requestsMeant(ctx, r)
	if err != nil {
		return err
	}
	look := func(ctx context.Context, from, until time.Time, when string) error {
		win, t, err := w.look(ctx, p, unixOr(from), until.UnixNano())
		if err != nil {
			return err
		}
		if win.requests() == 0 {
			return fmt.Errorf("%s%s: no request was seen, so nothing can be said about them (%s)\nhint: send some: `10 requests per second are sent to \"http://node1:8080/\" continuously`", r, when, t.Loss)
		}
		if first := time.Unix(0, win.first); win.first > 0 && first.After(from) && when == "" {
			from = first
		}
		return judge(win, t, until.Sub(from))
	}
	if b.Kind == While {
		span, err := w.During(ctx, b.While)
		if err != nil {
			return err
		}
		return look(ctx, span.Begin, span.End, " while "+b.While)
	}
	return w.Check(ctx, b, func(ctx context.Context) error {
		now := time.Now()
		var from time.Time
		if r.Last > 0 {
			from = now.Add(-r.Last)
		}
		return look(ctx, from, now, "")
	})
}

func unixOr(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}
