package containers

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"
)

// each runs f for all services at once and joins the errors.
func (n *Node) each(f func(*Service) error) error {
	services := n.Services()
	errs := make([]error, len(services))
	var pool errgroup.Group
	for i, s := range services {
		pool.Go(func() error {
			errs[i] = f(s)
			return nil
		})
	}
	_ = pool.Wait() // errors are in errs
	return errors.Join(errs...)
}

// Kill sends SIGKILL to every process of the node in one step, paused ones
// too, and returns when containerd has seen them end. A paused node is not
// paused any more.
func (n *Node) Kill(ctx context.Context) error {
	if err := n.cgroup.Kill(ctx); err != nil {
		return fmt.Errorf("%s: %w", n.Name, err)
	}
	if err := n.thaw(ctx); err != nil {
		return err
	}
	return n.each(func(s *Service) error { return s.awaitExit(ctx) })
}

// Pause freezes every process of the node in one step.
func (n *Node) Pause(ctx context.Context) error {
	if err := n.cgroup.Freeze(ctx); err != nil {
		return fmt.Errorf("%s: %w", n.Name, err)
	}
	n.mu.Lock()
	n.paused = true
	n.mu.Unlock()
	n.tell(EventPaused)
	return nil
}

// Resume lets a paused node go on. Services that were paused by themselves
// stay so.
func (n *Node) Resume(ctx context.Context) error {
	if !n.isPaused() {
		return nil
	}
	if err := n.thaw(ctx); err != nil {
		return err
	}
	n.tell(EventResumed)
	return nil
}

func (n *Node) thaw(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.paused {
		return nil
	}
	if err := n.cgroup.Thaw(ctx); err != nil {
		return fmt.Errorf("%s: %w", n.Name, err)
	}
	n.paused = false
	return nil
}

func (n *Node) isPaused() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.paused
}

func (n *Node) tell(kind EventKind) {
	for _, s := range n.Services() {
		if s.State().Up() {
			s.emit(Event{Kind: kind})
		}
	}
}

// SetMemory limits the memory of all services together, in bytes; 0 lifts it.
func (n *Node) SetMemory(ctx context.Context, bytes int64) error {
	if err := errors.Join(ctx.Err(), n.cgroup.SetMemory(bytes)); err != nil {
		return fmt.Errorf("%s: %w", n.Name, err)
	}
	return nil
}

// SetCPU limits the CPU time of all services together, in CPUs; 0 lifts it.
func (n *Node) SetCPU(ctx context.Context, cpus float64) error {
	if err := errors.Join(ctx.Err(), n.cgroup.SetCPU(cpus)); err != nil {
		return fmt.Errorf("%s: %w", n.Name, err)
	}
	return nil
}

// CgroupPath is the node's control group, the same in every hierarchy.
func (n *Node) CgroupPath() string { return n.cgroup.Path }

// Wipe kills the node's services and empties their disks: volumes and root
// file systems are as new. Logs stay.
func (n *Node) Wipe(ctx context.Context) error {
	if err := n.Kill(ctx); err != nil {
		return err
	}
	return n.each(func(s *Service) error { return s.wipe(ctx) })
}

// Remove kills the node's services and removes all that the node has in
// containerd and in the kernel. Its folder stays.
func (n *Node) Remove(ctx context.Context) error {
	errs := []error{n.Kill(ctx)}
	errs = append(errs, n.each(func(s *Service) error { return s.remove(ctx) }))
	errs = append(errs, n.cgroup.Remove(ctx))
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%s: remove: %w", n.Name, err)
	}
	n.group.mu.Lock()
	defer n.group.mu.Unlock()
	delete(n.group.nodes, n.Name)
	return nil
}
