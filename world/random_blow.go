package world

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"brine.test/brine/world/random"
	"brine.test/brine/world/record"
)

// blow is one fault of a schedule as it happens.
type blow struct {
	s    *striking
	plan random.Strike
	rng  *rand.Rand // of what its sentence leaves open, such as "a follower"; under the world's lock

	mu           sync.Mutex
	begun, ended time.Time
	why          string // it could not be done
	did          []*active
	healing      error // it could not be healed; read when it is over
}

type blowKey struct{}

// blowOf is the random fault that ctx belongs to, or nil.
func blowOf(ctx context.Context) *blow {
	b, _ := ctx.Value(blowKey{}).(*blow)
	return b
}

func newBlow(s *striking, i int) *blow {
	return &blow{s: s, plan: s.plan.Strikes[i], rng: rand.New(rand.NewPCG(s.seed, uint64(i)))}
}

// hit notes a harm that the fault's sentence did.
func (b *blow) hit(a *active) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.did = append(b.did, a)
}

func (b *blow) harms() []*active {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.did)
}

// outcome tells when the fault began and ended, and why it could not be done; over that all this is known.
func (b *blow) outcome() (times [2]time.Time, why string, over bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	times = [2]time.Time{b.begun, b.ended}
	if b.ended.IsZero() {
		times[1] = time.Now()
	}
	return times, b.why, b.why != "" || !b.begun.IsZero()
}

// strike does the fault, waits its time, and heals it.
func (b *blow) strike(bg context.Context) {
	why := b.refused()
	if why == "" {
		ctx, cancel := context.WithTimeout(context.WithValue(Into(bg, b.s.w), blowKey{}, b), blowLimit)
		err := protect(func() error { return b.s.do(ctx, b.plan.Fault) })
		cancel()
		if err != nil {
			why = strings.SplitN(err.Error(), "\n", 2)[0]
		}
	}
	if bg.Err() != nil {
		return // the scenario ends, and heals what is on
	}
	b.mu.Lock()
	b.begun, b.why = time.Now(), why
	b.mu.Unlock()
	if why != "" {
		b.s.w.rec.Note(record.LevelWarning, fmt.Sprintf("random fault %s: not done: %s", b.plan, why))
	} else if b.plan.For > 0 {
		b.s.pause(bg, b.plan.For)
	} else if len(b.harms()) > 0 { // it lasts until the faults stop
		select {
		case <-b.s.stopping:
		case <-bg.Done():
		}
	}
	if bg.Err() != nil {
		return
	}
	err := b.heal(context.WithoutCancel(bg))
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended, b.healing = time.Now(), err
}

// heal ends what the fault did, the latest first, and starts what died of it.
func (b *blow) heal(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, blowLimit)
	defer cancel()
	var errs []error
	harms := b.harms()
	var who []*Node
	for _, a := range slices.Backward(harms) {
		a.setWhy(record.HealedByLength)
		errs = append(errs, a.Heal(ctx))
		who = append(who, a.who...)
	}
	return errors.Join(append(errs, b.s.revive(ctx, unique(who)))...)
}

// refused tells why the fault must not strike now: the system is not as its schedule takes it to be, for faults take
// longer to heal than they should, or sentences harm it too.
func (b *blow) refused() string {
	w, cfg := b.s.w, b.s.guard
	if cfg == nil {
		return ""
	}
	for _, name := range b.plan.Nodes {
		n := w.node(name)
		switch {
		case n == nil:
			return name + " is not there any more"
		case !n.running(""):
			return name + " does not run"
		}
		for _, other := range b.s.all() {
			if other != b && other.on() && slices.Contains(other.plan.Nodes, name) {
				return fmt.Sprintf("on %s is still: %s", name, other.plan.Fault)
			}
		}
	}
	down := b.down()
	if !b.plan.Down || cfg.AllowMajority || len(down) == 0 {
		return ""
	}
	more := append(slices.Clone(down), b.plan.Nodes...)
	if len(b.plan.Nodes) == 0 { // who that is, is known only when it strikes
		more = append(more, w.oneMore(cfg.Groups, down)...)
	}
	if !random.StaysUp(cfg.Groups, more) {
		return fmt.Sprintf("a majority would be down, for %s down already", listWords(down)+isAre(len(down)))
	}
	return ""
}

// oneMore gives of each group a node that is not down.
func (w *World) oneMore(groups [][]string, down []string) []string {
	var out []string
	for _, group := range groups {
		if i := slices.IndexFunc(group, func(n string) bool { return !slices.Contains(down, n) }); i >= 0 {
			out = append(out, group[i])
		}
	}
	return out
}

func isAre(n int) string {
	if n == 1 {
		return " is"
	}
	return " are"
}

// on tells whether the fault was done and is not healed yet.
func (b *blow) on() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.why == "" && b.ended.IsZero()
}

// down are the nodes that serve nobody now, because of other random faults or of sentences.
func (b *blow) down() []string {
	w := b.s.w
	out := map[string]bool{}
	for _, s := range w.striking() {
		for _, other := range s.all() {
			if other != b && other.plan.Down && other.on() {
				for _, name := range other.plan.Nodes {
					out[name] = true
				}
			}
		}
	}
	off := w.active(func(a *active) bool { return a.kind.down() || a.kind == kindPause || a.kind == kindIsolate })
	for _, n := range w.allNodes() {
		harmed := slices.ContainsFunc(off, func(a *active) bool { return includes(a.who, []*Node{n}) })
		if harmed || len(n.services) > 0 && !n.running("") {
			out[n.Name] = true
		}
	}
	return keys(out)
}

// total adds receipts up.
func total(a, b record.Receipt) record.Receipt {
	sum := func(x *record.Count, y record.Count) { x.Packets, x.Bytes = x.Packets+y.Packets, x.Bytes+y.Bytes }
	for _, p := range b.Processes {
		if !slices.Contains(a.Processes, p) {
			a.Processes = append(a.Processes, p)
		}
	}
	b.Processes = nil
	a = join(a, b)
	sum(&a.Matched, b.Matched)
	sum(&a.Dropped, b.Dropped)
	sum(&a.Delayed, b.Delayed)
	sum(&a.Corrupted, b.Corrupted)
	sum(&a.Duplicated, b.Duplicated)
	sum(&a.Reordered, b.Reordered)
	a.Queries += b.Queries
	a.Connections = append(a.Connections, b.Connections...)
	return a
}
