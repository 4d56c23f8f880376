package world

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"brine.test/brine/containers"
	"brine.test/brine/world/record"
	sel "brine.test/brine/world/selector"
)

// each runs f on every item at once and joins the errors in order.
func each[T any](items []T, f func(T) error) error {
	errs := make([]error, len(items))
	var wg sync.WaitGroup
	for i, item := range items {
		wg.Add(1)
		go func() {
			defer wg.Done()
			errs[i] = f(item)
		}()
	}
	wg.Wait()
	return errors.Join(errs...)
}

// targets are the services that a process sentence means: the one named, or all
// services of the nodes.
func (w *World) targets(ctx context.Context, who sel.Selector) ([]*Node, []*Service, error) {
	nodes, err := w.Resolve(ctx, who)
	if err != nil {
		return nil, nil, err
	}
	var out []*Service
	for _, n := range nodes {
		if who.Service == "" {
			out = append(out, n.services...)
			continue
		}
		s, err := n.service(who.Service)
		if err != nil {
			return nil, nil, err
		}
		out = append(out, s)
	}
	return nodes, out, nil
}

// Kill sends SIGKILL to the nodes' services, paused ones too; healing starts
// them again.
func (w *World) Kill(ctx context.Context, who sel.Selector, l Length) error {
	if err := w.takeDown(ctx, kindKill, who, l, func(s *Service) error { return s.kill(ctx) }); err != nil {
		return err
	}
	return w.thawDead(ctx)
}

// thawDead ends pauses where all that was paused is dead by now: that is not paused any more.
func (w *World) thawDead(ctx context.Context) error {
	dead := map[*active][]*Node{}
	all := w.active(func(a *active) bool {
		if a.kind == kindPause {
			dead[a] = slices.DeleteFunc(slices.Clone(a.who), func(n *Node) bool {
				return !a.on([]*Node{n}) || len(running(on(n, a.services))) > 0
			})
		}
		return len(dead[a]) > 0
	})
	return each(all, func(a *active) error { return a.healPart(ctx, dead[a]) })
}

// on are those of the services that belong to a node.
func on(n *Node, services []*Service) []*Service {
	return slices.DeleteFunc(slices.Clone(services), func(s *Service) bool { return s.node != n })
}

// Stop sends the service's stop signal and waits for its grace period.
func (w *World) Stop(ctx context.Context, who sel.Selector, l Length) error {
	return w.takeDown(ctx, kindStop, who, l, func(s *Service) error { return s.stop(ctx) })
}

func (w *World) takeDown(ctx context.Context, kind harmKind, who sel.Selector, l Length, down func(*Service) error) error {
	nodes, services, err := w.targets(ctx, who)
	if err != nil {
		return err
	}
	verb := map[harmKind]string{kindKill: "killed", kindStop: "stopped"}[kind]
	up := running(services)
	if len(up) == 0 {
		return fmt.Errorf("%s: does not run, so it cannot be %s", names(nodes), verb)
	}
	touched := processes(up)
	if err := each(up, down); err != nil {
		return err
	}
	w.setLast("killed", nodes)
	return w.begin(ctx, &active{
		id: w.nextID("harm"), kind: kind, who: nodes, what: fmt.Sprintf("%s %s", names(nodes), verb),
		undo:  func(ctx context.Context) error { return w.startDown(ctx, up) },
		gauge: func() record.Receipt { return record.Receipt{Processes: touched} },
	}, l)
}

// running are those of the services that are up.
func running(services []*Service) []*Service {
	return slices.DeleteFunc(slices.Clone(services), func(s *Service) bool { return !s.isUp() })
}

// startDown starts those of the services that are down.
func (w *World) startDown(ctx context.Context, services []*Service) error {
	return each(services, func(s *Service) error {
		if s.isUp() {
			return nil
		}
		return s.start(ctx)
	})
}

// StartAgain starts what was killed or stopped, on its disk as it was, and
// returns when it runs.
func (w *World) StartAgain(ctx context.Context, who sel.Selector) error {
	nodes, services, err := w.targets(ctx, who)
	if err != nil {
		return err
	}
	var down []*Service
	for _, s := range services {
		if !s.isUp() {
			down = append(down, s)
		}
	}
	if len(down) == 0 {
		return fmt.Errorf("%s: runs already\nhint: say \"is restarted\" to stop and start it", names(nodes))
	}
	if err := w.startDown(ctx, down); err != nil {
		return err
	}
	// The harms that took these services down are over once all they hit run.
	return w.healAll(ctx, func(a *active) bool {
		return a.kind.down() && allUp(a.who)
	})
}

func allUp(nodes []*Node) bool {
	for _, n := range nodes {
		for _, s := range n.services {
			if !s.isUp() {
				return false
			}
		}
	}
	return true
}

// Restart stops the services with their grace period and starts them again.
func (w *World) Restart(ctx context.Context, who sel.Selector) error {
	_, services, err := w.targets(ctx, who)
	if err != nil {
		return err
	}
	return each(services, func(s *Service) error {
		if s.isUp() {
			if err := s.stop(ctx); err != nil {
				return err
			}
		}
		return s.start(ctx)
	})
}

// Pause freezes the nodes' processes, as a long garbage collection would.
func (w *World) Pause(ctx context.Context, who sel.Selector, l Length) error {
	nodes, services, err := w.targets(ctx, who)
	if err != nil {
		return err
	}
	already := func(a *active) bool {
		return a.kind == kindPause && a.on(nodes) && slices.ContainsFunc(services, func(s *Service) bool { return slices.Contains(a.services, s) })
	}
	if len(w.active(already)) > 0 {
		return fmt.Errorf("%s: is paused already", names(nodes))
	}
	up := running(services)
	if len(up) == 0 {
		return fmt.Errorf("%s: does not run, so it cannot be paused", names(nodes))
	}
	whole := who.Service == "" || len(services) == countServices(nodes)
	frozen := processes(up)
	undo, err := w.freeze(ctx, nodes, up, whole)
	if err != nil {
		return errors.Join(err, undo.heal(context.WithoutCancel(ctx)))
	}
	w.setLast("paused", nodes)
	for _, s := range up {
		w.serviceState(s, record.Paused, "")
	}
	return w.beginParts(ctx, &active{
		kind: kindPause, who: nodes, services: up, what: names(nodes) + " paused",
		gauge: func() record.Receipt { return record.Receipt{Processes: frozen} },
	}, undo, l)
}

// freeze pauses the whole node's cgroup, or only the containers of services
// that run, and gives what lets each node go on.
func (w *World) freeze(ctx context.Context, nodes []*Node, services []*Service, whole bool) (parts, error) {
	undo := parts{}
	for _, n := range nodes {
		undo[n] = func(ctx context.Context) error { return w.thaw(ctx, n, on(n, services), whole) }
	}
	if whole {
		return undo, each(nodes, func(n *Node) error { return n.box.Pause(ctx) })
	}
	return undo, each(services, func(s *Service) error { return s.box.Pause(ctx) })
}

// thaw lets a node go on, or those of its services that are still paused.
func (w *World) thaw(ctx context.Context, n *Node, services []*Service, whole bool) error {
	var err error
	if whole {
		err = n.box.Resume(ctx)
	} else {
		err = each(services, func(s *Service) error {
			if s.box.State().Status != containers.Paused { // it was killed, and perhaps started again
				return nil
			}
			return s.box.Resume(ctx)
		})
	}
	for _, s := range services {
		w.serviceState(s, record.Resumed, "")
	}
	return err
}

func countServices(nodes []*Node) int {
	n := 0
	for _, node := range nodes {
		n += len(node.services)
	}
	return n
}

func overlap(a, b []*Node) bool {
	for _, x := range a {
		for _, y := range b {
			if x == y {
				return true
			}
		}
	}
	return false
}

// Resume thaws paused nodes.
func (w *World) Resume(ctx context.Context, who sel.Selector) error {
	nodes, err := w.Resolve(ctx, who)
	if err != nil {
		return err
	}
	hit, err := w.healOn(ctx, nodes, func(a *active) bool { return a.kind == kindPause })
	if err == nil && !hit {
		return fmt.Errorf("%s: is not paused\nhint: %s", names(nodes), w.onNow())
	}
	return err
}

// CrashLoop kills the nodes and starts them again, so many times, every so often.
// Whom the selector stands for is asked once, before the first kill.
func (w *World) CrashLoop(ctx context.Context, who sel.Selector, times int, every time.Duration) error {
	nodes, err := w.Resolve(ctx, who)
	if err != nil {
		return err
	}
	who = sel.Selector{Kind: sel.Named, Names: nodeNames(nodes), Service: who.Service, Text: who.Text}
	for i := range times {
		began := time.Now()
		if err := w.Kill(ctx, who, Length{}); err != nil {
			return fmt.Errorf("kill %d of %d: %w", i+1, times, err)
		}
		if err := w.StartAgain(ctx, who); err != nil {
			return fmt.Errorf("start %d of %d: %w", i+1, times, err)
		}
		if left := every - time.Since(began); i+1 < times && left > 0 {
			if err := w.Wait(ctx, left); err != nil {
				return err
			}
		}
	}
	return nil
}

// processes names the services' processes for a receipt.
func processes(services []*Service) []string {
	out := make([]string, len(services))
	for i, s := range services {
		pid := "ended by now"
		if n := s.box.State().PID; n > 0 {
			pid = fmt.Sprintf("pid %d", n)
		}
		out[i] = fmt.Sprintf("%s on %s (%s)", s.Name, s.node.Name, pid)
	}
	return out
}
