package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	containerd "github.com/containerd/containerd/v2/client"
	"golang.org/x/sys/unix"

	"brine.test/brine/containers/cgroup"
)

const userVar = "BRINE_ENGINE_TEST_USER"

// TestMain checks that no daemon's group, folder or mount outlives the tests.
// As a child it is one user of the daemon that is going to be killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(userVar); dir != "" {
		e, err := Start(context.Background(), Config{StateDir: dir, Linger: -1})
		if err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		fmt.Println(e.PID)
		select {}
	}
	code := m.Run()
	if tree, err := cgroup.Open(); err == nil {
		for _, name := range started {
			if tree.Group("/brine-engine-" + name).Exists() {
				fmt.Fprintln(os.Stderr, "left behind: cgroup brine-engine-"+name)
				code = 1
			}
		}
	}
	os.Exit(code)
}

// started are the keys of the tests' daemons.
var started []string

func start(t *testing.T, dir string, linger time.Duration) *Engine {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	t.Cleanup(cancel)
	e, err := Start(ctx, Config{StateDir: dir, Linger: linger, Progress: func(s string) { t.Log(s) }})
	if err != nil {
		t.Fatal(err)
	}
	started = append(started, filepath.Base(e.Dir))
	return e
}

// ping asks the daemon for its version.
func ping(t *testing.T, e *Engine) string {
	t.Helper()
	c, err := containerd.New(e.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close() //nolint:errcheck // a test's client
	v, err := c.Version(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return v.Version
}

func waitGone(t *testing.T, dir string) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
			return
		}
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(filepath.Join(dir, "supervisor.log"))
			t.Fatalf("%s is still there\n%s", dir, log)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestTwoUsersShareADaemonThatEndsWithTheLast(t *testing.T) {
	dir := t.TempDir()
	a := start(t, dir, -1)
	b := start(t, dir, -1)
	if a.PID != b.PID {
		t.Errorf("two daemons: %d and %d", a.PID, b.PID)
	}
	if v := ping(t, a); !strings.HasPrefix("v"+v, Versions()["containerd"]) {
		t.Errorf("version %s, want %s", v, Versions()["containerd"])
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	ping(t, b)
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	waitGone(t, b.Dir)
	mounts, _ := os.ReadFile("/proc/self/mounts")
	if strings.Contains(string(mounts), dir) {
		t.Errorf("a mount of the daemon is seen outside:\n%s", mounts)
	}
	c := start(t, dir, -1) // and again
	ping(t, c)
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	waitGone(t, c.Dir)
}

func TestTheDaemonLingers(t *testing.T) {
	dir := t.TempDir()
	a := start(t, dir, 700*time.Millisecond)
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	time.Sleep(300 * time.Millisecond) // less than it lingers
	b := start(t, dir, 700*time.Millisecond)
	if a.PID != b.PID {
		t.Error("the daemon did not linger")
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	waitGone(t, b.Dir)
}

func TestSocketIsForRootAlone(t *testing.T) {
	dir := t.TempDir()
	e := start(t, dir, -1)
	info, err := os.Stat(e.Dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder of the socket: %v, %v; want 0700", info.Mode(), err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	waitGone(t, e.Dir)
}

func TestAKilledUserLetsTheDaemonGo(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	dir := t.TempDir()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), userVar+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Fscan(out, &pid); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	dirs, _ := filepath.Glob(filepath.Join(dir, "engine", "*"))
	for _, d := range dirs {
		waitGone(t, d)
	}
	if err := unix.Kill(pid, 0); err == nil {
		t.Errorf("containerd %d still runs", pid)
	}
}

func TestANewDaemonReplacesOneThatWasKilled(t *testing.T) {
	dir := t.TempDir()
	a := start(t, dir, -1)
	tree, err := cgroup.Open()
	if err != nil {
		t.Fatal(err)
	}
	group := tree.Group("/brine-engine-" + filepath.Base(a.Dir))
	pids, err := group.Pids()
	if err != nil {
		t.Fatal(err)
	}
	for _, pid := range pids { // supervisor and daemon, as the OOM killer would
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	if err := group.WaitEmpty(context.Background()); err != nil {
		t.Fatal(err)
	}
	b := start(t, dir, -1)
	if b.PID == a.PID {
		t.Error("the killed daemon was taken for alive: " + fmt.Sprint(b.PID))
	}
	ping(t, b)
	if err := errors.Join(a.Close(), b.Close()); err != nil {
		t.Error(err)
	}
	waitGone(t, b.Dir)
}

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		dir := b.TempDir()
		e, err := Start(context.Background(), Config{StateDir: dir, Linger: -1})
		if err != nil {
			b.Fatal(err)
		}
		if err := e.Close(); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		for _, err := os.Stat(e.Dir); err == nil; _, err = os.Stat(e.Dir) {
			time.Sleep(time.Millisecond)
		}
		b.StartTimer()
	}
}
