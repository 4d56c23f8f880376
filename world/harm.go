package world

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"brine.test/brine/world/record"
	"brine.test/brine/xdpfault"
)

// Harm is something done to the system that can be taken back. Heal is
// idempotent; Receipt tells what the harm touched so far, and after Heal what
// it touched in all.
type Harm interface {
	ID() string
	Heal(ctx context.Context) error
	Receipt() record.Receipt
}

// harmKind is the family of a harm: what heals it.
type harmKind string

const (
	kindIsolate harmKind = "isolate"
	kindSplit   harmKind = "split"
	kindCut     harmKind = "cut"
	kindDrop    harmKind = "drop"
	kindKill    harmKind = "kill"
	kindStop    harmKind = "stop"
	kindPause   harmKind = "pause"

	kindLoss      harmKind = "loss"
	kindCorrupt   harmKind = "corruption"
	kindDuplicate harmKind = "duplication"
	kindReorder   harmKind = "reordering"
	kindDelay     harmKind = "delay"
	kindRate      harmKind = "bandwidth limit"
	kindFlap      harmKind = "flapping"
	kindRefuse    harmKind = "no new connections"
	kindHang      harmKind = "hanging connections"
	kindReset     harmKind = "reset"
	kindNames     harmKind = "names"

	kindPower  harmKind = "power loss"
	kindMemory harmKind = "memory limit"
	kindOOM    harmKind = "out of memory"
	kindCPU    harmKind = "CPU limit"
	kindStress harmKind = "CPU stress"
	kindDisk   harmKind = "disk"
	kindJump   harmKind = "clock jump"
	kindDrift  harmKind = "clock drift"

	// kindRandom is the time in which random faults strike; each of them is a harm of its own.
	kindRandom harmKind = "random faults"
)

func (k harmKind) network() bool {
	switch k {
	case kindIsolate, kindSplit, kindCut, kindDrop, kindLoss, kindCorrupt, kindDuplicate, kindReorder,
		kindDelay, kindRate, kindFlap, kindRefuse, kindHang, kindNames:
		return true
	}
	return false
}

// momentary tells whether a harm is over when it is done.
func (k harmKind) momentary() bool {
	return k == kindKill || k == kindReset || k == kindPower || k == kindOOM || k == kindJump
}

// down tells whether healing a harm starts services again.
func (k harmKind) down() bool {
	return k == kindKill || k == kindStop || k == kindPower || k == kindOOM
}

// deadly tells whether services may be down for as long as the harm is on.
func (k harmKind) deadly() bool { return k.down() || k == kindDisk || k == kindMemory }

// active is a harm in this scenario: what was asked, by which sentence, on whom.
type active struct {
	id       string
	kind     harmKind
	what     string
	says     string // the sentence that asked for it, as written
	said     string // the same in the past: "node2 was isolated"
	who      []*Node
	services []*Service // those of them that it is about, of a pause
	lasts    Length     // how long its sentence gave it
	random   bool       // a random fault, which heals in its own time
	meant    time.Time  // when its sentence began: what was before that, was before the harm
	begun    time.Time
	from     mark             // when it began
	asked    []xdpfault.Link  // of a network harm: its links as asked
	match    []xdpfault.Match // and the packets on them

	mu     sync.Mutex
	undo   func(context.Context) error
	parts  parts // of a harm that is healed node by node: what undoes it on each
	gauge  func() record.Receipt
	handle *xdpfault.Handle // of a network harm
	inject time.Duration    // what putting it on took
	why    string           // why it ended
	done   bool
	ended  time.Time
	until  mark           // when it ended
	freed  map[*Node]mark // when it ended for nodes that were released from it
	w      *World
	rec    *record.Harm
}

var _ Harm = (*active)(nil)

// ID is unique in the run.
func (a *active) ID() string { return a.id }

// Receipt says what the harm touched.
func (a *active) Receipt() record.Receipt {
	if a.gauge == nil {
		return record.Receipt{}
	}
	return a.gauge()
}

// Heal takes the harm back and writes its receipt. A second call does nothing.
func (a *active) Heal(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.done {
		return nil
	}
	end := a.w.mark()
	if err := a.undo(ctx); err != nil {
		return fmt.Errorf("heal %s: %w", a.what, err)
	}
	a.finish(end)
	return nil
}

// release heals only the links that match, and the harm itself when none is
// left; for the nodes given it is over then. It tells whether any matched.
func (a *active) release(match func(xdpfault.Link) bool, nodes ...*Node) (hit bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.done || a.handle == nil {
		return false, nil
	}
	freed := slices.DeleteFunc(a.handle.Links(), func(l xdpfault.Link) bool { return !match(l) })
	if len(freed) == 0 {
		return false, nil
	}
	end := a.w.mark()
	if err := a.handle.Release(match); err != nil {
		return true, fmt.Errorf("heal part of %s: %w", a.what, err)
	}
	if left := a.handle.Links(); len(left) > 0 {
		a.free(left, end, nodes)
		a.rec.Release(a.w.linkNames(freed), a.Receipt())
		return true, nil
	}
	if err := a.handle.Heal(); err != nil {
		return true, fmt.Errorf("heal %s: %w", a.what, err)
	}
	a.finish(end)
	return true, nil
}

// free notes for which of its nodes the harm is over; a.mu is held.
func (a *active) free(left []xdpfault.Link, end mark, nodes []*Node) {
	on := map[int]bool{}
	for _, l := range left {
		on[l.From], on[l.To] = true, true
	}
	for _, n := range a.who {
		if _, known := a.freed[n]; (!on[n.Port()] || slices.Contains(nodes, n)) && !known {
			if a.freed == nil {
				a.freed = map[*Node]mark{}
			}
			a.freed[n] = end
		}
	}
}

// finish notes the end; a.mu is held.
func (a *active) finish(end mark) {
	a.done = true
	a.ended = time.Now()
	a.until = end
	a.w.harmEnded(a)
}

// begin registers a harm that is on, and lets it last as long as l says.
func (w *World) begin(ctx context.Context, a *active, l Length) error {
	a.w, a.lasts = w, l
	a.begun = time.Now()
	a.from = w.mark()
	a.meant = sentenceBegan(ctx, a.begun)
	a.says = sentenceOf(ctx)
	a.said = past(a.says)
	if b := blowOf(ctx); b != nil {
		a.random = true
		b.hit(a)
	}
	w.mu.Lock()
	w.harms = append(w.harms, a)
	for _, l := range w.leaders {
		l.moved = false
	}
	w.mu.Unlock()
	w.harmBegan(a, l)
	return w.lasting(ctx, a, l)
}

// lasting makes a harm last as long as l says: until healed, while the sentence
// waits, or on its own while the scenario goes on.
func (w *World) lasting(ctx context.Context, a *active, l Length) error {
	switch l.Kind {
	case ForWait:
		waitErr := w.Wait(ctx, l.D)
		a.setWhy(record.HealedByLength)
		return errors.Join(waitErr, a.Heal(context.WithoutCancel(ctx)))
	case ForNext:
		w.background(func(bg context.Context) error {
			if !waitTick(bg, l.D) {
				return nil // the scenario ends and heals it
			}
			a.setWhy(record.HealedByLength)
			return a.Heal(bg)
		})
	}
	return nil
}

// named gives a harm in the words of whoever asked for it.
func (a *active) named() string {
	if a.says != "" {
		return a.says
	}
	return a.what
}

// more is what a harm came down to, where its sentence does not say it: who "the leader" was.
func (a *active) more() string {
	said := strings.Fields(a.named())
	for _, word := range strings.Fields(a.what) {
		if !slices.Contains(said, word) {
			return a.what
		}
	}
	return ""
}

// allHarms lists the harms of the scenario, oldest first. The world's lock is
// free again when a harm's is taken: a harm that heals holds its own while it
// asks the world for names.
func (w *World) allHarms() []*active {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.harms)
}

// active lists the harms that are still on, oldest first.
func (w *World) active(match func(*active) bool) []*active {
	var out []*active
	for _, a := range w.allHarms() {
		a.mu.Lock()
		if !a.done && match(a) {
			out = append(out, a)
		}
		a.mu.Unlock()
	}
	return out
}

// healAll ends the harms that match, the latest first.
func (w *World) healAll(ctx context.Context, match func(*active) bool) error {
	harms := w.active(match)
	var errs []error
	for i := len(harms) - 1; i >= 0; i-- {
		errs = append(errs, harms[i].Heal(ctx))
	}
	return errors.Join(errs...)
}

// HealNetwork ends all harm to the network.
func (w *World) HealNetwork(ctx context.Context) error {
	return w.healAll(ctx, func(a *active) bool { return a.kind.network() })
}

// HealEverything ends every harm that is still on: random faults strike no more,
// paused nodes resume, the network, disks, clocks and limits are as before, and only then those that
// were killed, stopped, without power or without memory are started.
func (w *World) HealEverything(ctx context.Context) error {
	return errors.Join(
		w.stopRandom(ctx),
		w.healAll(ctx, func(a *active) bool { return !a.kind.down() }),
		w.healAll(ctx, func(*active) bool { return true }),
		w.startStarved(ctx))
}

// harmsOn describes what is on now, for the message of a failed assertion.
func (w *World) harmsOn() string {
	on := w.active(func(*active) bool { return true })
	if len(on) == 0 {
		return ""
	}
	words := make([]string, len(on))
	for i, a := range on {
		words[i] = a.since()
	}
	return listWords(words)
}

// since says a harm that is on, and for how long it has been.
func (a *active) since() string {
	text := "on for " + round(time.Since(a.begun)).String()
	if a.kind.momentary() {
		text = round(time.Since(a.begun)).String() + " ago"
	}
	if more := a.more(); more != "" {
		text = more + ", " + text
	}
	return a.named() + " (" + text + ")"
}

// setWhy says why the harm is about to end; healing by a sentence is the default.
func (a *active) setWhy(why string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.done {
		a.why = why
	}
}
