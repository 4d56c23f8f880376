package world

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"brine.test/brine/containers"
	"brine.test/brine/world/client"
	"brine.test/brine/world/record"
)

// isUp tells whether the service's process runs (a paused one does).
func (s *Service) isUp() bool {
	return s.box.State().Up()
}

// running tells whether the node runs the service, or any when name is "".
func (n *Node) running(name string) bool {
	for _, s := range n.services {
		if (name == "" || s.Name == name) && s.isUp() {
			return true
		}
	}
	return false
}

// start starts the service's process and returns when it runs.
func (s *Service) start(ctx context.Context) error {
	w := s.node.cluster.w
	if !s.isUp() {
		// Of one that ended a moment ago something may be left to be cleared away.
		if _, err := s.box.Wait(ctx); err != nil {
			return err
		}
	}
	stdout, stderr := s.box.LogPaths()
	s.mu.Lock()
	s.down, s.fell = false, ""
	s.logFrom = [2]int64{sizeOf(stdout), sizeOf(stderr)}
	s.mu.Unlock()
	w.serviceState(s, record.Starting, "")
	if err := s.box.Start(ctx); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	w.serviceState(s, record.Running, "")
	return nil
}

// kill sends SIGKILL and returns when the process is gone.
func (s *Service) kill(ctx context.Context) error {
	s.expectDown()
	if err := s.box.Kill(ctx); err != nil {
		return fmt.Errorf("kill: %w", err)
	}
	return nil
}

// stop sends the service's stop signal, and SIGKILL after its grace period.
func (s *Service) stop(ctx context.Context) error {
	s.expectDown()
	if err := s.box.Stop(ctx, s.def.Stop.Signal, s.def.Stop.Grace); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	return nil
}

func (s *Service) expectDown() {
	s.mu.Lock()
	s.down, s.fell = true, ""
	s.mu.Unlock()
}

// containerEvent notes what happened to a container. An exit that nobody asked
// for is kept, to be told in the step that runs then.
func (w *World) containerEvent(e containers.Event) {
	n := w.node(e.Node)
	if n == nil {
		return
	}
	s, err := n.service(e.Service)
	if err != nil {
		return
	}
	switch e.Kind {
	case containers.EventOOM:
		w.serviceState(s, record.OOM, "")
	case containers.EventExit:
		fell := fmt.Sprintf("%s: %s exited %d at %s", n.Name, s.Name, e.Code, e.Time.Format("15:04:05.000"))
		s.mu.Lock()
		asked := s.down
		if !asked && e.Code != 0 {
			s.fell = fell
		}
		s.mu.Unlock()
		code := e.Code
		state := record.Exited
		if asked {
			state = record.Stopped
		}
		w.rec.State(record.ServiceState{Service: s.Name, Node: n.Name, State: state, Code: &code})
		w.mu.Lock()
		if !asked && !w.closed {
			w.surprises = append(w.surprises, fell)
		}
		w.mu.Unlock()
	}
}

// Surprises gives, once, the services that ended by themselves since the last
// call, for the step that runs now.
func (w *World) Surprises() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.surprises
	w.surprises = nil
	return out
}

// fallen tells of the services that had ended by themselves before, and were not started again.
func (w *World) fallen() []string {
	var all []string
	for _, n := range w.allNodes() {
		for _, s := range n.services {
			s.mu.Lock()
			if s.fell != "" {
				all = append(all, s.fell)
			}
			s.mu.Unlock()
		}
	}
	return all
}

// target is how a client reaches the service: through dial, which enters the
// clients' network or the node's own.
func (s *Service) target(dial func(context.Context, string, string) (net.Conn, error)) client.Target {
	return client.Target{
		Name: s.node.Name, Index: s.node.Index, Zone: s.node.Zone,
		IP: s.node.net.IP.String(), IP6: s.node.net.IP6.String(),
		Port: s.inst.Data.Port,
		Dial: dial,
		Restart: func(ctx context.Context) error {
			if err := s.stop(ctx); err != nil {
				return err
			}
			return s.start(ctx)
		},
		Exec: func(ctx context.Context, args []string) ([]byte, []byte, int, error) {
			res, err := s.box.Exec(ctx, containers.ExecSpec{Args: args})
			if err != nil {
				return nil, nil, 0, err
			}
			return res.Stdout, res.Stderr, res.Code, nil
		},
	}
}

// fromClients is the service's client at the clients' vantage point: one
// connection for the whole scenario.
func (s *Service) fromClients() (client.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		c, err := client.Open(s.inst, s.target(s.node.cluster.w.net.Clients().DialContext))
		if err != nil {
			return nil, err
		}
		s.conn = c
	}
	return s.conn, nil
}

// fromInside is a client inside the node's own network, which no isolation
// touches: it asks the service about itself.
func (s *Service) fromInside() (client.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.askConn == nil {
		c, err := client.Open(s.inst, s.target(s.node.net.DialContext))
		if err != nil {
			return nil, err
		}
		s.askConn = c
	}
	return s.askConn, nil
}

func (s *Service) closeClients() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, c := range []client.Client{s.conn, s.askConn} {
		if c != nil {
			errs = append(errs, c.Close())
		}
	}
	s.conn, s.askConn = nil, nil
	return errors.Join(errs...)
}

func (s *Service) askLeader(ctx context.Context) (client.Claim, error) {
	c, err := s.fromInside()
	if err != nil {
		return client.Claim{}, err
	}
	return c.(client.Leaderer).Leader(ctx)
}

func (s *Service) moveLeader(ctx context.Context, to *Service) error {
	c, err := s.fromInside()
	if err != nil {
		return err
	}
	return c.(client.LeaderMover).MoveLeader(ctx, to.target(to.node.net.DialContext))
}

// sizeOf is a file's size in bytes; 0 where there is none yet.
func sizeOf(path string) int64 {
	st, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return st.Size()
}
