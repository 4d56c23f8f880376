package world

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"brine.test/brine/containers"
	"brine.test/brine/world/record"
	sel "brine.test/brine/world/selector"
)

// The processes that keep containers and harm up are killed, or stopped, from
// outside: the next look tells of each, by name, and the teardown neither waits for
// them nor leaves any.
func TestHelpersKilledAndStopped(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: it runs a cluster")
	}
	// A containerd of its own, which no other run needs.
	t.Setenv("BRINE_STATE", t.TempDir())
	t.Setenv("BRINE_ENGINE_LINGER", "0")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	suite, err := OpenSuite(ctx, SuiteOptions{Out: t.TempDir(), Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := suite.Close(context.WithoutCancel(ctx)); err != nil && !errors.Is(err, containers.ErrEngineGone) {
			t.Error(err)
		}
	}()
	containerd := func(k keeper) bool { return k.what == "containerd" }
	for _, c := range []struct {
		name   string
		signal syscall.Signal
		who    func(keeper) bool
		clean  bool // nothing is lost, and the teardown goes on as ever
	}{
		{"stopped", syscall.SIGSTOP, func(keeper) bool { return true }, true},
		{"killed", syscall.SIGKILL, func(k keeper) bool { return !containerd(k) }, false},
		{"containerd killed", syscall.SIGKILL, containerd, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := harmedByAll(ctx, t, suite)
			if err := w.Trouble(); err != nil {
				t.Errorf("before anything was done to them: %v", err)
			}
			all := w.keepers()
			if len(all) != 5 {
				t.Errorf("expected containerd, a shim, a disk's server, a watchdog of clocks and a delay line, got %v", all)
			}
			hit := slices.DeleteFunc(slices.Clone(all), func(k keeper) bool { return !c.who(k) })
			for _, k := range hit {
				if err := syscall.Kill(k.pid, c.signal); err != nil {
					t.Fatal(err)
				}
			}
			tells(ctx, t, w, hit)
			began := time.Now()
			err := w.Close(ctx)
			t.Logf("closed in %v: %v", time.Since(began).Round(time.Millisecond), err)
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("the teardown took %v", took)
			}
			if c.clean && err != nil {
				t.Error(err)
			}
			for _, k := range all {
				// A shim that is dead is the machine's init to reap.
				if state := processState(k.pid); state != "" && state != "Z" && !containerd(k) {
					t.Errorf("%s: left, in state %s", k.what, state)
				}
			}
		})
	}
}

// tells demands that each of them is told of, after a sentence that passed and
// after one that failed.
func tells(ctx context.Context, t *testing.T, w *World, hit []keeper) {
	t.Helper()
	err := w.Check(ctx, Bound{Kind: Within, D: 5 * time.Second}, func(context.Context) error {
		if n := len(w.broken()); n < len(hit) { // containerd takes others along
			return fmt.Errorf("%d of %d are told of: %q", n, len(hit), w.broken())
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	failed := w.Explain(errors.New("a write fails"))
	passed := w.Trouble()
	t.Log(passed)
	for _, k := range hit {
		if passed == nil || !strings.Contains(passed.Error(), k.name()) || !strings.Contains(failed.Error(), k.name()) {
			t.Errorf("%s: not told of", k.name())
		}
	}
}

// harmedByAll is a scenario in which each kind of helper keeps harm up.
func harmedByAll(ctx context.Context, t *testing.T, suite *Suite) *World {
	t.Helper()
	w, err := suite.NewWorld(ctx, Scenario{
		Info: record.ScenarioInfo{Name: t.Name(), URI: here("helpers.feature")}, Needs: Needs{Disk: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close(context.WithoutCancel(ctx)) }) // where the test failed before
	if err := w.DefineService(ctx, "meter", "name: meter"+fmt.Sprintf(meterYAML, "disk")); err != nil {
		t.Fatal(err)
	}
	if err := w.BuildCluster(ctx, ClusterSpec{Size: 1, Services: []ServiceRef{{Name: "meter"}}}); err != nil {
		t.Fatal(err)
	}
	node := sel.Only("node1")
	if err := w.HarmDisk(ctx, node, SlowDisk(20*time.Millisecond), Length{}); err != nil {
		t.Fatal(err)
	}
	if err := w.JumpClock(ctx, node, time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := w.Delay(ctx, Traffic{To: &node}, Lateness{By: time.Millisecond}, Length{}); err != nil {
		t.Fatal(err)
	}
	return w
}
