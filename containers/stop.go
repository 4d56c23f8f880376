package containers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/containerd/containerd/api/services/tasks/v1"
	"github.com/containerd/containerd/api/types/task"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

var noUser specs.User

// Kill sends SIGKILL to every process of the service, paused ones too, and
// returns when containerd has seen it end.
func (s *Service) Kill(ctx context.Context) error {
	if s.task() == nil {
		return s.errorf("kill: %w", ErrNotRunning)
	}
	if err := s.cgroup.Kill(ctx); err != nil {
		return s.wrap(err)
	}
	return s.awaitExit(ctx)
}

// Stop sends the signal to the first process and, when it has not ended after
// grace, SIGKILL to all. A paused process cannot act on the signal.
func (s *Service) Stop(ctx context.Context, sig unix.Signal, grace time.Duration) error {
	inc := s.task()
	if inc == nil {
		return s.errorf("stop: %w", ErrNotRunning)
	}
	rt := s.node.group.rt
	_, err := rt.tasks().Kill(rt.runCtx(ctx), &tasks.KillRequest{ContainerID: s.id, Signal: uint32(sig)})
	if err := ignoreGone(err); err != nil {
		return s.errorf("stop: %w", err)
	}
	soon, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	if err := s.awaitExit(soon); err == nil || ctx.Err() != nil {
		return err
	}
	if err := s.Kill(ctx); err != nil && !errors.Is(err, ErrNotRunning) {
		return err
	}
	return nil
}

// Wait returns the state after the program has ended.
func (s *Service) Wait(ctx context.Context) (State, error) {
	inc := s.task()
	if inc == nil {
		return s.State(), nil
	}
	select {
	case <-inc.ended:
		return s.State(), nil
	case <-ctx.Done():
		return s.State(), s.errorf("wait for its end: %w", ctx.Err())
	}
}

// awaitExit waits for the end of the present life, if there is one. The word
// comes by event; should events be late, containerd is asked.
func (s *Service) awaitExit(ctx context.Context) error {
	inc := s.task()
	if inc == nil {
		return nil
	}
	tick := time.NewTicker(runtimeTime)
	defer tick.Stop()
	noEvents := s.node.group.rt.events.ended
	for {
		select {
		case <-inc.ended:
			return nil
		case <-noEvents:
			noEvents = nil
			tick.Reset(lookTime)
		case <-ctx.Done():
			return s.errorf("wait for its end: %w", ctx.Err())
		case <-tick.C:
			if err := s.ask(ctx); err != nil {
				return err
			}
		}
	}
}

// lookTime is how often it is looked whether a process ended, when containerd is
// not there to tell.
const lookTime = 20 * time.Millisecond

// ask looks up whether the task is still there and takes its end in if not.
func (s *Service) ask(ctx context.Context) error {
	pids, err := s.cgroup.Pids()
	if err != nil {
		return s.wrap(err)
	}
	if len(pids) > 0 {
		return nil
	}
	rt := s.node.group.rt
	if rt.Ended() != nil {
		s.exited(128+int(unix.SIGKILL), time.Now())
		return nil
	}
	got, err := rt.tasks().Get(rt.runCtx(ctx), &tasks.GetRequest{ContainerID: s.id})
	if err == nil && got.Process.Status == task.Status_STOPPED {
		s.exited(int(got.Process.ExitStatus), got.Process.ExitedAt.AsTime())
		return nil
	}
	s.exited(128+int(unix.SIGKILL), time.Now()) // its shim is dead and so is it
	return nil
}

// Pause freezes every process of the service.
func (s *Service) Pause(ctx context.Context) error {
	if !s.State().Up() {
		return s.errorf("pause: %w", ErrNotRunning)
	}
	if err := s.cgroup.Freeze(ctx); err != nil {
		return s.wrap(err)
	}
	s.setPaused(true)
	s.emit(Event{Kind: EventPaused})
	return nil
}

// Resume lets a paused service go on.
func (s *Service) Resume(ctx context.Context) error {
	if s.State().Status != Paused {
		return s.errorf("resume: not %w", ErrPaused)
	}
	if err := s.cgroup.Thaw(ctx); err != nil {
		return s.wrap(err)
	}
	s.setPaused(false)
	s.emit(Event{Kind: EventResumed})
	return nil
}

func (s *Service) setPaused(paused bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Up() {
		s.state.Status, s.state.Since = Running, time.Now()
		if paused {
			s.state.Status = Paused
		}
	}
}

// up is an error that says what the service is doing instead of running.
func (s *Service) up() error {
	switch st := s.State(); st.Status {
	case Running:
		return nil
	case Paused:
		return ErrPaused
	case Exited:
		return fmt.Errorf("%w: it exited with code %d %s ago", ErrNotRunning, st.Code, time.Since(st.Since).Round(100*time.Millisecond))
	default:
		return fmt.Errorf("%w: it was never started", ErrNotRunning)
	}
}
