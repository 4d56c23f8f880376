package run

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestStartAndCloseLeaveNothing(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state")
	r, err := Start(t.Context(), Options{StateDir: state})
	if err != nil {
		t.Fatal(err)
	}
	note(r.ID)
	if !idForm.MatchString(r.ID) || r.Dir != filepath.Join(state, "runs", r.ID) || r.Cgroup() != "/brine/"+r.ID {
		t.Errorf("id %q, folder %q, cgroup %q", r.ID, r.Dir, r.Cgroup())
	}
	for _, dir := range []string{state, filepath.Dir(r.Dir), r.Dir} {
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v; want mode 0700", dir, info.Mode(), err)
		}
	}
	if !r.Alive(r.ID) || len(r.DeadRuns()) != 0 {
		t.Errorf("alive %v, dead runs %q", r.Alive(r.ID), r.DeadRuns())
	}
	if os.Geteuid() == 0 && len(r.cgroups.list()) != len(r.cgroups.dirs) {
		t.Errorf("cgroups: got %q, want %q", r.cgroups.list(), r.cgroups.dirs)
	}
	for range 2 {
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	left, err := os.ReadDir(filepath.Join(state, "runs"))
	if err != nil || len(left) != 0 {
		t.Errorf("left in the state folder: %v, %v", left, err)
	}
	if left := leaks(); len(left) != 0 {
		t.Errorf("left: %q", left)
	}
}

func TestStartRefusesAFolderThatOthersEnter(t *testing.T) {
	state := t.TempDir()
	if err := os.Mkdir(filepath.Join(state, "runs"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(state, "runs"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Options{StateDir: state})
	if err == nil || !strings.Contains(err.Error(), "hint: ") {
		t.Errorf("got %v", err)
	}
	if _, err := Start(t.Context(), Options{StateDir: "relative"}); err == nil {
		t.Error("a relative state folder was taken")
	}
}

func TestTwentyStartsAtOnce(t *testing.T) {
	state := t.TempDir()
	var all [20]*Run
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() {
			r, err := Start(context.Background(), Options{StateDir: state})
			if err != nil {
				t.Error(err)
				return
			}
			note(r.ID)
			all[i] = r
			// Sweeping while others start must not take a newborn run for dead. (The
			// folder of a start that stepped back for a sweep, and drew again, is one.)
			if err := r.Sweep(context.Background(), nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if slices.Contains(all[:], nil) {
		t.FailNow()
	}
	for _, r := range all {
		for _, other := range all {
			if !r.Alive(other.ID) {
				t.Errorf("run %s takes run %s for dead", r.ID, other.ID)
			}
		}
		if _, err := os.Stat(r.Dir); err != nil {
			t.Error(err)
		}
	}
	for _, r := range all {
		wg.Go(func() {
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// The heart of the package: after kill -9 nothing runs within two seconds, and
// the next run's sweep removes the rest.
func TestKilledRunIsReapedAndSwept(t *testing.T) {
	needRoot(t)
	state := t.TempDir()
	v := startVictim(t, state)
	bystander := startVictim(t, state)
	r := startRun(t, state)
	if r.Alive("aaaaaaaa") || !r.Alive(v.ID) {
		t.Fatalf("alive: a run that never was %v, the other %v", r.Alive("aaaaaaaa"), r.Alive(v.ID))
	}
	if n := len(v.running()); n != len(v.Pids) || n < 3 {
		t.Fatalf("before: %d processes run, want %d", n, len(v.Pids))
	}
	group := groupMembers(t, v.Pids["adopted"])

	v.kill(t)
	took := eventually(t, 2*time.Second, "all processes of the killed run are dead", func() bool { return len(v.running()) == 0 })
	t.Logf("%d processes dead %v after kill -9", len(v.Pids), took)
	eventually(t, time.Second, "the group of the adopted process is dead", func() bool {
		return !slices.ContainsFunc(group, func(pid int) bool {
			born, err := birth(pid)
			return err == nil && aliveBorn(pid, born)
		})
	})

	if !slices.Equal(r.DeadRuns(), []string{v.ID}) {
		t.Fatalf("dead runs: got %q, want %q", r.DeadRuns(), v.ID)
	}
	var called []string
	if err := r.Sweep(t.Context(), func(_ context.Context, id string) error {
		if r.Alive(id) {
			t.Errorf("run %s counts as alive while it is swept", id)
		}
		called = append(called, id)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(called, []string{v.ID}) {
		t.Errorf("swept %q, want %q", called, v.ID)
	}
	if _, err := os.Stat(v.Dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("folder of the dead run: %v", err)
	}
	all, err := mounts()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if strings.HasPrefix(m.point, v.Dir) {
			t.Errorf("still mounted: %s", m.point)
		}
	}
	if c, _ := cgroupsOf(v.ID); len(c.list()) != 0 {
		t.Errorf("cgroups left: %q", c.list())
	}

	// The one beside it felt nothing.
	if got := bystander.running(); len(got) != len(bystander.Pids) {
		t.Errorf("of the living run only %q are alive", got)
	}
	if err := r.RemoveDead(t.Context(), bystander.ID); err == nil {
		t.Error("a living run was removed")
	}
	bystander.kill(t)
	eventually(t, 2*time.Second, "the second run's processes are dead", func() bool { return len(bystander.running()) == 0 })
	if err := r.RemoveDead(t.Context(), bystander.ID); err != nil {
		t.Error(err)
	}
	waitNoReaper(t, v, bystander)
}

// Without its reaper, a dead run is killed by the sweep.
func TestSweepWithoutReaper(t *testing.T) {
	needRoot(t)
	state := t.TempDir()
	v := startVictim(t, state)
	r := startRun(t, state)
	killReaper(t, v.ID)
	v.kill(t)
	if n := len(v.running()); n != len(v.Pids) {
		t.Fatalf("%d processes run, want %d: who killed them?", n, len(v.Pids))
	}

	// A hook that fails leaves the run for the next sweep.
	broken := errors.New("containerd: unavailable")
	if err := r.Sweep(t.Context(), func(context.Context, string) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
	if n := len(v.running()); n != 0 {
		t.Errorf("still running: %q", v.running())
	}
	if !slices.Equal(r.DeadRuns(), []string{v.ID}) {
		t.Errorf("dead runs: got %q, want %q", r.DeadRuns(), v.ID)
	}
	if err := r.Sweep(t.Context(), nil); err != nil {
		t.Error(err)
	}
	if len(r.DeadRuns()) != 0 {
		t.Errorf("dead runs: %q", r.DeadRuns())
	}
}

func TestManySweepsOfOneDeadRun(t *testing.T) {
	needRoot(t)
	state := t.TempDir()
	victims := []*victim{startVictim(t, state), startVictim(t, state)}
	sweepers := []*Run{startRun(t, state), startRun(t, state), startRun(t, state), startRun(t, state)}
	for _, v := range victims {
		v.kill(t)
	}
	var calls atomic.Int32
	var wg sync.WaitGroup
	for _, r := range sweepers {
		wg.Go(func() {
			if err := r.Sweep(context.Background(), func(context.Context, string) error {
				calls.Add(1)
				return nil
			}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if calls.Load() != 2 {
		t.Errorf("the hook ran %d times for 2 dead runs", calls.Load())
	}
	if left := sweepers[0].DeadRuns(); len(left) != 0 {
		t.Errorf("dead runs left: %q", left)
	}
	waitNoReaper(t, victims...)
}

func TestCloseNamesWhatWasLeftRunning(t *testing.T) {
	needRoot(t)
	r, err := Start(t.Context(), Options{StateDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	note(r.ID)
	pids := map[string]int{}
	if err := populate(r.cgroups.dirs[len(r.cgroups.dirs)-1], pids); err != nil {
		t.Fatal(err)
	}
	server, err := sleeper(true)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Adopt("file server of node1", server); err != nil {
		t.Fatal(err)
	}
	err = r.Close()
	if err == nil || !strings.Contains(err.Error(), "sleep (pid ") || !strings.Contains(err.Error(), "file server of node1") {
		t.Errorf("Close: got %v", err)
	}
	v := victim{Pids: pids}
	if left := v.running(); len(left) != 0 {
		t.Errorf("alive after Close: %q", left)
	}
}
