package world

import (
	"context"
	"fmt"
	"strings"
	"time"

	"brine.test/brine/xdpfault"
)

// Compare is how a sentence compares a number.
type Compare string

// The comparisons; bounds are inclusive.
const (
	AtLeast Compare = "at least"
	AtMost  Compare = "at most"
	Exactly Compare = "exactly"
)

func (c Compare) holds(got, want uint64) bool {
	switch c {
	case AtLeast:
		return got >= want
	case AtMost:
		return got <= want
	}
	return got == want
}

// PacketCount is what a sentence says about packets: how many were sent, or
// arrived. Of several senders or receivers all packets together count.
type PacketCount struct {
	Traffic Traffic
	Arrived bool // after all harm; else as put on the wire, before any
	Compare Compare
	N       uint64
}

// countEvery is the pause between two looks at the counters.
const countEvery = 20 * time.Millisecond

// CountPackets judges packets of the system that the kernel counted: since the
// scenario began, in the next while, or while a harm was on.
func (w *World) CountPackets(ctx context.Context, c PacketCount, b Bound) error {
	r, err := w.route(ctx, c.Traffic)
	if err != nil {
		return err
	}
	judge := func(from, to xdpfault.Traffic, when string) error { return c.judge(w, r, from, to, when) }
	switch b.Kind {
	case While:
		span, err := w.During(ctx, b.While)
		if err != nil {
			return err
		}
		return judge(span.from.traffic, span.until.traffic, "while "+b.While)
	case For:
		return w.countFor(ctx, c, b.D, judge)
	}
	return w.Check(ctx, b, func(context.Context) error {
		return judge(xdpfault.Traffic{}, w.faults.Traffic(), "since the scenario began")
	})
}

// countFor counts during the next d. Too many packets are told at once.
func (w *World) countFor(ctx context.Context, c PacketCount, d time.Duration, judge func(from, to xdpfault.Traffic, when string) error) error {
	from, began := w.faults.Traffic(), time.Now()
	for {
		left := d - time.Since(began)
		if left <= 0 || c.Compare == AtMost {
			err := judge(from, w.faults.Traffic(), "during "+round(min(d, time.Since(began))).String())
			if err != nil || left <= 0 {
				return err
			}
		}
		wait := left
		if c.Compare == AtMost {
			wait = min(left, countEvery)
		}
		if !waitTick(ctx, wait) {
			return ctx.Err()
		}
	}
}

// judge counts between two readings.
func (c PacketCount) judge(w *World, r route, from, to xdpfault.Traffic, when string) error {
	var got, sent, arrived uint64
	var each []string
	for _, l := range r.links {
		before, now := from.Stats(l, r.match), to.Stats(l, r.match)
		s, a := more(before.Sent, now.Sent), more(before.Arrived, now.Arrived)
		sent, arrived = sent+s, arrived+a
		if s+a > 0 {
			each = append(each, fmt.Sprintf("%s to %s: %d sent, %d arrived", w.endName(l.From), w.endName(l.To), s, a))
		}
	}
	verb := "sent"
	if got = sent; c.Arrived {
		got, verb = arrived, "arrived"
	}
	if c.Compare.holds(got, c.N) {
		return nil
	}
	err := fmt.Errorf("%s %s: expected %s, got %d", noun(c.Traffic.Proto, "packets", r.words), when, c.wanted(), got)
	if len(each) > 0 {
		err = fmt.Errorf("%w %s (%s)", err, verb, strings.Join(each[:min(len(each), 5)], "; "))
	}
	return err
}

func (c PacketCount) wanted() string {
	if c.N == 0 && c.Compare != AtLeast {
		return "none"
	}
	return fmt.Sprintf("%s %d", c.Compare, c.N)
}

// more is how many packets were counted between two readings; a counter that
// was read while a packet was under way may be one behind.
func more(before, now xdpfault.Count) uint64 {
	if now.Packets < before.Packets {
		return 0
	}
	return now.Packets - before.Packets
}

func (w *World) endName(port int) string {
	if port == xdpfault.All {
		return "anyone"
	}
	return w.portName(port)
}
