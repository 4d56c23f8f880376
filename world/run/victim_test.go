package run

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// beRunner is the other process of the tests: it starts a run, makes what a run
// makes, says so in one line, and waits for its stdin to end or to be killed.
func beRunner(state string) error {
	ctx := context.Background()
	r, err := Start(ctx, Options{StateDir: state})
	if err != nil {
		return err
	}
	pids := map[string]int{}
	for _, top := range r.cgroups.dirs {
		if err := populate(top, pids); err != nil {
			return err
		}
	}

	// A process with a child in its group, in no cgroup of ours: a FUSE server.
	server, err := sleeper(true)
	if err != nil {
		return err
	}
	pids["adopted"] = server
	if err := r.Adopt("file server of node1", server); err != nil {
		return err
	}

	volume := filepath.Join(r.Dir, "a volume") // the blank is escaped in mountinfo
	if err := os.Mkdir(volume, 0o700); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", volume, "tmpfs", 0, "size=64k"); err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(victim{ID: r.ID, Dir: r.Dir, Pids: pids}); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	return r.Close()
}

// populate puts processes into cgroups under a hierarchy's top: one runs, and
// where the hierarchy can freeze one is frozen.
func populate(top string, pids map[string]int) error {
	kind := filepath.Base(strings.TrimSuffix(top, "/"+cgroupRoot+"/"+filepath.Base(top)))
	for _, node := range []string{"node1", "node2"} {
		dir := filepath.Join(top, "scenario-1", node)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if kind == "cpuset" {
		return nil // takes no process before its processors are named
	}
	for _, node := range []string{"node1", "node2"} {
		dir := filepath.Join(top, "scenario-1", node)
		pid, err := sleeper(false)
		if err != nil {
			return err
		}
		pids[kind+"/"+node] = pid
		if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0); err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
	}
	frozen := filepath.Join(top, "scenario-1", "node2")
	poke(frozen, "freezer.state", "FROZEN")
	poke(frozen, "cgroup.freeze", "1")
	return nil
}

// sleeper starts a process that would sleep for long, with one more in a
// group of its own if it shall lead one.
func sleeper(leads bool) (int, error) {
	cmd := exec.Command("sleep", "1000")
	if leads {
		cmd = exec.Command("sh", "-c", "sleep 1000 & wait")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	go func() { _ = cmd.Wait() }()
	return cmd.Process.Pid, nil
}
