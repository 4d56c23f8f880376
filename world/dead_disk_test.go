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

// The server of a disk is killed while a program uses the disk, and while it is
// harmed: the program is told that its disk is gone, and the scenario's end does
// not wait for it.
func TestDiskServerKilled(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: it runs a cluster")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
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
	w, err := suite.NewWorld(ctx, Scenario{
		Info: record.ScenarioInfo{Name: "disk server killed", URI: here("dead.feature")}, Needs: Needs{Disk: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	closed := false
	defer func() {
		if !closed {
			_ = w.Close(context.WithoutCancel(ctx)) // the test failed already
		}
	}()
	if err := w.DefineService(ctx, "meter", "name: meter"+fmt.Sprintf(meterYAML, "disk")); err != nil {
		t.Fatal(err)
	}
	if err := w.BuildCluster(ctx, ClusterSpec{Size: 2, Services: []ServiceRef{{Name: "meter"}}}); err != nil {
		t.Fatal(err)
	}
	node := sel.Only("node1")
	// A call that is under way when the server dies, for the meter does not wait long
	// between two.
	if err := w.HarmDisk(ctx, node, SlowDisk(2*time.Second), Length{}); err != nil {
		t.Fatal(err)
	}
	if err := w.JumpClock(ctx, node, time.Hour); err != nil {
		t.Fatal(err)
	}
	s := w.allNodes()[0].services[0]
	if err := syscall.Kill(s.disk.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	log, _ := s.box.LogPaths()
	err = w.Check(ctx, Bound{Kind: Within, D: 10 * time.Second}, func(context.Context) error {
		text, err := os.ReadFile(log)
		// The first for calls after the server's end, the other for the one under way.
		told := strings.Contains(string(text), "transport endpoint is not connected") || strings.Contains(string(text), "software caused connection abort")
		if err == nil && !told {
			err = fmt.Errorf("expected the program to be told that its disk is gone, got: %s", lastOf(string(text), 300))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	began := time.Now()
	err = w.Close(ctx)
	closed = true
	t.Logf("closed in %v: %v", time.Since(began).Round(time.Millisecond), err)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the teardown took %v", took)
	}
	if err != nil {
		t.Errorf("teardown: %v", err)
	}
}
