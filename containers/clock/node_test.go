package clock

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// testNode is a control group without a container.
type testNode struct {
	*group
}

var nodes atomic.Int32

func newNode(t testing.TB) *testNode {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	mount, err := cgroup2Mount()
	if err != nil {
		t.Fatal(err)
	}
	path := fmt.Sprintf("/brine/clk%d/%d", os.Getpid(), nodes.Add(1))
	folder := filepath.Join(mount, path)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	g, err := findGroup(path)
	if err != nil {
		t.Fatal(err)
	}
	n := &testNode{group: g}
	t.Cleanup(func() { n.end(t) })
	return n
}

// end kills what is in the node and removes it.
func (n *testNode) end(t testing.TB) {
	deadline := time.Now().Add(5 * time.Second)
	_ = os.WriteFile(filepath.Join(n.folder, "cgroup.freeze"), []byte("0"), 0)
	for time.Now().Before(deadline) {
		pids, _ := n.pids()
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		if err := os.Remove(n.folder); err == nil {
			_ = os.Remove(filepath.Dir(n.folder)) // the last one removes the run's
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("control group %s stays", n.folder)
}

// freeze pauses the node ("1") or lets it go on ("0").
func (n *testNode) freeze(t testing.TB, to string) {
	t.Helper()
	if err := os.WriteFile(n.folder+"/cgroup.freeze", []byte(to), 0); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Second); ; {
		text, err := os.ReadFile(n.folder + "/cgroup.events")
		if err == nil && strings.Contains(string(text), "frozen "+to) {
			return
		}
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("not frozen %s: %s, %v", to, text, err)
		}
	}
}

// reader is a program that tells its clocks.
type reader struct {
	t    testing.TB
	cmd  *exec.Cmd
	in   *os.File
	out  *bufio.Reader
	said int64 // what it read first of all
}

// reading is what the clocks of a program showed, ns.
type reading struct {
	real, coarse, gettimeofday, time, mono, raw, took int64
}

// skew is how wrong the wall clock is.
func (r reading) skew() time.Duration { return time.Duration(r.real - r.raw) }

// start runs a program in the node; nil is outside of any.
func (n *testNode) start(t testing.TB, threads int, args ...string) *reader {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), fmt.Sprint("THREADS=", threads))
	cmd.Stderr = os.Stderr
	if n != nil {
		f, err := os.Open(n.folder)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(f.Fd())}
	}
	theirs, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin = theirs
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = theirs.Close()
	r := &reader{t: t, cmd: cmd, in: in, out: bufio.NewReader(stdout)}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = in.Close()
	})
	if _, err := fmt.Sscan(r.line(), &r.said); err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return r
}

func (r *reader) line() string {
	r.t.Helper()
	type result struct {
		line string
		err  error
	}
	got := make(chan result, 1)
	go func() {
		line, err := r.out.ReadString('\n')
		got <- result{line, err}
	}()
	select {
	case l := <-got:
		if l.err != nil {
			_ = r.cmd.Wait()
			r.t.Fatalf("%v ended: %v", r.cmd.Args, r.cmd.ProcessState)
		}
		return l.line
	case <-time.After(10 * time.Second):
		stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", r.cmd.Process.Pid))
		r.t.Fatalf("%v does not answer: %s", r.cmd.Args, stat)
		return ""
	}
}

// read asks for the clocks until the program was not interrupted between them.
func (r *reader) read() (v reading) {
	r.t.Helper()
	for range 1000 {
		if v = r.ask("r"); v.took < int64(500*time.Microsecond) {
			break
		}
	}
	return v
}

// fork lets the program fork; its child answers from now on.
func (r *reader) fork() reading {
	r.t.Helper()
	r.ask("f")
	return r.read()
}

func (r *reader) ask(what string) (v reading) {
	r.t.Helper()
	if _, err := fmt.Fprintln(r.in, what); err != nil {
		_ = r.cmd.Wait()
		r.t.Fatalf("%v: %v", r.cmd, r.cmd.ProcessState)
	}
	if _, err := fmt.Sscan(r.line(), &v.real, &v.coarse, &v.gettimeofday, &v.time, &v.mono, &v.raw, &v.took); err != nil {
		r.t.Fatal(err)
	}
	return v
}

// programs are built once: C static and dynamic, static Go.
var programs = sync.OnceValues(func() (map[string]string, error) {
	dir, err := os.MkdirTemp("", "clocktest")
	if err != nil {
		return nil, err
	}
	built = dir
	out := map[string]string{}
	for name, args := range map[string][]string{
		"c-dynamic": {"gcc", "-O1", "-pthread", "-o", "", "testdata/reader.c"},
		"c-static":  {"gcc", "-O1", "-pthread", "-static", "-o", "", "testdata/reader.c"},
		"vforker":   {"gcc", "-O1", "-o", "", "testdata/vforker.c"},
		"go-static": {"go", "build", "-o", "", "./testdata/goreader"},
	} {
		out[name] = filepath.Join(dir, name)
		for i := range args {
			if args[i] == "" {
				args[i] = out[name]
			}
		}
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if text, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%v: %w: %s", args, err, text)
		}
	}
	return out, nil
})

// built is where the programs are.
var built string

func program(t testing.TB, name string) string {
	t.Helper()
	all, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	return all[name]
}

func newClock(t testing.TB, n *testNode) *Clock {
	t.Helper()
	c, err := New(context.Background(), Config{Name: "node1", Cgroup: n.path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func set(t testing.TB, c *Clock, s Skew) {
	t.Helper()
	if err := c.Set(context.Background(), s); err != nil {
		t.Fatal(err)
	}
}

func restore(t testing.TB, c *Clock) {
	t.Helper()
	if err := c.Restore(context.Background()); err != nil {
		t.Fatal(err)
	}
}
