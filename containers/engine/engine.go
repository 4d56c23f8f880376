package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"brine.test/brine/containers/cgroup"
)

// Engine is a user's hold on the running daemon. While any user holds it, it
// stays.
type Engine struct {
	Address  string // containerd's gRPC socket, for root alone
	Programs Programs
	Dir      string // the daemon's folder: containerd.log, supervisor.log
	PID      int    // containerd's

	users *os.File // shared flock
}

// MountNamespace is the path of the mount namespace that the daemon, its shims
// and the containers' file systems live in.
func (e *Engine) MountNamespace() string { return fmt.Sprintf("/proc/%d/ns/mnt", e.PID) }

// RuncRoot is the folder for runc's own state, inside the daemon's mount
// namespace.
func (e *Engine) RuncRoot() string { return filepath.Join(e.Dir, "fs", "runc") }

// Close lets the daemon go. It ends some time after the last user did.
func (e *Engine) Close() error {
	now := time.Now()
	return errors.Join(os.Chtimes(e.users.Name(), now, now), e.users.Close())
}

// readyFile is what the supervisor leaves when the daemon answers.
type readyFile struct {
	PID int `json:"pid"` // containerd's
}

// Start returns the running daemon, building its programs and starting it when
// needed. Any number of processes may use it at once. Needs root.
func Start(ctx context.Context, c Config) (*Engine, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	if os.Geteuid() != 0 {
		return nil, errors.New("engine: needs root\nhint: run with sudo")
	}
	programs, err := Build(ctx, c.CacheDir, c.Progress)
	if err != nil {
		return nil, err
	}
	l := newLayout(c, programs)
	if n := len(l.address() + ".ttrpc"); n > 107 {
		return nil, fmt.Errorf("engine: %s: %d bytes are too many for a socket\nhint: set BRINE_STATE to a shorter path", l.address(), n)
	}
	e, err := l.acquire(ctx, c, programs)
	if err != nil {
		return nil, fmt.Errorf("engine %s: %w", l.Key, err)
	}
	return e, nil
}

func (l layout) acquire(ctx context.Context, c Config, p Programs) (_ *Engine, err error) {
	users, err := l.join(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = users.Close()
		}
	}()
	guard, err := lock(ctx, l.start(), unix.LOCK_EX)
	if err != nil {
		return nil, err
	}
	defer guard.Close() //nolint:errcheck // unlocks
	ready, alive, err := l.find(ctx)
	if err != nil {
		return nil, err
	}
	if !alive {
		if ready, err = l.spawn(ctx, c, p); err != nil {
			return nil, err
		}
	}
	now := time.Now()
	if err := os.Chtimes(l.users(), now, now); err != nil {
		return nil, err
	}
	return &Engine{Address: l.address(), Programs: p, Dir: l.Dir, PID: ready.PID, users: users}, nil
}

// join takes the shared lock of a user. The folder goes away with a daemon
// that is just ending: then again.
func (l layout) join(ctx context.Context) (*os.File, error) {
	for {
		for _, dir := range []string{filepath.Dir(filepath.Dir(l.Dir)), filepath.Dir(l.Dir), l.Dir} {
			if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
				return nil, err
			}
		}
		users, err := lock(ctx, l.users(), unix.LOCK_SH)
		if !errors.Is(err, os.ErrNotExist) {
			return users, err
		}
	}
}

// find tells whether a daemon is there and answers. A supervisor whose daemon
// died is waited for: it is about to end.
func (l layout) find(ctx context.Context) (readyFile, bool, error) {
	for {
		var r readyFile
		f, err := lock(ctx, l.daemon(), unix.LOCK_SH|unix.LOCK_NB)
		if err == nil {
			return r, false, f.Close() // no supervisor holds it
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return r, false, err
		}
		conn, err := net.Dial("unix", l.address())
		if err == nil {
			_ = conn.Close()
			text, err := os.ReadFile(l.ready())
			if err == nil && json.Unmarshal(text, &r) == nil {
				return r, true, nil
			}
		}
		select {
		case <-ctx.Done():
			return r, false, fmt.Errorf("wait for a dying daemon: %w", ctx.Err())
		case <-time.After(3 * time.Millisecond):
		}
	}
}

// spawn clears what a killed daemon left, starts the supervisor, and waits
// until it says that the daemon answers.
func (l layout) spawn(ctx context.Context, c Config, p Programs) (readyFile, error) {
	var r readyFile
	if err := l.clear(ctx); err != nil {
		return r, err
	}
	order, err := json.Marshal(order{Layout: l, Programs: p, Linger: c.Linger, Size: c.Size})
	if err != nil {
		return r, err
	}
	log, err := os.OpenFile(filepath.Join(l.Dir, "supervisor.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return r, err
	}
	defer log.Close() //nolint:errcheck // the child has its own
	out, in, err := os.Pipe()
	if err != nil {
		return r, err
	}
	defer out.Close() //nolint:errcheck // read end
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{"brine-engine"}
	cmd.Dir = "/"
	cmd.Env = append(supervisorEnv(), supervisorVar+"="+string(order))
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{in}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Cloneflags: unix.CLONE_NEWNS}
	err = cmd.Start()
	_ = in.Close()
	if err != nil {
		return r, fmt.Errorf("start the supervisor: %w", err)
	}
	go cmd.Wait() //nolint:errcheck // reaped; its end is seen by the pipe and the lock
	stop := context.AfterFunc(ctx, func() { _ = out.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := json.NewDecoder(out).Decode(&r); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return r, fmt.Errorf("containerd did not start: %w\n%s\nhint: %s has more", err, tailOf(log.Name()), l.Dir)
	}
	return r, nil
}

// supervisorEnv is the little that the daemon and its programs inherit.
func supervisorEnv() []string {
	return []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "GOTRACEBACK=single"}
}

// clear ends what a daemon that was killed left: shims survive it by design.
func (l layout) clear(ctx context.Context) error {
	tree, err := cgroup.Open()
	if err != nil {
		return err
	}
	if err := tree.Group(filepath.Dir(l.cgroup())).Remove(ctx); err != nil {
		return err
	}
	for _, f := range []string{l.ready(), l.address(), l.address() + ".ttrpc"} {
		if err := os.Remove(f); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

func tailOf(file string) string {
	text, _ := os.ReadFile(file)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-10):], "\n")
}

// Running is the address of the daemon that runs for this version and
// configuration, or empty. It starts nothing.
func Running(stateDir, cacheDir string) string {
	c, err := Config{StateDir: stateDir, CacheDir: cacheDir}.withDefaults()
	if err != nil {
		return ""
	}
	programs, ok := Cached(c.CacheDir)
	if !ok {
		return ""
	}
	l := newLayout(c, programs)
	conn, err := net.Dial("unix", l.address())
	if err != nil {
		return ""
	}
	_ = conn.Close()
	return l.address()
}
