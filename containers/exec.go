package containers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/containerd/containerd/api/services/tasks/v1"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"github.com/containerd/typeurl/v2"
	"golang.org/x/sys/unix"
)

// ExecSpec is a command to run in a service's container.
type ExecSpec struct {
	Args  []string          // the program and its arguments; no shell
	Env   map[string]string // over the service's own
	Stdin []byte            // nil: /dev/null
}

// ExecResult is what a command said and how it ended.
type ExecResult struct {
	Stdout, Stderr []byte
	Code           int // 128+signal when a signal ended it
}

// Exec runs a command in the running container, as the service's user, and
// returns when it ended. A code other than 0 is no error; that the program is
// not in the image is (ErrNoProgram). In a paused container it hangs, as
// all of it does, until that resumes. When ctx ends the command is killed.
func (s *Service) Exec(ctx context.Context, spec ExecSpec) (_ ExecResult, err error) {
	if len(spec.Args) == 0 {
		return ExecResult{}, s.errorf("exec: no command")
	}
	defer func() {
		if err != nil {
			err = s.errorf("exec: %w", explain(err, spec.Args[0]))
		}
	}()
	if err := s.awake(ctx); err != nil {
		return ExecResult{}, err
	}
	dir, err := os.MkdirTemp(s.dir(), ".exec-")
	if err != nil {
		return ExecResult{}, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // under the node's folder
	x := &execution{s: s, dir: dir, id: s.nextExec()}
	code, err := x.run(ctx, spec)
	if err != nil {
		return ExecResult{}, err
	}
	res := ExecResult{Code: code}
	if res.Stdout, err = os.ReadFile(x.path("stdout")); err != nil {
		return ExecResult{}, err
	}
	res.Stderr, err = os.ReadFile(x.path("stderr"))
	return res, err
}

// awake waits while the service is paused, and tells when it is down.
func (s *Service) awake(ctx context.Context) error {
	if err := s.up(); !errors.Is(err, ErrPaused) {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	events := s.node.group.rt.Subscribe(ctx)
	for {
		err := s.up() // asked after the subscription: no resuming is missed
		if !errors.Is(err, ErrPaused) {
			return err
		}
		select {
		case _, open := <-events:
			if !open {
				return errors.Join(err, ctx.Err())
			}
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", err, ctx.Err())
		}
	}
}

func (s *Service) nextExec() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.execs++
	return fmt.Sprintf("exec%d", s.execs)
}

// execution is one command under way. Its output goes through the shim into
// files, as a service's does.
type execution struct {
	s   *Service
	dir string
	id  string
}

func (x *execution) path(name string) string { return filepath.Join(x.dir, name) }

func (x *execution) run(ctx context.Context, spec ExecSpec) (_ int, err error) {
	s := x.s
	rt := s.node.group.rt
	req := &tasks.ExecProcessRequest{ContainerID: s.id, ExecID: x.id, Stdout: x.path("stdout"), Stderr: x.path("stderr")}
	for _, name := range []string{req.Stdout, req.Stderr} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			return 0, err
		}
	}
	if spec.Stdin != nil {
		req.Stdin = x.path("stdin")
		if err := unix.Mkfifo(req.Stdin, 0o600); err != nil {
			return 0, err
		}
	}
	if err := x.add(rt.runCtx(ctx), req, spec); err != nil {
		return 0, err
	}
	defer func() {
		ctx, cancel := undo(rt.runCtx(ctx))
		defer cancel()
		// The shim flushes the output before it answers.
		_, derr := rt.tasks().DeleteProcess(ctx, &tasks.DeleteProcessRequest{ContainerID: s.id, ExecID: x.id})
		err = errors.Join(err, ignoreGone(derr))
	}()
	return x.follow(ctx, spec.Stdin)
}

// add makes the process known to the shim.
func (x *execution) add(ctx context.Context, req *tasks.ExecProcessRequest, spec ExecSpec) error {
	rt := x.s.node.group.rt
	x.s.op.Lock()
	sp := x.s.oci
	x.s.op.Unlock()
	process := *sp.Process
	process.Args = spec.Args
	process.Env = mergeEnv(process.Env, spec.Env)
	text, err := typeurl.MarshalAny(&process)
	if err != nil {
		return err
	}
	req.Spec = typeurl.MarshalProto(text)
	_, err = rt.tasks().Exec(ctx, req)
	return err
}

// follow starts the process, feeds it, and waits for its end.
func (x *execution) follow(ctx context.Context, stdin []byte) (int, error) {
	rt := x.s.node.group.rt
	nsCtx := rt.runCtx(ctx)
	if stdin != nil {
		defer x.feed(nsCtx, stdin)()
	}
	started, err := rt.tasks().Start(nsCtx, &tasks.StartRequest{ContainerID: x.s.id, ExecID: x.id})
	if err != nil {
		return 0, err
	}
	end, err := rt.tasks().Wait(nsCtx, &tasks.WaitRequest{ContainerID: x.s.id, ExecID: x.id})
	if err == nil {
		return int(end.ExitStatus), nil
	}
	if ctx.Err() != nil {
		_ = unix.Kill(int(started.Pid), unix.SIGKILL)
		return 0, ctx.Err()
	}
	if errdefs.IsNotFound(errgrpc.ToNative(err)) {
		return 0, fmt.Errorf("%w any more", ErrNotRunning) // killed with its container
	}
	return 0, err
}

// feed writes the standard input as soon as the shim opens it for reading, and
// has the shim close its own writing end, so that the program sees the end. The
// function that it returns ends that, should the shim never open it.
func (x *execution) feed(ctx context.Context, stdin []byte) (stop func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		w, err := os.OpenFile(x.path("stdin"), os.O_WRONLY, 0)
		if err != nil {
			return
		}
		_, _ = w.Write(stdin) // the program may not want it all
		_ = w.Close()
		_, _ = x.s.node.group.rt.tasks().CloseIO(ctx, &tasks.CloseIORequest{ContainerID: x.s.id, ExecID: x.id, Stdin: true})
	}()
	return func() {
		r, err := os.OpenFile(x.path("stdin"), os.O_RDONLY|unix.O_NONBLOCK, 0)
		if err == nil {
			_ = r.Close() // a writer that waited for a reader goes on, and fails
		}
		<-done
	}
}
