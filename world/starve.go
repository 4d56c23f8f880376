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
	// spare is what a node may still take when it runs out of memory.
	spare = 8 << 20
	// starveTime is how long it may take until the kernel has killed.
	starveTime = 20 * time.Second
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
	if now := p.limits.memory.now(p.memory); now > 0 {
		ceiling = min(ceiling, max(now, before.Memory))
	}
	up := p.up()
	for _, s := range up {
		s.expectDown()
		defer s.expectUp()
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
	ctx, cancel := context.WithTimeout(ctx, starveTime)
	defer cancel()
	if _, ok := firstStarved(ctx, up); !ok {
		now, _ := p.box.Usage() // only for the words
		return fmt.Errorf("%s: expected the kernel to kill for lack of memory, got none killed in %s (%s in use of %s)", p.label, starveTime, byteSize(now.Memory), byteSize(ceiling))
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

// firstStarved waits for the first service that the kernel kills for lack of
// memory.
func firstStarved(ctx context.Context, services []*Service) (*Service, bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ends := make(chan *Service, len(services))
	for _, s := range services {
		go func() {
			if st, err := s.box.Wait(ctx); err == nil && st.OOM {
				ends <- s
				return
			}
			ends <- nil
		}()
	}
	for range services {
		if s := <-ends; s != nil {
			return s, true
		}
	}
	return nil, false
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
