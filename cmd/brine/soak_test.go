package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A suite that goes on for longer than it is let live, with harm of several kinds.
const soakFeature = `Feature: a suite that is killed
  Scenario Outline: round <n>
    Given a 3-node cluster running etcd
    When node2 is isolated
    Then a write to node1 succeeds
    When packets from node1 to node3 are delayed by 5ms
    And node3 is paused
    And node1 is killed
    And everything heals
    Then the cluster is healthy within 20s
    Examples:
      | n |
`

// The suite that comes after it, and sweeps.
const nextFeature = `Feature: the next suite
  Scenario: one cluster
    Given a 3-node cluster running etcd
    When node2 is isolated
    Then a write to node1 succeeds
`

// TestSoak kills a suite with SIGKILL at random moments. Within two seconds its
// processes, namespaces, programs and maps are gone; after the next suite, which
// passes, all the rest is. BRINE_SOAK says how many times (2), BRINE_SEED when.
func TestSoak(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: it runs clusters")
	}
	times := number(t, "BRINE_SOAK", 2)
	seed := uint64(number(t, "BRINE_SEED", int(time.Now().UnixNano()%1_000_000)))
	t.Logf("%d times, seed %d", times, seed)
	random := rand.New(rand.NewPCG(seed, 0))

	dir := t.TempDir()
	rows := ""
	for n := range 100 {
		rows += fmt.Sprintf("      | %d |\n", n)
	}
	write(t, filepath.Join(dir, "soak.feature"), soakFeature+rows)
	write(t, filepath.Join(dir, "next.feature"), nextFeature)
	// Once without a kill: what is built or fetched for the first time is not what is
	// to be killed.
	runToEnd(t, dir)

	for n := range times {
		after := time.Duration(random.Int64N(int64(6 * time.Second)))
		t.Run(fmt.Sprintf("kill %d after %v", n+1, after.Round(time.Millisecond)), func(t *testing.T) {
			killOne(t, dir, after)
		})
	}
}

func killOne(t *testing.T, dir string, after time.Duration) {
	suite := brine(t, dir, "soak.feature")
	if err := suite.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = suite.Wait() // it says that it was killed
	}()
	select {
	case <-ended:
		t.Fatalf("the suite ended before it was killed: %v\n%s", suite.ProcessState, suite.Stdout)
	case <-time.After(after): // the moment is the test's, no state is waited for
	}

	// Stopped, it makes nothing new while it is looked at.
	if err := suite.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	had := holdings(t, suite.Process.Pid, dir)
	if err := suite.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	<-ended
	t.Logf("it had %v", had)

	waitGone(t, killed, 2*time.Second, func() []string { return append(had.running(), had.helping()...) })
	t.Logf("nothing of it ran %v after kill -9", time.Since(killed).Round(time.Millisecond))

	runToEnd(t, dir)
	// A reaper that was awake yet sees that its run was swept.
	waitGone(t, time.Now(), time.Second, func() []string { return had.remains(dir) })
}

// waitGone looks until nothing is left, for so long after a moment.
func waitGone(t *testing.T, since time.Time, limit time.Duration, look func() []string) {
	t.Helper()
	ctx, cancel := context.WithDeadline(t.Context(), since.Add(limit))
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for left := look(); len(left) > 0; left = look() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%v later there is still:\n%s", limit, strings.Join(left, "\n"))
		}
	}
}

// runToEnd runs the short suite and expects it to pass.
func runToEnd(t *testing.T, dir string) {
	t.Helper()
	next := brine(t, dir, "next.feature")
	if err := next.Run(); err != nil {
		t.Fatalf("the next suite: %v\n%s", err, next.Stdout)
	}
}

// brine is the command, with folders of its own and an engine that goes with it.
func brine(t *testing.T, dir, feature string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{"brine", "run", "--out", filepath.Join(dir, "out"), feature}
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "BRINE_STATE="+filepath.Join(dir, "state"), "BRINE_ENGINE_LINGER=0",
		"BRINE_FEATURES=", "BRINE_TAGS=", "BRINE_NAME=", "BRINE_SEED=")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	return cmd
}

func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
