package world

import (
	"context"
	"errors"
	"fmt"
	"time"

	"brine.test/brine/containers"
	"brine.test/brine/world/guest"
	"brine.test/brine/world/record"
	sel "brine.test/brine/world/selector"
)

const (
	// spare is what a node may still take when it runs out of memory. Its services
	// are offered to the kernel first, and how much that counts goes by this limit.
	spare = 128 << 20
	// starveTime is how long it may take until the kernel has killed.
	starveTime = 20 * time.Second
	// wordTime is how long it may take from a program's end until it is known here.
	wordTime = 5 * time.Second
)

// RunOutOfMemory takes all memory that nodes or services have left, until the
// kernel kills the largest of their programs. Their limit is as before then, so
// that they can be started again.
func (w *World) RunOutOfMemory(ctx context.Context, who sel.Selector) error {
	nodes, places, err := w.places(ctx, who)
	if err != nil {
		return err
	}
	var up []*Service
	for _, p := range places {
		if len(p.up()) == 0 {
			return fmt.Errorf("%s: does not run, so it cannot run out of memory", p.label)
		}
		up = append(up, p.up()...)
	}
	before := processes(up)
	if err := each(places, func(p place) error { return w.runOut(ctx, p) }); err != nil {
		return err
	}
	var killed []*Service
	var victims []string
	for i, s := range up {
		if !s.isUp() {
			killed, victims = append(killed, s), append(victims, before[i])
		}
	}
	w.setLast("killed", nodes)
	return w.begin(ctx, &active{
		id: w.nextID("harm"), kind: kindOOM, who: nodes, what: labels(places) + " out of memory",
		undo: func(ctx context.Context) error { return w.startDown(ctx, killed) },
		gauge: func() record.Receipt {
			return record.Receipt{Processes: victims, Proof: fmt.Sprintf("the kernel's OOM killer ended %s", listWords(victims))}
		},
	}, Length{})
}

// runOut fills the place's memory until the kernel has killed a service of it.
func (w *World) runOut(ctx context.Context, p place) (err error) {
	id := w.nextID("limit")
	before, err := p.box.Usage()
	if err != nil {
		return err
	}
	ceiling := before.Memory + spare
	up := p.up()
	for _, s := range up {
		restore, err := s.box.OfferToOOM()
		if err != nil {
			return err
		}
		s.expectDown()
		defer s.expectUp()
		defer restore() //nolint:errcheck // of those that ended nothing is left, the others run on as likely victims
	}
	if err := p.limits.memory.put(ctx, id, ceiling, p.box.SetMemory); err != nil {
		return fmt.Errorf("%s: lower the memory limit to %s: %w", p.label, byteSize(ceiling), err)
	}
	defer func() {
		err = errors.Join(err, p.limits.memory.drop(context.WithoutCancel(ctx), id, p.memory, p.box.SetMemory))
	}()
	glutton, err := p.enter(guest.Fill)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, glutton.End(context.WithoutCancel(ctx))) }()
	if _, err := glutton.Write([]byte("\n")); err != nil {
		return fmt.Errorf("%s: fill its memory: %w", p.label, err)
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, starveTime)
	defer cancel()
	go func() {
		select {
		case <-glutton.Ended(): // nobody fills any more; it may be killed after a service, whose end is told by containerd
			waitTick(ctx, wordTime)
			cancel()
		case <-ctx.Done():
		}
	}()
	if !firstStarved(ctx, up) {
		now, _ := p.box.Usage() // only for the words
		return fmt.Errorf("%s: expected the kernel to kill one of its programs for lack of memory, got none killed in %s (%s in use of %s)",
			p.label, round(time.Since(began)), byteSize(now.Memory), byteSize(ceiling))
	}
	return nil
}

// enter starts a guest in the place.
func (p place) enter(task guest.Task) (*containers.Guest, error) {
	if len(p.services) == 1 && p.box == any(p.services[0].box) {
		return p.services[0].box.Guest(guest.Command(task))
	}
	return p.node.box.Guest(guest.Command(task), 1)
}

// firstStarved waits until the kernel has killed one of the services for lack of
// memory.
func firstStarved(ctx context.Context, services []*Service) bool {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	starved := make(chan bool, len(services))
	for _, s := range services {
		go func() {
			st, err := s.box.Wait(ctx)
			starved <- err == nil && st.OOM
		}()
	}
	for range services {
		if <-starved {
			return true
		}
	}
	return false
}

// expectUp takes expectDown back for a service that runs.
func (s *Service) expectUp() {
	if s.isUp() {
		s.mu.Lock()
		s.down = false
		s.mu.Unlock()
	}
}

// startStarved starts the services that the kernel killed because a limit was
// too low for them.
func (w *World) startStarved(ctx context.Context) error {
	var starved []*Service
	for _, n := range w.allNodes() {
		for _, s := range n.services {
			if s.box != nil && !s.isUp() && s.box.State().OOM {
				starved = append(starved, s)
			}
		}
	}
	return w.startDown(ctx, starved)
}
