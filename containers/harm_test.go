package containers

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/containerd/containerd/api/services/tasks/v1"
	"golang.org/x/sys/unix"
)

func logSize(t *testing.T, s *Service) int64 {
	t.Helper()
	stdout, _ := s.LogPaths()
	info, err := os.Stat(stdout)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// stands tells whether a program that prints all the time prints nothing.
func stands(t *testing.T, s *Service) bool {
	t.Helper()
	time.Sleep(150 * time.Millisecond) // what was in the pipe arrives
	before := logSize(t, s)
	time.Sleep(150 * time.Millisecond) // a running one prints thirty lines
	return logSize(t, s) == before
}

func TestPauseOfANodeStandsAllItsServices(t *testing.T) {
	f := setup(t)
	n := f.node("node1")
	a := f.add(n, ServiceSpec{Name: "a", Args: []string{"ticks"}})
	b := f.add(n, ServiceSpec{Name: "b", Args: []string{"ticks"}})
	f.must(a.Start(f.ctx))
	f.must(b.Start(f.ctx))
	f.wantLog(b, "tick 1")
	f.must(n.Pause(f.ctx))
	if !stands(t, a) || !stands(t, b) {
		t.Error("a paused service went on printing")
	}
	if st := a.State(); st.Status != Paused {
		t.Errorf("state %+v", st)
	}
	// A command waits for its node to resume, as long as its context lasts.
	short, cancel := context.WithTimeout(f.ctx, 200*time.Millisecond)
	if _, err := a.Exec(short, ExecSpec{Args: []string{"/box"}}); !errors.Is(err, ErrPaused) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("exec on a paused node: %v", err)
	}
	cancel()
	f.must(n.Resume(f.ctx))
	if stands(t, a) {
		t.Error("a resumed service stands")
	}
	f.must(n.Pause(f.ctx))
	f.must(n.Kill(f.ctx))
	f.must(a.Start(f.ctx))
	if stands(t, a) {
		t.Error("a service killed while paused and started again stands")
	}
	f.must(a.Pause(f.ctx))
	if !stands(t, a) {
		t.Error("a service that is paused by itself goes on")
	}
	f.must(a.Kill(f.ctx))
	f.must(a.Start(f.ctx))
	if stands(t, a) {
		t.Error("stands after being killed while paused by itself")
	}
}

// await reads events until one is of the kind.
func await(t *testing.T, events <-chan Event, kind EventKind) Event {
	t.Helper()
	for {
		select {
		case e := <-events:
			if e.Kind == kind {
				return e
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("no event of kind %s", kind)
		}
	}
}

func TestOutOfMemoryIsRecognised(t *testing.T) {
	f := setup(t)
	events := f.rt.Subscribe(f.ctx)
	n := f.node("node1")
	greedy := f.add(n, ServiceSpec{Name: "greedy", Args: []string{"eat"}})
	modest := f.add(n, ServiceSpec{Name: "modest", Args: []string{"sleep"}})
	f.must(modest.Start(f.ctx))
	f.must(n.SetMemory(f.ctx, 64<<20))
	f.must(greedy.Start(f.ctx))
	await(t, events, EventOOM)
	e := await(t, events, EventExit)
	if e.Service != "greedy" || !e.OOM || e.Signal != 9 || e.Node != "node1" || e.Group != f.group.Name {
		t.Errorf("exit: %+v", e)
	}
	if st := greedy.State(); !st.OOM {
		t.Errorf("greedy: %+v", st)
	}
	f.must(modest.Kill(f.ctx))
	if e := await(t, events, EventExit); e.Service != "modest" || e.OOM {
		t.Errorf("a killed neighbour: %+v", e)
	}
	limited := f.add(n, ServiceSpec{Name: "limited", Args: []string{"eat"}, Memory: 32 << 20})
	f.must(n.SetMemory(f.ctx, 0))
	f.must(limited.Start(f.ctx))
	if e := await(t, events, EventExit); e.Service != "limited" || !e.OOM {
		t.Errorf("under a limit of its own: %+v", e)
	}
}

func TestADeadShimIsSurvived(t *testing.T) {
	f := setup(t)
	s := f.start("sleep")
	f.must(killShims(namespaceOf(f.rt.cfg.RunID), ""))
	st, err := s.Wait(f.ctx)
	if err != nil || st.Up() {
		t.Errorf("after its shim died: %+v, %v", st, err)
	}
}

func TestCloseTakesWhatIsGoneAlready(t *testing.T) {
	f := setup(t)
	s := f.start("sleep")
	ctx := f.rt.runCtx(f.ctx)
	f.must(s.cgroup.Kill(f.ctx))
	_, err := s.Wait(f.ctx)
	f.must(err)
	_, _ = f.rt.tasks().Delete(ctx, &tasks.DeleteTaskRequest{ContainerID: s.id})
	f.must(f.rt.client.ContainerService().Delete(ctx, s.id))
	f.must(f.group.Close(f.ctx))
	f.must(f.group.Close(f.ctx))
}

func TestADaemonThatDiesIsNoticed(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	id := newRunID()
	rt, err := Connect(ctx, Config{RunID: id, StateDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	img, err := rt.Image(ctx, "go:./testdata/box", ".")
	if err != nil {
		t.Fatal(err)
	}
	g, err := rt.NewGroup(ctx, id+"-1")
	if err != nil {
		t.Fatal(err)
	}
	n, err := g.NewNode(ctx, NodeSpec{Name: "node1", NetNS: newNetNS(t), Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	s, err := n.Add(ctx, ServiceSpec{Name: "box", Image: img, Args: []string{"sleep"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if err := unix.Kill(rt.engine.PID, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := n.Kill(ctx); err != nil {
		t.Errorf("kill without the daemon: %v", err)
	}
	if s.State().Up() {
		t.Error("up though its processes are dead")
	}
	began := time.Now()
	_ = g.Close(ctx)
	_ = rt.Close(ctx)
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("closing without a daemon took %s", took)
	}
	if g.cgroup.Exists() {
		t.Error("the cgroup is left")
	}
}

func TestWipeAndUpgrade(t *testing.T) {
	f := setup(t)
	n := f.node("node1")
	s := f.add(n, ServiceSpec{Args: []string{"sleep"}, Data: "/data", Files: map[string]string{"/f": "placed"}})
	f.must(s.Start(f.ctx))
	f.exec(s, "write", "/data/x", "volume")
	f.exec(s, "write", "/y", "root")
	f.must(s.Stop(f.ctx, unix.SIGTERM, time.Second))
	f.must(s.SetImage(f.ctx, f.img, nil, []string{"term"}))
	f.must(s.Start(f.ctx))
	if got := string(f.exec(s, "cat", "/data/x").Stdout); got != "volume" {
		t.Errorf("volume after the upgrade: %q", got)
	}
	if f.exec(s, "cat", "/y").Code == 0 {
		t.Error("the root file system outlived its image")
	}
	f.wantLog(s, "up")
	f.must(n.Wipe(f.ctx))
	f.must(s.Start(f.ctx))
	if f.exec(s, "cat", "/data/x").Code == 0 {
		t.Error("the volume outlived the wipe")
	}
	if got := string(f.exec(s, "cat", "/f").Stdout); got != "placed" {
		t.Errorf("file after the wipe: %q", got)
	}
	f.must(n.Remove(f.ctx))
	if n.cgroup.Exists() {
		t.Error("the cgroup of a removed node is left")
	}
}

func TestEventsOfALife(t *testing.T) {
	f := setup(t)
	ctx, cancel := context.WithCancel(f.ctx)
	events := f.rt.Subscribe(ctx)
	s := f.start("exit", "5")
	if e := await(t, events, EventStart); e.Service != "box" {
		t.Errorf("start: %+v", e)
	}
	if e := await(t, events, EventExit); e.Code != 5 || e.Signal != 0 {
		t.Errorf("exit: %+v", e)
	}
	cancel()
	for range events { // closes
	}
	if st, err := s.Wait(f.ctx); err != nil || st.Code != 5 {
		t.Errorf("state: %+v, %v", st, err)
	}
}
