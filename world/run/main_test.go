package run

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// roleEnv makes the test binary a runner of its own, to be killed.
const roleEnv = "BRINE_RUN_TEST_STATE"

// started holds the ids of all runs of this package's tests, for the leak check.
var started struct {
	sync.Mutex
	ids []string
}

func TestMain(m *testing.M) {
	if state := os.Getenv(roleEnv); state != "" {
		if err := beRunner(state); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if os.Getenv(guardEnv) != "" {
		beGuarded()
		os.Exit(0)
	}
	before := openFiles()
	code := m.Run()
	for _, leak := range append(leaks(), newFiles(before)...) {
		fmt.Fprintln(os.Stderr, "left behind:", leak)
		code = max(code, 1)
	}
	os.Exit(code)
}

// leaks lists cgroups and reapers of the tests' runs.
func leaks() []string {
	var found []string
	started.Lock()
	defer started.Unlock()
	for _, id := range started.ids {
		c, err := cgroupsOf(id)
		if err != nil {
			return []string{err.Error()}
		}
		found = append(found, c.list()...)
	}
	mine, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range mine {
		text, _ := os.ReadFile(path)
		name, id, _ := bytes.Cut(bytes.TrimSuffix(text, []byte{0}), []byte{0})
		for _, ours := range started.ids {
			if string(name) == "brine-reaper" && string(id) == ours {
				found = append(found, path+": a reaper of run "+ours)
			}
		}
	}
	return found
}

func openFiles() map[string]bool {
	all := map[string]bool{}
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil {
			all[to] = true
		}
	}
	return all
}

func newFiles(before map[string]bool) []string {
	var found []string
	for to := range openFiles() {
		known := before[to] || strings.HasPrefix(to, "/proc/") || strings.HasPrefix(to, "anon_inode:")
		if !known {
			found = append(found, "open file "+to)
		}
	}
	return found
}

// startRun starts a run in this process that the test's end closes.
func startRun(t *testing.T, state string) *Run {
	t.Helper()
	r, err := Start(t.Context(), Options{StateDir: state})
	if err != nil {
		t.Fatal(err)
	}
	note(r.ID)
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func note(id string) {
	started.Lock()
	defer started.Unlock()
	started.ids = append(started.ids, id)
}

// needRoot ends the test where it cannot be run.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: it makes cgroups and mounts")
	}
}

// A victim is what a runner says of itself before it is killed.
type victim struct {
	ID, Dir string
	Pids    map[string]int // what runs in which place
	cmd     *exec.Cmd
}

// startVictim starts another process that is a runner with processes in all
// places where they can be, some frozen, and a mount in its folder.
func startVictim(t *testing.T, state string) *victim {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), roleEnv+"="+state)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	v := &victim{cmd: cmd}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatalf("the other runner said %q: %v", line, err)
	}
	if err := json.Unmarshal(line, v); err != nil {
		t.Fatal(err)
	}
	note(v.ID)
	return v
}

// kill kills the runner as kill -9 does.
func (v *victim) kill(t *testing.T) {
	t.Helper()
	if err := v.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = v.cmd.Wait() // its error says that it was killed
}

// running lists which of the victim's processes are alive.
func (v *victim) running() []string {
	var names []string
	for name, pid := range v.Pids {
		if born, err := birth(pid); err == nil && aliveBorn(pid, born) {
			names = append(names, fmt.Sprintf("%s (pid %d)", name, pid))
		}
	}
	return names
}

// eventually looks until it holds, for at most limit.
func eventually(t *testing.T, limit time.Duration, what string, holds func() bool) time.Duration {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	begin := time.Now()
	tick := time.NewTicker(look)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: not within %v", what, limit)
		}
	}
	return time.Since(begin)
}
