package world

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"brine.test/brine/world/random"
	"brine.test/brine/world/record"
)

// blowLimit is how long one fault may take to be done, and to be healed.
const blowLimit = time.Minute

// striking is what one sentence lets strike, while it does.
type striking struct {
	w     *World
	do    func(context.Context, string) error
	seed  uint64
	nodes []*Node
	until Length
	whole *active           // the harm that stands for all of it
	draw  *random.Generator // nil: the schedule is given
	guard *random.Config    // what a drawn fault must not break, nil for none

	stopOnce sync.Once
	stopping chan struct{} // closed when the faults are told to stop
	done     chan struct{} // closed when all are over
	err      error         // of the whole, set before done

	wg      sync.WaitGroup
	mu      sync.Mutex
	plan    random.Schedule
	blows   []*blow
	claimed bool // somebody waits for the end, and takes the error
}

func (s *striking) stop() { s.stopOnce.Do(func() { close(s.stopping) }) }

func (s *striking) claim() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.claimed = true
}

func (s *striking) over() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// more draws the schedule up to a time; of one without an end, the next part of it.
func (s *striking) more(length time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if length > 0 {
		s.plan.Strikes = s.draw.Draw()
		return
	}
	from := time.Duration(0)
	if n := len(s.plan.Strikes); n > 0 {
		from = s.plan.Strikes[n-1].At
	}
	for {
		k, ok := s.draw.Next()
		if !ok {
			return
		}
		s.plan.Strikes = append(s.plan.Strikes, k)
		if k.At >= from+horizon {
			return
		}
	}
}

// run lets the faults of the schedule strike, each at its moment, until their time is over, they are told to stop, or
// the scenario ends.
func (s *striking) run(bg context.Context) error {
	defer close(s.done)
	began := time.Now()
	for i := 0; s.follow(bg, began, i); i++ {
	}
	if s.until.D > 0 {
		s.pause(bg, time.Until(began.Add(s.until.D)))
	} else if bg.Err() == nil {
		select {
		case <-s.stopping:
		case <-bg.Done():
		}
	}
	s.stop()
	s.wg.Wait()
	if bg.Err() != nil {
		s.tell(began)
		return nil // what is on is healed by the scenario's end
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(bg), blowLimit)
	defer cancel()
	errs := []error{s.revive(ctx, s.nodes)}
	for _, b := range s.all() {
		errs = append(errs, b.healing)
	}
	s.whole.setWhy(record.HealedByLength)
	errs = append(errs, s.whole.Heal(ctx), s.judge())
	s.tell(began)
	s.err = errors.Join(errs...)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.claimed {
		return nil
	}
	return s.err
}

// follow waits for the i-th fault of the schedule and lets it strike; it is false when none is left, or it is over.
func (s *striking) follow(bg context.Context, began time.Time, i int) bool {
	if i == len(s.plan.Strikes) && s.draw != nil && s.until.D == 0 {
		s.more(0)
		if err := s.w.writeSchedule(random.Schedule{Asked: s.plan.Asked, Strikes: s.plan.Strikes[i:]}); err != nil {
			s.w.rec.Note(record.LevelWarning, err.Error())
		}
	}
	if i >= len(s.plan.Strikes) || !s.pause(bg, time.Until(began.Add(s.plan.Strikes[i].At))) {
		return false
	}
	b := newBlow(s, i)
	s.mu.Lock()
	s.blows = append(s.blows, b)
	s.mu.Unlock()
	s.wg.Go(func() { b.strike(bg) })
	return true
}

// pause waits, and tells whether it was for all of d.
func (s *striking) pause(bg context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.stopping:
	case <-bg.Done():
	}
	return false
}

func (s *striking) all() []*blow {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.blows)
}

// revive starts the services of nodes that died while faults struck: those that no other harm keeps down.
func (s *striking) revive(ctx context.Context, nodes []*Node) error {
	var dead []*Service
	for _, n := range nodes {
		if s.w.node(n.Name) != n || len(s.w.active(func(a *active) bool { return a.kind.deadly() && includes(a.who, []*Node{n}) })) > 0 {
			continue
		}
		for _, v := range n.services {
			if v.box != nil && !v.isUp() {
				dead = append(dead, v)
			}
		}
	}
	return s.w.startDown(ctx, dead)
}

// judge tells when no fault struck at all: a test must not pass because its faults never happened.
func (s *striking) judge() error {
	s.mu.Lock()
	planned, blows := s.plan.Strikes, slices.Clone(s.blows)
	s.mu.Unlock()
	if len(planned) == 0 {
		return nil // a schedule that was given, and is empty
	}
	if len(blows) == 0 {
		return fmt.Errorf("random faults: none had struck: the first was to strike after %s", planned[0].At)
	}
	var why []string
	for _, b := range blows {
		_, reason, over := b.outcome()
		if !over || reason == "" {
			return nil
		}
		why = append(why, fmt.Sprintf("%s: %s", b.plan.Fault, reason))
	}
	return fmt.Errorf("random faults: none of %d could be done:\n  %s", len(blows), strings.Join(why, "\n  "))
}

// undone tells of the faults that could not be done, where each must be felt.
func (s *striking) undone() error {
	var errs []error
	for _, b := range s.all() {
		if _, why, over := b.outcome(); over && why != "" {
			errs = append(errs, fmt.Errorf("%s: not done: %s; and the scenario is %s", b.plan, why, strictTag))
		}
	}
	return errors.Join(errs...)
}

// receipt is what all faults touched together.
func (s *striking) receipt() record.Receipt {
	var all record.Receipt
	done, failed := 0, 0
	for _, b := range s.all() {
		if _, why, _ := b.outcome(); why != "" {
			failed++
			continue
		}
		done++
		for _, a := range b.harms() {
			all = total(all, a.Receipt())
		}
	}
	all.Proof = fmt.Sprintf("%d faults struck", done)
	if failed > 0 {
		all.Proof += fmt.Sprintf(", %d could not be done", failed)
	}
	return all
}

// tell writes what the faults really did into the record.
func (s *striking) tell(began time.Time) {
	rows := [][]string{{"at", "for", "fault", "began", "lasted", "outcome"}}
	for _, b := range s.all() {
		times, why, _ := b.outcome()
		row := []string{b.plan.At.String(), b.plan.For.String(), b.plan.Fault, "", "", why}
		if why == "" {
			row[3], row[4], row[5] = times[0].Sub(began).Round(time.Millisecond).String(), times[1].Sub(times[0]).Round(time.Millisecond).String(), "done"
		}
		rows = append(rows, row)
	}
	s.w.rec.AttachText("what the random faults did", "text/plain", random.Table(rows, ""))
}
