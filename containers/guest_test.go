package containers

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"brine.test/brine/containers/cgroup"
)

// groupsOf are the control groups that a process is in, by hierarchy.
func groupsOf(t *testing.T, pid int) string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A guest is in the node's groups, counted there, and gone with the node.
func TestGuestOfANode(t *testing.T) {
	f := setup(t)
	n := f.node("node1")
	s := f.add(n, ServiceSpec{Args: []string{"ticks"}})
	f.must(s.Start(f.ctx))
	g, err := n.Guest(exec.Command("/bin/sh", "-c", "read go; while :; do :; done"), 9)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.must(g.End(f.ctx)) })
	tree, err := cgroup.Open()
	if err != nil {
		t.Fatal(err)
	}
	groups := groupsOf(t, g.PID())
	want := 3 // unified, memory, cpu
	if tree.V2() {
		want = 1
	}
	if got := strings.Count(groups, ":"+n.CgroupPath()+"/brine-guest"); got < want {
		t.Errorf("in %d groups of the node, want %d:\n%s", got, want, groups)
	}
	before, err := n.Usage()
	f.must(err)
	if _, err := g.Write([]byte("\n")); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); g.CPU() < 100*time.Millisecond; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("a busy guest used %v", g.CPU())
		}
	}
	after, err := n.Usage()
	f.must(err)
	if used := after.CPU - before.CPU; used < 100*time.Millisecond {
		t.Errorf("the node used %v with a guest that used %v", used, g.CPU())
	}
	f.must(n.Pause(f.ctx)) // the guest stands with its node
	at := g.CPU()
	time.Sleep(50 * time.Millisecond) // the measuring time
	if d := g.CPU() - at; d > 10*time.Millisecond {
		t.Errorf("used %v on a paused node", d)
	}
	for _, start := range []func() (*Guest, error){
		func() (*Guest, error) { return n.Guest(exec.Command("/bin/true"), 1) },
		func() (*Guest, error) { return s.Guest(exec.Command("/bin/true")) },
	} {
		if _, err := start(); !errors.Is(err, ErrPaused) {
			t.Errorf("a guest of a paused node: %v", err)
		}
	}
	f.must(n.Resume(f.ctx))
	f.must(n.Kill(f.ctx))
	select {
	case <-g.Ended():
	case <-f.ctx.Done():
		t.Fatal("the guest outlives its node")
	}
	f.must(g.End(f.ctx))
	f.must(g.End(f.ctx)) // again
	if left := tree.List(n.CgroupPath()); strings.Contains(strings.Join(left, " "), "brine-guest") {
		t.Errorf("left behind: %v", left)
	}
}

// A guest of a service is in the service's own groups, and needs one that runs.
func TestGuestOfAService(t *testing.T) {
	f := setup(t)
	s := f.add(f.node("node1"), ServiceSpec{Args: []string{"ticks"}})
	if _, err := s.Guest(exec.Command("/bin/cat")); !errors.Is(err, ErrNotRunning) {
		t.Errorf("before it runs: %v", err)
	}
	f.must(s.Start(f.ctx))
	g, err := s.Guest(exec.Command("/bin/cat"))
	if err != nil {
		t.Fatal(err)
	}
	if guest, own := groupsOf(t, g.PID()), groupsOf(t, s.State().PID); !strings.Contains(guest, s.cgroup.Path) ||
		strings.Count(guest, s.cgroup.Path) > strings.Count(own, s.cgroup.Path) {
		t.Errorf("the guest is in\n%sthe service in\n%s", guest, own)
	}
	f.must(g.End(f.ctx))
	f.wantLog(s, "tick") // it runs on
	if !s.State().Up() {
		t.Errorf("the service after its guest's end: %+v", s.State())
	}
	// A program that is not there leaves nothing.
	if _, err := s.node.Guest(exec.Command("/no/such/program"), 1); err == nil || !strings.Contains(err.Error(), "/no/such/program") {
		t.Errorf("a missing program: %v", err)
	}
}

// The kernel takes whom it is offered, and what was offered is as before then.
func TestOfferToOOM(t *testing.T) {
	f := setup(t)
	s := f.start("ticks")
	score := func() string {
		text, err := os.ReadFile(scoreFile(s.State().PID))
		f.must(err)
		return strings.TrimSpace(string(text))
	}
	before := score()
	restore, err := s.OfferToOOM()
	if err != nil {
		t.Fatal(err)
	}
	if before != strconv.Itoa(expendable) {
		t.Errorf("a container's process has score %s, want %d", before, expendable)
	}
	if got := score(); got != mostWanted {
		t.Errorf("offered: score %s, before %s", got, before)
	}
	f.must(restore())
	if got := score(); got != before {
		t.Errorf("restored: score %s, want %s", got, before)
	}
	// One that ended meanwhile is no error.
	restore, err = s.OfferToOOM()
	f.must(err)
	f.must(s.Kill(f.ctx))
	f.must(restore())
}

// greedyVar makes this program a guest that takes memory until it is killed.
const greedyVar = "BRINE_TEST_GREEDY"

func init() {
	if os.Getenv(greedyVar) != "" {
		fmt.Fprintln(os.Stderr, "greedy:", beGreedy())
		os.Exit(1)
	}
}

// beGreedy takes half of the node's memory in a file, which counts as nobody's own:
// a program that has the whole limit for itself is to the kernel as large as another
// that was offered.
func beGreedy() error {
	if _, err := os.Stdin.Read(make([]byte, 1)); err != nil {
		return err
	}
	fd, err := unix.MemfdCreate("greedy", unix.MFD_CLOEXEC)
	if err != nil {
		return err
	}
	if _, err := unix.Write(fd, make([]byte, fullNode/2)); err != nil {
		return err
	}
	for all := [][]byte{}; ; {
		all = append(all, bytes.Repeat([]byte{byte(len(all))}, 1<<20))
	}
}

// fullNode is the memory of a node that is to be full, in bytes.
const fullNode = 128 << 20

// In a node that is full the kernel takes the greedy one, and a service that was
// offered to it before that one, however little the service has.
func TestAnOfferedServiceDiesBeforeAGreedyGuest(t *testing.T) {
	f := setup(t)
	events := f.rt.Subscribe(f.ctx)
	n := f.node("node1")
	f.must(n.SetMemory(f.ctx, fullNode))
	s := f.add(n, ServiceSpec{Args: []string{"ticks"}})
	f.must(s.Start(f.ctx))
	guest := func(cmd *exec.Cmd) *Guest {
		g, err := n.Guest(cmd, 1)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.must(g.End(f.ctx)) })
		_, err = g.Write([]byte("\n"))
		f.must(err)
		return g
	}
	select {
	case <-guest(exec.Command("/bin/sh", "-c", "read go; exec tail /dev/zero")).Ended(): // tail keeps the whole of a line
	case <-time.After(30 * time.Second):
		t.Fatal("the node was never full")
	}
	if !s.State().Up() {
		t.Fatalf("the service died for the greedy guest: %+v", s.State())
	}
	restore, err := s.OfferToOOM()
	f.must(err)
	defer func() { f.must(restore()) }()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{greedyVar + "=1", "GOGC=off"}
	guest(cmd)
	if e := await(t, events, EventExit); e.Service != "box" || !e.OOM || e.Signal != 9 {
		t.Errorf("exit: %+v", e)
	}
}

// Counters tell whether a limit was felt.
func TestUsageTellsOfLimits(t *testing.T) {
	f := setup(t)
	s := f.add(f.node("node1"), ServiceSpec{Args: []string{"ticks"}})
	if u, err := s.Usage(); err == nil {
		t.Errorf("of a service that does not run: %+v", u)
	}
	f.must(s.Start(f.ctx))
	f.must(s.SetCPU(f.ctx, 0.05))
	g, err := s.Guest(exec.Command("/bin/sh", "-c", "read go; while :; do :; done"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.must(g.End(f.ctx)) })
	_, err = g.Write([]byte("\n"))
	f.must(err)
	var u Usage
	for deadline := time.Now().Add(10 * time.Second); u.Held == 0; time.Sleep(5 * time.Millisecond) {
		if u, err = s.Usage(); err != nil || time.Now().After(deadline) {
			t.Fatalf("never held: %+v, %v", u, err)
		}
	}
	if u.Periods < u.Held || u.Throttled <= 0 || u.CPU <= 0 || u.Memory <= 0 {
		t.Errorf("usage %+v", u)
	}
}
