package world

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"brine.test/brine/world/record"
	sel "brine.test/brine/world/selector"
)

// The processes that keep harm up are killed, or stopped, from outside: the next
// look tells of each, by name, and the teardown neither waits for them nor leaves
// any.
func TestHelpersKilledAndStopped(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: it runs a cluster")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	suite, err := OpenSuite(ctx, SuiteOptions{Out: t.TempDir(), Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := suite.Close(context.WithoutCancel(ctx)); err != nil {
			t.Error(err)
		}
	}()
	for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGSTOP} {
		t.Run(signal.String(), func(t *testing.T) {
			w := harmedByAll(ctx, t, suite)
			if err := w.Trouble(); err != nil {
				t.Errorf("before anything was done to them: %v", err)
			}
			all := w.keepers()
			if len(all) != 3 {
				t.Errorf("expected a disk's server, a watchdog of clocks and a delay line, got %v", all)
			}
			for _, k := range all {
				if err := syscall.Kill(k.pid, signal); err != nil {
					t.Fatal(err)
				}
			}
			err := w.Check(ctx, Bound{Kind: Within, D: 5 * time.Second}, func(context.Context) error {
				if n := len(w.broken()); n != len(all) {
					return fmt.Errorf("%d of %d are told of", n, len(all))
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			err = w.Trouble()
			t.Log(err)
			for _, k := range all {
				if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%s (process %d)", k.what, k.pid)) {
					t.Errorf("%s: not told of", k.what)
				}
			}
			if failed := w.Explain(fmt.Errorf("a write fails")); !strings.Contains(failed.Error(), all[0].what) {
				t.Errorf("a sentence that fails says nothing of it: %v", failed)
			}
			began := time.Now()
			err = w.Close(ctx)
			t.Logf("closed in %v: %v", time.Since(began).Round(time.Millisecond), err)
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("the teardown took %v", took)
			}
			if err != nil && strings.Contains(err.Error(), "left after the scenario") {
				t.Error(err)
			}
			for _, k := range all {
				if state := processState(k.pid); state != "" {
					t.Errorf("%s: left, in state %s", k.what, state)
				}
			}
		})
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
