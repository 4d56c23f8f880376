package world

import (
	"context"
	"errors"
	"fmt"
	"time"

	"brine.test/brine/containers"
	"brine.test/brine/world/catalogue"
	"brine.test/brine/world/probe"
	"brine.test/brine/world/record"
	sel "brine.test/brine/world/selector"
)

// lastWords is how many lines of a service's output a failed start shows.
const lastWords = 12

// startNodes starts the services of the nodes, node after node in the service's
// stagger, and waits until all are ready. A service that others of its node
// come after is waited for first.
func (w *World) startNodes(ctx context.Context, nodes []*Node) error {
	orders := make([][]*Service, len(nodes))
	for i, n := range nodes {
		var err error
		if orders[i], err = n.order(); err != nil {
			return err
		}
	}
	starting, cancel := context.WithCancel(ctx)
	defer cancel()
	var delay time.Duration
	begins := make(map[*Node]time.Duration, len(nodes))
	for i, n := range nodes {
		begins[n] = delay
		for _, s := range orders[i] {
			delay += s.def.Start.Stagger
			break
		}
	}
	at := make(map[*Node][]*Service, len(nodes))
	for i, n := range nodes {
		at[n] = orders[i]
	}
	gates := newGates(nodes)
	err := each(nodes, func(n *Node) error {
		if !waitTick(starting, begins[n]) {
			return nil // another failed
		}
		err := gates.wait(starting, n)
		if err == nil {
			err = w.startNode(starting, at[n], func() { close(gates[n.Name].started) })
		}
		if err == nil {
			close(gates[n.Name].ready)
		} else {
			if starting.Err() != nil && ctx.Err() == nil {
				return nil
			}
			cancel()
			return err
		}
		return nil
	})
	if err == nil {
		w.noteFirstLeaders(ctx)
	}
	return err
}

// startNode starts the services of one node in their order, tells when all of
// them run, and waits until they are ready.
func (w *World) startNode(ctx context.Context, order []*Service, started func()) error {
	for i, s := range order {
		if err := s.start(ctx); err != nil {
			return err
		}
		if waitedFor(s.def.Name, order[i+1:]) {
			if err := w.awaitReady(ctx, s); err != nil {
				return err
			}
		}
	}
	started()
	return each(order, func(s *Service) error { return w.awaitReady(ctx, s) })
}

// order sorts the node's services by start.after.
func (n *Node) order() ([]*Service, error) {
	defs := make([]*catalogue.Service, len(n.services))
	by := map[*catalogue.Service]*Service{}
	for i, s := range n.services {
		defs[i] = s.def
		by[s.def] = s
	}
	sorted, err := catalogue.Order(defs)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.Name, err)
	}
	out := make([]*Service, len(sorted))
	for i, d := range sorted {
		out[i] = by[d]
	}
	return out, nil
}

func waitedFor(name string, later []*Service) bool {
	for _, s := range later {
		for _, after := range s.def.Before() {
			if after == name {
				return true
			}
		}
	}
	return false
}

// awaitReady waits until a service's readiness probe passes; without a probe it
// is ready when it runs, and has not failed at once. The error holds the
// probe's last answer and the last lines of the service's output.
func (w *World) awaitReady(ctx context.Context, s *Service) error {
	if s.inst.Ready == nil {
		if err := s.staysUp(ctx); err != nil {
			files, _ := streams([]*Node{s.node}, s.Name)
			return fmt.Errorf("%s is not ready: %w\nlast lines of its output:\n%s", s.label(), err, tail(files, lastWords))
		}
		w.serviceState(s, record.Ready, "")
		return nil
	}
	began := time.Now()
	err := probe.Wait(ctx, s.inst.Ready, w.probeTarget(s))
	w.rec.Probe(record.Probe{Service: s.Name, Node: s.node.Name, Kind: s.inst.Ready.Kind(), OK: err == nil, Answer: answerOf(err), Took: time.Since(began)})
	if err != nil {
		files, _ := streams([]*Node{s.node}, s.Name)
		return fmt.Errorf("%s is not ready: %w\nlast lines of its output:\n%s", s.label(), err, tail(files, lastWords))
	}
	w.serviceState(s, record.Ready, "")
	return nil
}

// failsAtOnce is how soon after its start a service without a probe must end
// with an error to be taken for one that never came up.
const failsAtOnce = 100 * time.Millisecond

// staysUp watches the first moments of a service without a probe. One that has
// done its work by then, and ended with code 0, is as ready as it will be.
func (s *Service) staysUp(ctx context.Context) error {
	watch, cancel := context.WithTimeout(ctx, failsAtOnce)
	defer cancel()
	st, err := s.box.Wait(watch)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil && st.Code != 0:
		return errors.New(s.downState())
	}
	return nil
}

func answerOf(err error) string {
	if err == nil {
		return ""
	}
	return clip(err.Error())
}

// Ready holds when the readiness probes of the nodes' services pass.
func (w *World) Ready(ctx context.Context, who sel.Selector, b Bound) error {
	_, services, err := w.targets(ctx, who)
	if err != nil {
		return err
	}
	return w.Check(ctx, b, func(ctx context.Context) error {
		return each(services, func(s *Service) error { return w.lookReady(ctx, s) })
	})
}

func (w *World) lookReady(ctx context.Context, s *Service) error {
	if !s.isUp() {
		return fmt.Errorf("%s: %s", s.label(), s.downState())
	}
	if s.inst.Ready == nil {
		return nil
	}
	if err := probe.Once(ctx, s.inst.Ready, w.probeTarget(s)); err != nil {
		return fmt.Errorf("%s is not ready: %w", s.label(), err)
	}
	w.serviceState(s, record.Ready, "")
	return nil
}

// downState says why a service does not run.
func (s *Service) downState() string {
	switch st := s.box.State(); {
	case st.Starts == 0:
		return "was not started"
	case st.OOM:
		return fmt.Sprintf("was killed for lack of memory %s ago", round(time.Since(st.Since)))
	default:
		return fmt.Sprintf("exited %d %s ago", st.Code, round(time.Since(st.Since)))
	}
}

// Running holds when the nodes' services run, ready or not.
func (w *World) Running(ctx context.Context, who sel.Selector, b Bound) error {
	_, services, err := w.targets(ctx, who)
	if err != nil {
		return err
	}
	return w.Check(ctx, b, func(context.Context) error {
		for _, s := range services {
			if !s.isUp() {
				return fmt.Errorf("%s: %s", s.label(), s.downState())
			}
		}
		return nil
	})
}

// Exited holds when a service of each node has ended with the code.
func (w *World) Exited(ctx context.Context, who sel.Selector, code int, b Bound) error {
	return w.ended(ctx, who, b, func(s *Service, st containers.State) error {
		if st.Code != code {
			return fmt.Errorf("expected %s to have exited with code %d, got %d", s.label(), code, st.Code)
		}
		return nil
	})
}

// KilledByOOM holds when the kernel killed a service of each node for lack of
// memory.
func (w *World) KilledByOOM(ctx context.Context, who sel.Selector, b Bound) error {
	return w.ended(ctx, who, b, func(s *Service, st containers.State) error {
		if !st.OOM {
			return fmt.Errorf("expected %s to have been killed for lack of memory, got exit code %d", s.label(), st.Code)
		}
		return nil
	})
}

func (w *World) ended(ctx context.Context, who sel.Selector, b Bound, judge func(*Service, containers.State) error) error {
	nodes, services, err := w.targets(ctx, who)
	if err != nil {
		return err
	}
	return w.Check(ctx, b, func(context.Context) error {
		for _, n := range nodes {
			var errs []error
			fits := false
			for _, s := range services {
				if s.node != n {
					continue
				}
				st := s.box.State()
				if st.Up() || st.Starts == 0 {
					errs = append(errs, fmt.Errorf("%s: has not exited", s.label()))
					continue
				}
				if err := judge(s, st); err != nil {
					errs = append(errs, err)
					continue
				}
				fits = true
			}
			if !fits {
				return errors.Join(errs...)
			}
		}
		return nil
	})
}

// ClusterHealthy holds when every node is ready and, where a service has
// leaders, exactly one leads and all the others follow it.
func (w *World) ClusterHealthy(ctx context.Context, b Bound) error {
	all := sel.Selector{Kind: sel.All, Text: "all nodes"}
	return w.Check(ctx, b, func(ctx context.Context) error {
		if err := w.Ready(ctx, all, Bound{}); err != nil {
			return err
		}
		return each(w.electorates(), func(e electorate) error { return w.oneLeads(ctx, e) })
	})
}

// noteFirstLeaders remembers who leads when the cluster is ready, so that a
// later change can be told.
func (w *World) noteFirstLeaders(ctx context.Context) {
	for _, e := range w.electorates() {
		if n, ok := electedOf(w.claims(ctx, e), len(w.voters(e))); ok {
			w.setLeader(e, n)
		}
	}
}

// probeTarget is how a readiness probe reaches the service: inside the node's
// own network, where no harm between nodes touches it.
func (w *World) probeTarget(s *Service) probe.Target {
	t := s.target(s.node.net.DialContext)
	stdout, stderr := s.box.LogPaths()
	s.mu.Lock()
	defer s.mu.Unlock()
	return probe.Target{
		Name: s.label(), IP: t.IP, Dial: t.Dial, Exec: t.Exec,
		Logs:     []probe.Log{{Path: stdout, Offset: s.logFrom[0]}, {Path: stderr, Offset: s.logFrom[1]}},
		Hopeless: func(err error) bool { return errors.Is(err, containers.ErrNoProgram) },
		Exited: func() (string, bool) {
			if s.isUp() {
				return "", false
			}
			return s.downState(), true
		},
	}
}
