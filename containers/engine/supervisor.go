package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"brine.test/brine/containers/cgroup"
)

// supervisorVar, when set, makes a program that links this package the
// supervisor. Its value is the order.
const supervisorVar = "BRINE_ENGINE_SUPERVISOR"

// order is what the supervisor is told.
type order struct {
	Layout   layout
	Programs Programs
	Linger   time.Duration
	Size     int64
}

func init() {
	text := os.Getenv(supervisorVar)
	if text == "" {
		return
	}
	var o order
	err := json.Unmarshal([]byte(text), &o)
	if err == nil {
		err = o.supervise()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, time.Now().Format(time.RFC3339), err)
		os.Exit(1)
	}
	os.Exit(0)
}

// supervise runs the daemon from its start to its end. It stays on the main
// thread: containerd is to die with that thread (Pdeathsig).
func (o order) supervise() error {
	runtime.LockOSThread()
	l := o.Layout
	ctx := context.Background()
	alone, err := lock(ctx, l.daemon(), unix.LOCK_EX|unix.LOCK_NB)
	if err != nil {
		return err
	}
	defer alone.Close() //nolint:errcheck // unlocks
	tree, err := cgroup.Open()
	if err != nil {
		return err
	}
	group, err := tree.MakeLeaf(l.cgroup())
	if err != nil {
		return err
	}
	if err := group.Join(os.Getpid()); err != nil {
		return err
	}
	if err := o.mount(); err != nil {
		return err
	}
	daemon, err := o.startDaemon()
	if err != nil {
		return err
	}
	exited := make(chan error, 1)
	go func() {
		exited <- daemon.Wait()
		close(exited)
	}()
	if err := o.announce(daemon.Process.Pid, exited); err != nil {
		_ = daemon.Process.Kill()
		return err
	}
	idle, err := o.serve(exited)
	o.end(daemon, exited)
	err = errors.Join(err, o.removeAll(tree))
	if idle {
		err = errors.Join(err, os.RemoveAll(l.Dir))
	}
	return err
}

// leastBooks is the least room, in bytes, for all but containers' file systems: an
// image's layers pass through it.
const leastBooks = 256 << 20

// mount makes the tmpfs that nobody outside sees. Mounts that the host makes
// later still arrive here, none of ours arrive there.
func (o order) mount() error {
	if err := unix.Mount("", "/", "", unix.MS_SLAVE|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("make / a slave mount: %w", err)
	}
	if err := os.MkdirAll(o.Layout.fs(), 0o700); err != nil {
		return err
	}
	opts := fmt.Sprintf("mode=0711,size=%d", max(o.Size/2, leastBooks))
	if err := unix.Mount("brine", o.Layout.fs(), "tmpfs", 0, opts); err != nil {
		return fmt.Errorf("mount the engine's tmpfs: %w", err)
	}
	for _, sub := range []string{"root", "state", "tmp", "s", "runc"} {
		if err := os.Mkdir(filepath.Join(o.Layout.fs(), sub), 0o711); err != nil {
			return err
		}
	}
	// Apart from what the daemon keeps its books in: a container that fills it up must
	// not keep others from being stopped and removed.
	if err := os.MkdirAll(o.Layout.snapshots(), 0o700); err != nil {
		return err
	}
	if err := unix.Mount("brine", o.Layout.snapshots(), "tmpfs", 0, fmt.Sprintf("mode=0700,size=%d", o.Size)); err != nil {
		return fmt.Errorf("mount the tmpfs of containers' file systems: %w", err)
	}
	short, own := o.Layout.sockets(), filepath.Join(o.Layout.fs(), "s")
	if short == own {
		return nil
	}
	if err := os.Mkdir(short, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	if err := unix.Mount(own, short, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("mount %s: %w", short, err)
	}
	return nil
}

func (o order) startDaemon() (*exec.Cmd, error) {
	config := filepath.Join(o.Layout.Dir, "containerd.toml")
	if err := os.WriteFile(config, []byte(containerdConfig(o.Layout)), 0o600); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(o.Layout.Dir, "containerd.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close() //nolint:errcheck // the child has its own
	cmd := exec.Command(o.Programs.Containerd, "--config", config)
	cmd.Dir = "/"
	cmd.Env = append(supervisorEnv(), "PATH="+o.Programs.Dir+":"+os.Getenv("PATH"))
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start containerd: %w", err)
	}
	return cmd, nil
}

// announce waits until the daemon takes connections and tells those who wait.
func (o order) announce(pid int, exited <-chan error) error {
	deadline := time.Now().Add(2 * time.Minute)
	for {
		conn, err := net.Dial("unix", o.Layout.address())
		if err == nil {
			_ = conn.Close()
			break
		}
		select {
		case err := <-exited:
			return fmt.Errorf("containerd ended: %w\n%s", err, tailOf(filepath.Join(o.Layout.Dir, "containerd.log")))
		case <-time.After(2 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("containerd does not answer: %w", err)
		}
	}
	text, err := json.Marshal(readyFile{PID: pid})
	if err != nil {
		return err
	}
	if err := os.WriteFile(o.Layout.ready()+".new", text, 0o600); err != nil {
		return err
	}
	if err := os.Rename(o.Layout.ready()+".new", o.Layout.ready()); err != nil {
		return err
	}
	pipe := os.NewFile(3, "ready")
	_, _ = pipe.Write(text) // who started us may be gone
	return pipe.Close()
}

// serve returns when the daemon died, a signal came, or the last user was gone
// for the linger time (idle). In the last case it holds the users' lock until
// the process ends, so that nobody joins a daemon that is going.
func (o order) serve(exited <-chan error) (idle bool, err error) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	signal.Ignore(syscall.SIGHUP)
	alone := make(chan error, 1)
	go func() { alone <- o.awaitIdle() }()
	select {
	case err := <-exited:
		return false, fmt.Errorf("containerd ended: %w", err)
	case <-signals:
		return false, nil
	case err := <-alone:
		return err == nil, err
	}
}

// awaitIdle returns, holding the users' lock, when nobody used the daemon for
// the linger time. Each user marks the file's time on coming and going.
func (o order) awaitIdle() error {
	users, err := os.OpenFile(o.Layout.users(), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	for {
		if err := unix.Flock(int(users.Fd()), unix.LOCK_EX); err != nil { // while anyone uses it
			if errors.Is(err, unix.EINTR) {
				continue
			}
			return err
		}
		info, err := users.Stat()
		if err != nil {
			return err
		}
		left := o.Linger - time.Since(info.ModTime())
		if left <= 0 {
			return nil
		}
		if err := unix.Flock(int(users.Fd()), unix.LOCK_UN); err != nil {
			return err
		}
		time.Sleep(left) // lingering is a matter of time, not of a state
	}
}

// end stops the daemon, kindly first.
func (o order) end(daemon *exec.Cmd, exited <-chan error) {
	_ = daemon.Process.Signal(syscall.SIGTERM)
	select {
	case <-exited: //nolint:errcheck // it was told to end: how it did is no news
	case <-time.After(3 * time.Second):
		_ = daemon.Process.Kill()
	}
}

// removeAll ends the shims, which outlive their daemon, and the group. The
// mounts end with this namespace's last process: this one. Files stay while
// there are users: their locks are on them, and they may want the logs.
func (o order) removeAll(tree *cgroup.Tree) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	group := tree.Group(o.Layout.cgroup())
	pids, err := group.Pids()
	if err != nil {
		return err
	}
	for _, pid := range pids {
		if pid != os.Getpid() {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
	}
	root := tree.Group("/")
	if err := root.Join(os.Getpid()); err != nil {
		return err
	}
	if short := o.Layout.sockets(); short != filepath.Join(o.Layout.fs(), "s") {
		defer os.Remove(short)                     //nolint:errcheck // best effort
		defer unix.Unmount(short, unix.MNT_DETACH) //nolint:errcheck // best effort
	}
	return errors.Join(
		tree.Group(filepath.Dir(o.Layout.cgroup())).Remove(ctx),
		unix.Unmount(o.Layout.fs(), unix.MNT_DETACH))
}
