package containers

import (
	"context"
	"os"
	"time"

	"github.com/containerd/containerd/api/services/tasks/v1"
	"github.com/containerd/containerd/api/types"
	"golang.org/x/sys/unix"
)

// incarnation is one life of a service's process.
type incarnation struct {
	ended chan struct{} // closed when its end is known and its task is deleted
	seen  bool          // its end is known
	kills int           // processes of it that the kernel killed for lack of memory
}

// Start starts the program, the first time or again: on the same root file
// system and volume, with its output appended to the same logs.
func (s *Service) Start(ctx context.Context) error {
	s.op.Lock()
	defer s.op.Unlock()
	if s.node.isPaused() {
		return s.errorf("start: its node is %w", ErrPaused)
	}
	inc, err := s.begin()
	if err != nil {
		return err
	}
	if err := s.launch(ctx); err != nil {
		s.abandon(ctx, inc)
		return s.errorf("start: %w", explain(err, s.program()))
	}
	return nil
}

// begin makes room for a new life, before anything can be heard of it.
func (s *Service) begin() (*incarnation, error) {
	stdout, stderr := s.LogPaths()
	for _, path := range []string{stdout, stderr} {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return nil, s.wrap(err)
		}
		if err := f.Close(); err != nil {
			return nil, s.wrap(err)
		}
	}
	if err := s.listen(); err != nil {
		return nil, s.wrap(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cur != nil {
		return nil, s.errorf("start: %w", ErrRunning)
	}
	s.cur = &incarnation{ended: make(chan struct{})}
	return s.cur, nil
}

// launch creates the task and starts its process. The shim opens the log files
// by their names and appends what it reads from the process's pipes: no copier
// in this process, so its death loses nothing.
func (s *Service) launch(ctx context.Context) error {
	rt := s.node.group.rt
	ctx = rt.runCtx(ctx)
	stdout, stderr := s.LogPaths()
	req := &tasks.CreateTaskRequest{ContainerID: s.id, Stdout: stdout, Stderr: stderr}
	for _, m := range s.rootfs {
		req.Rootfs = append(req.Rootfs, &types.Mount{Type: m.Type, Source: m.Source, Target: m.Target, Options: m.Options})
	}
	if err := s.node.group.awaitAnchor(ctx); err != nil {
		return err
	}
	created, err := rt.tasks().Create(ctx, req)
	if err != nil {
		return err
	}
	s.mu.Lock()
	if s.cur != nil && !s.cur.seen {
		s.state.Status, s.state.PID, s.state.Since = Running, int(created.Pid), time.Now()
		s.state.Code, s.state.Signal, s.state.OOM = 0, 0, false
		s.state.Starts++
	}
	s.mu.Unlock()
	if err := limit(s.cgroup, s.spec.Memory, s.spec.CPU); err != nil {
		return err
	}
	_, err = rt.tasks().Start(ctx, &tasks.StartRequest{ContainerID: s.id})
	return err
}

// abandon clears away what a start that failed left.
func (s *Service) abandon(ctx context.Context, inc *incarnation) {
	ctx, cancel := undo(ctx)
	defer cancel()
	_ = s.cgroup.Kill(ctx)
	rt := s.node.group.rt
	_ = deleteTask(rt.runCtx(ctx), rt.tasks(), s.id) // the group's end tries again
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cur == inc && !inc.seen {
		s.cur = nil
		s.state.Status, s.state.PID, s.state.Since = Exited, 0, time.Now()
		inc.seen = true
		close(inc.ended)
	}
}

// exited takes in containerd's word that the process ended.
func (s *Service) exited(code int, at time.Time) {
	s.mu.Lock()
	inc := s.cur
	if inc == nil || inc.seen {
		s.mu.Unlock()
		return
	}
	inc.seen = true
	s.state.Status, s.state.PID, s.state.Since = Exited, 0, at
	s.state.Code, s.state.Signal = code, 0
	if code > 128 && code <= 128+64 {
		s.state.Signal = code - 128
	}
	if s.state.Signal == int(unix.SIGKILL) {
		n, err := s.cgroup.OOMKills() // the group is new in each life
		s.state.OOM = err == nil && n > 0
	}
	st := s.state
	news := st.OOM && inc.kills == 0
	inc.kills = max(inc.kills, 1)
	s.mu.Unlock()
	if news {
		s.emit(Event{Time: at, Kind: EventOOM})
	}
	s.emit(Event{Time: at, Kind: EventExit, Code: st.Code, Signal: st.Signal, OOM: st.OOM})
	go s.bury(inc)
}

// bury deletes the task of a process that ended, so that the service can be
// started again.
func (s *Service) bury(inc *incarnation) {
	ctx, cancel := undo(context.Background())
	defer cancel()
	rt := s.node.group.rt
	_ = s.cgroup.Kill(ctx)                           // what the first process left behind
	_ = deleteTask(rt.runCtx(ctx), rt.tasks(), s.id) // the group's end tries again
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cur == inc {
		s.cur = nil
	}
	close(inc.ended)
}

// task is the present life, or nil.
func (s *Service) task() *incarnation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cur
}

func (s *Service) program() string {
	if p := newProcess(s.spec.Image, s.spec, noUser).args; len(p) > 0 {
		return p[0]
	}
	return "(no program)"
}
