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

// supervisorEnv is the little that the daemon and its programs inherit. They
// have little memory, and shims and runc live with a heap that is just above
// what the collector leaves alone: let it be five times as large before it
// works, and 25 containers are up a tenth sooner.
func supervisorEnv() []string {
	return []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "GOTRACEBACK=single", "GOGC=400"}
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
