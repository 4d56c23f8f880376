package world

import (
	"context"
	"fmt"
	"time"

	"brine.test/brine/xdpfault"
)

// Lose drops a share of the packets (0 to 1), each by its own draw, or in
// bursts of so many on average (0: no bursts).
func (w *World) Lose(ctx context.Context, t Traffic, share float64, burst int, l Length) error {
	words := "lost"
	if burst > 0 {
		words += fmt.Sprintf(" in bursts of %d", burst)
	}
	return w.impair(ctx, kindLoss, t, share, words, xdpfault.Loss{Share: share, Burst: float64(burst)}, l)
}

// Corrupt flips a bit in a share of the packets. The receiver's checksum fails
// and its kernel drops them; undetected, the checksum is mended and the
// program gets changed data.
func (w *World) Corrupt(ctx context.Context, t Traffic, share float64, undetected bool, l Length) error {
	words := "corrupted"
	if undetected {
		words += " undetected"
	}
	return w.impair(ctx, kindCorrupt, t, share, words, xdpfault.Corrupt{Share: share, Undetected: undetected}, l)
}

// Duplicate sends a share of the packets twice.
func (w *World) Duplicate(ctx context.Context, t Traffic, share float64, l Length) error {
	return w.impair(ctx, kindDuplicate, t, share, "duplicated", xdpfault.Duplicate{Share: share}, l)
}

// Reorder holds a share of the packets back, so that later ones overtake them.
func (w *World) Reorder(ctx context.Context, t Traffic, share float64, l Length) error {
	return w.impair(ctx, kindReorder, t, share, "reordered", xdpfault.Reorder{Share: share}, l)
}

// impair puts a harm on a share of the packets.
func (w *World) impair(ctx context.Context, kind harmKind, t Traffic, share float64, words string, action xdpfault.Action, l Length) error {
	if share <= 0 {
		return fmt.Errorf("%g%%: a share of nothing harms nothing\nhint: write 0.1%% or more", share*100)
	}
	r, err := w.route(ctx, t)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("%g%% of %s %s", share*100, noun(t.Proto, "packets", r.words), words)
	return w.impose(ctx, &active{kind: kind, what: what, who: r.who}, l, r.rule(action))
}

// Lateness is how long packets are held back, one way: By, give or take Jitter.
type Lateness struct {
	By, Jitter time.Duration
	Spread     Spread
}

// Spread is how jitter is spread around the delay.
type Spread string

// The spreads. Of normal and pareto, the jitter is the standard deviation.
const (
	SpreadUniform Spread = "uniform"
	SpreadNormal  Spread = "normal"
	SpreadPareto  Spread = "pareto"
)

func (s Spread) dist() (xdpfault.Dist, error) {
	switch s {
	case "", SpreadUniform:
		return xdpfault.Uniform, nil
	case SpreadNormal:
		return xdpfault.Normal, nil
	case SpreadPareto:
		return xdpfault.Pareto, nil
	}
	return 0, fmt.Errorf("%s: expected a uniform, normal or pareto distribution", s)
}

func (d Lateness) String() string {
	text := "by " + d.By.String()
	if d.Jitter > 0 {
		text += " ± " + d.Jitter.String()
	}
	if d.Spread != "" {
		text += fmt.Sprintf(" with a %s distribution", d.Spread)
	}
	return text
}

// Delay holds every packet back; their order is kept.
func (w *World) Delay(ctx context.Context, t Traffic, d Lateness, l Length) error {
	dist, err := d.Spread.dist()
	if err != nil {
		return err
	}
	if d.Spread != "" && d.Jitter == 0 {
		return fmt.Errorf("delayed %s: a delay that is always the same has no distribution\nhint: write `by %s ± %s with a %s distribution`", d, d.By, d.By/5, d.Spread)
	}
	r, err := w.route(ctx, t)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("%s delayed %s", noun(t.Proto, "packets", r.words), d)
	return w.impose(ctx, &active{kind: kindDelay, what: what, who: r.who}, l,
		r.rule(xdpfault.Delay{By: d.By, Jitter: d.Jitter, Dist: dist}))
}

// LimitBandwidth lets so many bits per second pass; what exceeds it waits in a
// queue of so many packets (0: 50 ms worth, at least 64), and beyond that is
// dropped. "from" or "to" a node alone, all its links share the rate, as a
// machine's one cable; else each link and direction has it for itself.
func (w *World) LimitBandwidth(ctx context.Context, t Traffic, bitsPerSecond uint64, queue int, l Length) error {
	r, err := w.route(ctx, t)
	if err != nil {
		return err
	}
	action := xdpfault.Rate{BitsPerSecond: float64(bitsPerSecond), Queue: queue}
	what := fmt.Sprintf("%s limited to %s", noun(t.Proto, "bandwidth", r.words), bitRate(bitsPerSecond))
	if queue > 0 {
		what += fmt.Sprintf(" and a queue of %d packets", queue)
	}
	rules := []xdpfault.Rule{r.rule(action)}
	if cables := r.cables(); len(cables) > 0 {
		action.Shared, rules = true, nil
		for _, cable := range cables {
			rules = append(rules, xdpfault.Rule{Links: cable, Match: r.match, Action: action})
		}
	}
	return w.impose(ctx, &active{kind: kindRate, what: what, who: r.who}, l, rules...)
}

// cables are the links of each end, where the other end is anyone.
func (r route) cables() [][]xdpfault.Link {
	anyone := func(p ports) bool { return len(p) == 1 && p[0] == xdpfault.All }
	var out [][]xdpfault.Link
	switch {
	case anyone(r.from) == anyone(r.to):
	case anyone(r.to):
		for _, from := range r.from {
			out = append(out, links(ports{from}, r.to, false))
		}
	default:
		for _, to := range r.to {
			out = append(out, links(r.from, ports{to}, false))
		}
	}
	return out
}

func bitRate(n uint64) string {
	for _, u := range []struct {
		unit uint64
		name string
	}{{1e9, "Gbit/s"}, {1e6, "Mbit/s"}, {1e3, "kbit/s"}} {
		if n >= u.unit {
			return fmt.Sprintf("%g %s", float64(n)/float64(u.unit), u.name)
		}
	}
	return fmt.Sprintf("%d bit/s", n)
}

// Flap lets the links between two sides go down, up, down …, each for every.
func (w *World) Flap(ctx context.Context, t Traffic, every time.Duration, l Length) error {
	r, err := w.route(ctx, t)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("link %s flaps every %s", r.words, every)
	return w.impose(ctx, &active{kind: kindFlap, what: what, who: r.who}, l, r.rule(xdpfault.Flap{Every: every}))
}
