package clock

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A chain of programs, each executed by the one before, through a shell too.
func TestExecChain(t *testing.T) {
	n := newNode(t)
	c := newClock(t, n)
	set(t, c, Skew{Offset: time.Hour})
	dynamic, static, golang := program(t, "c-dynamic"), program(t, "c-static"), program(t, "go-static")
	r := n.start(t, 0, dynamic, static, golang, "/bin/sh", "-c", "cat /dev/null; "+golang+" & wait; exec "+static+" "+dynamic)
	// The shell's background child has no input, says its first reading and ends.
	about(t, "child of the shell", r.said, time.Hour)
	var said int64
	if _, err := fmt.Sscan(r.line(), &said); err != nil {
		t.Fatal(err)
	}
	about(t, "end of the chain", said, time.Hour)
	check(t, r, time.Hour)
	if rc := c.Receipt(); rc.Started != 8 || len(rc.Uncovered) > 0 {
		t.Errorf("receipt %+v", rc)
	}
}

// Children have a copy of the patch; a later change and the restoration reach them.
func TestForkedChildren(t *testing.T) {
	n := newNode(t)
	r := n.start(t, 0, program(t, "c-dynamic"))
	c := newClock(t, n)
	set(t, c, Skew{Offset: time.Hour})
	near(t, "child", r.fork().skew(), time.Hour)
	set(t, c, Skew{Offset: time.Hour})
	near(t, "child after a change", r.read().skew(), 2*time.Hour)
	near(t, "grandchild", r.fork().skew(), 2*time.Hour)
	restore(t, c)
	near(t, "grandchild after restoring", r.read().skew(), 0)
	for _, pid := range must(n.pids())(t) {
		p, err := openProcess(pid, c.im)
		if err != nil {
			t.Fatal(err)
		}
		if st, err := p.status(); err != nil || !st.clean() {
			t.Errorf("pid %d: %+v, %v", pid, st, err)
		}
		p.close()
	}
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// The first process of a pid namespace gets no signals but from outside.
func TestFirstProcessOfAContainer(t *testing.T) {
	n := newNode(t)
	c := newClock(t, n)
	set(t, c, Skew{Offset: -time.Hour})
	r := n.start(t, 0, "unshare", "--fork", "--pid", "--mount-proc", program(t, "go-static"))
	about(t, "first reading", r.said, -time.Hour)
	check(t, r, -time.Hour)
	// As a container runtime does it for exec: into the namespaces from outside.
	outer := r.cmd.Process.Pid
	inner := must(os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", outer, outer)))(t)
	x := n.start(t, 0, "nsenter", "-p", "-m", "-t", strings.TrimSpace(string(inner)), program(t, "c-static"))
	about(t, "entered", x.said, -time.Hour)
	restore(t, c)
	check(t, r, 0)
}

// Programs are started all the time while the clock is changed and restored.
// Each shows one of the two clocks and none is left stopped.
func TestProgramsStartedDuringChanges(t *testing.T) {
	n := newNode(t)
	c := newClock(t, n)
	// Not as our own child: whoever traces a process and waits for it as its
	// parent gets the one thing for the other.
	script := fmt.Sprintf("(echo 0 >%s/cgroup.procs; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do (%s </dev/null; %s </dev/null); done) & wait",
		n.folder, program(t, "c-static"), program(t, "go-static"))
	cmd := exec.Command("/bin/sh", "-c", script)
	done := make(chan error, 1)
	var out []byte
	go func() {
		var err error
		out, err = cmd.Output()
		done <- err
	}()
	for rounds := 0; ; rounds++ {
		set(t, c, Skew{Offset: time.Hour})
		time.Sleep(3 * time.Millisecond) // programs start
		restore(t, c)
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			skewed := 0
			for line := range strings.Lines(string(out)) {
				var said int64
				if _, err := fmt.Sscan(line, &said); err != nil {
					t.Fatal(err)
				}
				switch d := time.Until(time.Unix(0, said)); {
				case d > 50*time.Minute:
					skewed++
				case d < -time.Minute:
					t.Error("a program saw", d)
				}
			}
			t.Logf("%d rounds; %d of %d programs saw the wrong clock; %+v", rounds, skewed, strings.Count(string(out), "\n"), c.Receipt())
			if strings.Count(string(out), "\n") != 40 || len(c.Receipt().Uncovered) > 0 {
				t.Errorf("%s, %+v", out, c.Receipt())
			}
			return
		case <-time.After(3 * time.Millisecond): // programs start
		}
	}
}

// What a parent can see of the stop.
func TestParentSeesNoStop(t *testing.T) {
	n := newNode(t)
	c := newClock(t, n)
	set(t, c, Skew{Offset: time.Hour})
	r := n.start(t, 0, program(t, "c-static"))
	var ws unix.WaitStatus
	got, err := unix.Wait4(r.cmd.Process.Pid, &ws, unix.WNOHANG, nil)
	if got != 0 || err != nil {
		t.Errorf("wait4 gave %d, %v, %x", got, err, ws)
	}
	check(t, r, time.Hour)
}

// A paused node's clock changes, and the node stays paused; so does a stopped process.
func TestPausedNode(t *testing.T) {
	n := newNode(t)
	r, stopped := n.start(t, 4, program(t, "go-static")), n.start(t, 4, program(t, "c-dynamic"))
	c := newClock(t, n)
	if err := syscall.Kill(stopped.cmd.Process.Pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	n.freeze(t, "1")
	set(t, c, Skew{Offset: time.Hour})
	n.freeze(t, "1") // it still is
	n.freeze(t, "0")
	check(t, r, time.Hour)
	if stat := must(os.ReadFile(fmt.Sprintf("/proc/%d/stat", stopped.cmd.Process.Pid)))(t); !strings.Contains(string(stat), ") T ") {
		t.Errorf("the stopped process runs: %s", stat)
	}
	if err := syscall.Kill(stopped.cmd.Process.Pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	check(t, stopped, time.Hour)
	n.freeze(t, "1")
	var left *LeftoverError
	if err := c.Restore(context.Background()); err != nil && !errors.As(err, &left) {
		t.Fatal(err)
	}
	n.freeze(t, "0")
	check(t, r, 0)
	check(t, stopped, 0)
	restore(t, c)
}

// What cannot be taken away while a node is paused is told, does no harm, and
// goes with the next call.
func TestPausedInsideThePatch(t *testing.T) {
	n := newNode(t)
	r := n.start(t, 1, program(t, "c-static"))
	c := newClock(t, n)
	before := vdsoOf(t, r)
	var left *LeftoverError
	for tries := 0; left == nil; tries++ {
		if tries == 100 {
			t.Fatal("never paused inside the patch")
		}
		set(t, c, Skew{Offset: time.Hour})
		check(t, r, time.Hour)
		n.freeze(t, "1")
		if err := c.Restore(context.Background()); err != nil && !errors.As(err, &left) {
			t.Fatal(err)
		}
		n.freeze(t, "0")
		check(t, r, 0)
	}
	t.Log(left)
	if want := fmt.Sprintf("pid %d (c-static): thread", r.cmd.Process.Pid); len(left.Where) != 1 || !strings.HasPrefix(left.Where[0], want) {
		t.Errorf("got %q, want %q", left.Where, want)
	}
	restore(t, c)
	check(t, r, 0)
	if !bytes.Equal(vdsoOf(t, r), before) {
		t.Error("the vDSO is not what it was")
	}
}

// Busy threads are stopped and let go many times and crash never.
func TestManyCycles(t *testing.T) {
	n := newNode(t)
	readers := []*reader{n.start(t, 2, program(t, "c-dynamic")), n.start(t, 2, program(t, "go-static"))}
	t.Setenv("TICK", "1")
	readers = append(readers, n.start(t, 2, program(t, "c-static")))
	c := newClock(t, n)
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	for range 60 {
		if err := c.Set(ctx, Skew{Offset: time.Hour}); err != nil {
			t.Fatal(err)
		}
		if err := c.Restore(ctx); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range readers {
		check(t, r, 0)
	}
}
