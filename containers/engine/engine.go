package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
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

// Room is how much is free for containers' file systems, and how much there is in
// all, in bytes.
func (e *Engine) Room() (free, all uint64, err error) {
	var st unix.Statfs_t
	at := layout{Dir: e.Dir}.snapshots()
	if err := unix.Statfs(fmt.Sprintf("/proc/%d/root%s", e.PID, at), &st); err != nil {
		return 0, 0, fmt.Errorf("room for containers: %w", err)
	}
	return st.Bavail * uint64(st.Bsize), st.Blocks * uint64(st.Bsize), nil
}

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
