package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// reaperEnv, set to a run's folder, makes a process that reaper of that run.
const reaperEnv = "BRINE_REAPER"

// goodbye is what a runner that ends well writes into the pipe before closing it.
const goodbye = "goodbye\n"

// vigil is how long a reaper goes on killing: a container whose start was on its
// way when the runner died comes up in this time, or not at all.
const vigil = 1500 * time.Millisecond

func init() {
	dir := os.Getenv(reaperEnv)
	if dir == "" {
		return
	}
	if err := reap(dir, os.NewFile(3, "runner")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		unix.Exit(1)
	}
	unix.Exit(0) // os.Exit would sleep a second in a binary with the race detector
}

// A reaper is the process that outlives the runner to kill what it leaves.
type reaper struct {
	pipe *os.File // the runner's end; close-on-exec, so that the kernel closes it with the runner
	done chan error
}

// startReaper starts the program again as the reaper of the run with that folder.
func startReaper(dir string) (*reaper, error) {
	logFile, err := os.OpenFile(filepath.Join(dir, "reaper.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer logFile.Close()
	theirs, ours, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()

	cmd := &exec.Cmd{
		Path:        "/proc/self/exe",
		Args:        []string{"brine-reaper", filepath.Base(dir)}, // what ps shows
		Env:         []string{reaperEnv + "=" + dir},
		Dir:         "/",
		Stdout:      logFile,
		Stderr:      logFile,
		ExtraFiles:  []*os.File{theirs},
		SysProcAttr: &unix.SysProcAttr{Setsid: true},
	}
	if err := cmd.Start(); err != nil {
		_ = ours.Close()
		return nil, fmt.Errorf("start the reaper: %w", err)
	}
	r := &reaper{pipe: ours, done: make(chan error, 1)}
	go func() { r.done <- cmd.Wait() }()
	return r, nil
}

// dismiss says goodbye and waits until the reaper is gone.
func (r *reaper) dismiss(ctx context.Context) error {
	_, err := io.WriteString(r.pipe, goodbye)
	if errClose := r.pipe.Close(); err == nil {
		err = errClose
	}
	if err != nil {
		err = fmt.Errorf("reaper: say goodbye: %w", err)
	}
	select {
	case errWait := <-r.done:
		if errWait != nil {
			err = errors.Join(err, fmt.Errorf("reaper: %w", errWait))
		}
	case <-ctx.Done():
		err = errors.Join(err, fmt.Errorf("reaper: still there: %w", ctx.Err()))
	}
	return err
}

// reap waits for the runner's end. If no goodbye came before, it kills the run's
// cgroups and adopted processes, for as long as the vigil lasts.
func reap(dir string, pipe io.Reader) error {
	// What is sent to end the runner must not end its reaper. Memory pressure
	// should find another victim; without the right to say so, it may not.
	closeInherited()
	signal.Ignore(unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT)
	poke("/proc/self", "oom_score_adj", "-1000")

	said, err := io.ReadAll(pipe)
	if err != nil {
		return fmt.Errorf("pipe from the runner: %w", err)
	}
	if strings.HasSuffix(string(said), goodbye) {
		return nil
	}

	c, err := cgroupsOf(filepath.Base(dir))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), vigil)
	defer cancel()
	for ctx.Err() == nil && exists(dir) { // until a sweep has been here
		c.kill(ctx)
		killAdopted(ctx, dir)
		select {
		case <-time.After(10 * look):
		case <-ctx.Done():
		}
	}
	last, cancel := context.WithTimeout(context.Background(), 10*look)
	defer cancel()
	if err := c.remove(last); err != nil {
		return fmt.Errorf("pids %v are left: %w", c.pids(), err)
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// closeInherited closes what the runner itself had inherited and so passed on: a
// reaper that holds a pipe of the runner's parent open makes that wait for it.
// What the Go runtime opened in this process is close-on-exec, and that is how it
// is told apart.
func closeInherited() {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return
	}
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil || fd <= 3 {
			continue // stdio and the pipe are given on purpose
		}
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			_ = unix.Close(fd)
		}
	}
}
