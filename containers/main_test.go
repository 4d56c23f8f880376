package containers

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"brine.test/brine/containers/cgroup"
)

// The tests' daemon lives in a state folder of their own and goes with them.
var testState string

func TestMain(m *testing.M) {
	if os.Getenv(victimVar) != "" {
		victim()
	}
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	if os.Geteuid() != 0 {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "brinet")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a test's folder
	testState = dir
	for k, v := range map[string]string{"BRINE_STATE": dir, "BRINE_ENGINE_LINGER": "2s"} {
		if err := os.Setenv(k, v); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	code := m.Run()
	if left := leaks(); len(left) > 0 {
		fmt.Fprintln(os.Stderr, "left behind:", strings.Join(left, "\n  "))
		code = 1
	}
	return code
}

// leaks waits for the daemon to go and lists what is still there of ours.
func leaks() []string {
	deadline := time.Now().Add(8 * time.Second)
	for {
		var left []string
		left = append(left, processesOf(testState)...)
		if tree, err := cgroup.Open(); err == nil {
			for _, run := range tree.List("/brine") {
				if strings.HasPrefix(run, runPrefix) {
					left = append(left, "cgroup /brine/"+run)
				}
			}
		}
		mounts, _ := os.ReadFile("/proc/self/mounts")
		for _, line := range strings.Split(string(mounts), "\n") {
			if strings.Contains(line, testState) {
				left = append(left, "mount "+line)
			}
		}
		daemons, _ := filepath.Glob(filepath.Join(testState, "engine", "*"))
		left = append(left, daemons...)
		if len(left) == 0 || time.Now().After(deadline) {
			return left
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// processesOf lists the processes, but this one, whose command line names dir.
func processesOf(dir string) []string {
	var out []string
	all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range all {
		text, err := os.ReadFile(file)
		pid := filepath.Base(filepath.Dir(file))
		if err == nil && bytes.Contains(text, []byte(dir)) && pid != fmt.Sprint(os.Getpid()) {
			out = append(out, "process "+pid+" "+strings.ReplaceAll(string(text), "\x00", " "))
		}
	}
	return out
}

// runPrefix begins the ids of this process's runs: the tests of two processes
// may run at a time.
var runPrefix = "ct" + strconv.FormatInt(int64(os.Getpid()), 36)

var runs int

func newRunID() string {
	runs++
	return runPrefix + "x" + strconv.Itoa(runs)
}

// fixture is a runtime with one group and the test image.
type fixture struct {
	*testing.T
	ctx   context.Context
	rt    *Runtime
	group *Group
	img   *Image
	ns    string
}

func setup(t *testing.T) *fixture {
	t.Helper()
	return setupWith(t, 0)
}

// setupWith bounds the room for containers' file systems.
func setupWith(t *testing.T, room int64) *fixture {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	f := &fixture{T: t, ctx: ctx, ns: newNetNS(t)}
	id := newRunID()
	var err error
	if f.rt, err = Connect(ctx, Config{RunID: id, Room: room, Progress: func(s string) { t.Log(s) }}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.must(f.rt.Close(context.Background())) })
	if f.img, err = f.rt.Image(ctx, "go:./testdata/box", "."); err != nil {
		t.Fatal(err)
	}
	if f.group, err = f.rt.NewGroup(ctx, id+"-1"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		f.must(f.group.Close(context.Background()))
		left, err := f.group.Leftovers(context.Background())
		f.must(err)
		if len(left) > 0 {
			t.Errorf("left behind: %s", strings.Join(left, ", "))
		}
	})
	return f
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Error(err)
	}
}

func (f *fixture) node(name string) *Node {
	f.Helper()
	n, err := f.group.NewNode(f.ctx, NodeSpec{
		Name: name, NetNS: f.ns, Dir: filepath.Join(f.TempDir(), name),
		Hosts: "127.0.0.1 localhost\n", ResolvConf: "nameserver 10.77.0.1\n",
	})
	if err != nil {
		f.Fatal(err)
	}
	return n
}

func (f *fixture) add(n *Node, spec ServiceSpec) *Service {
	f.Helper()
	if spec.Name == "" {
		spec.Name = "box"
	}
	if spec.Image == nil {
		spec.Image = f.img
	}
	s, err := n.Add(f.ctx, spec)
	if err != nil {
		f.Fatal(err)
	}
	return s
}

func (f *fixture) start(args ...string) *Service {
	f.Helper()
	s := f.add(f.node("node1"), ServiceSpec{Args: args})
	if err := s.Start(f.ctx); err != nil {
		f.Fatal(err)
	}
	return s
}

func (f *fixture) exec(s *Service, args ...string) ExecResult {
	f.Helper()
	res, err := s.Exec(f.ctx, ExecSpec{Args: append([]string{"/box"}, args...)})
	if err != nil {
		f.Fatal(err)
	}
	return res
}

// wantLog waits until the standard output holds text.
func (f *fixture) wantLog(s *Service, text string) {
	f.Helper()
	stdout, _ := s.LogPaths()
	deadline := time.Now().Add(5 * time.Second)
	for {
		got, err := os.ReadFile(stdout)
		if err == nil && strings.Contains(string(got), text) {
			return
		}
		if time.Now().After(deadline) {
			f.Fatalf("%s: %q, %v; want %q in it", stdout, got, err, text)
		}
		time.Sleep(2 * time.Millisecond)
	}
}
