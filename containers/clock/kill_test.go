package clock

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// victimVar makes the test program a runner that is to be killed. Its value is
// the node's control group.
const victimVar = "BRINE_TEST_CLOCK_VICTIM"

// victim sets the clock of a node and says so; with a word more it goes on
// restoring and setting it.
func victim() {
	path, busy := os.Getenv(victimVar), len(os.Args) > 1
	ctx := context.Background()
	c, err := New(ctx, Config{Name: "node1", Cgroup: path})
	for err == nil {
		if err = c.Set(ctx, Skew{Offset: time.Hour}); err != nil {
			break
		}
		fmt.Println("set")
		if !busy {
			_, _ = os.Stdin.Read(make([]byte, 1)) // for ever
		}
		err = c.Restore(ctx)
	}
	fmt.Println(err)
	os.Exit(1)
}

func startVictim(t *testing.T, n *testNode, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), victimVar+"="+n.path)
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil {
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
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	said := make(chan string, 1)
	go func() {
		r := bufio.NewReader(out)
		line, _ := r.ReadString('\n')
		said <- line
		_, _ = r.WriteTo(new(strings.Builder))
	}()
	if line := <-said; line != "set\n" {
		t.Fatal("victim: ", line)
	}
	return cmd
}

// state is a process's letter in /proc: R, S, T, t, Z.
func state(pid int) string {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, after, _ := strings.Cut(string(stat), ") ")
	before, _, _ := strings.Cut(after, " ")
	return before
}

func eventually(t *testing.T, what string, f func() bool) time.Duration {
	t.Helper()
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		if f() {
			return time.Since(began)
		}
		if time.Since(began) > 10*time.Second {
			t.Fatal("does not happen: ", what)
		}
	}
}

// A runner that hangs has a new program stopped; when it is killed the program
// goes on, and nobody is stopped any more.
func TestKilledRunnerLeavesNobodyStopped(t *testing.T) {
	n := newNode(t)
	before := n.start(t, 2, program(t, "go-static"))
	runner := startVictim(t, n)
	near(t, "before", before.read().skew(), time.Hour)
	if err := runner.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the runner hangs", func() bool { return state(runner.Process.Pid) == "T" })
	held := make(chan *reader)
	go func() { held <- n.start(t, 0, program(t, "go-static")) }()
	var pid int
	eventually(t, "a new program is held", func() bool {
		for _, p := range must(n.pids())(t) {
			if p != before.cmd.Process.Pid && state(p) == "T" {
				pid = p
			}
		}
		return pid != 0
	})
	killed := time.Now()
	if err := runner.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	r := <-held
	t.Logf("let go %v after the kill", time.Since(killed))
	check(t, r, 0) // nobody was there to patch it
	near(t, "before", before.read().skew(), time.Hour)
	eventually(t, "new programs are not patched", func() bool {
		return n.start(t, 0, program(t, "c-static")).read().skew() < time.Minute
	})
	eventually(t, "the watchdog ends", func() bool { return len(watchdogs()) == 0 })
}

// watchdogs are those that have no parent any more.
func watchdogs() []string {
	out, _ := exec.Command("sh", "-c", "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline 2>/dev/null | grep -q ^brine-clock-watchdog && grep -q 'PPid:.1$' $p/status && echo $p; done").Output()
	return strings.Fields(string(out))
}

// A runner is killed in the middle of stopping and patching busy processes.
func TestKilledRunnerLeavesNobodyTraced(t *testing.T) {
	n := newNode(t)
	readers := []*reader{n.start(t, 4, program(t, "c-dynamic")), n.start(t, 4, program(t, "go-static"))}
	for i := range 20 {
		runner := startVictim(t, n, "busy")
		time.Sleep(time.Duration(i) * 7 * time.Millisecond) // a moment of its loop
		if err := runner.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = runner.Wait()
		for _, r := range readers {
			if d := r.read().skew(); d > time.Second && d != time.Hour {
				near(t, "after the kill", d, time.Hour)
			}
		}
	}
	// The next one finds what the last one left, and mends it.
	c := newClock(t, n)
	set(t, c, Skew{Offset: -time.Hour})
	for _, r := range readers {
		check(t, r, -time.Hour)
	}
	restore(t, c)
	for _, r := range readers {
		check(t, r, 0)
	}
}
