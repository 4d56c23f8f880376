package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A round of the suite that is killed: harm of every kind that a process of ours
// keeps up, and of those that hold processes.
const soakFeature = `Feature: a suite that is killed
  Scenario Outline: round <n>
    Given a 3-node cluster running etcd
    When node2 is isolated
    Then a write to node1 succeeds
    When packets from node1 to node3 are delayed by 5ms
    And fsync on the disk of node1 takes 20ms
    And CPU of node2 is stressed
    And memory of node2 is limited to 256 MiB
    And the clock of node3 jumps ahead by 5m
    And I wait 200ms
    And a write to node1 succeeds
    And node3 is paused
    And node2 loses power
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

// soak kills suites in a folder.
type soak struct {
	dir    string
	length time.Duration // of one round, the suite's start included
	random *rand.Rand
	kills  int
	table  []killed
}

// shortRound stands for the length of a round where it is not worth measuring.
const shortRound = 4 * time.Second

// killed is a row of the soak's table.
type killed struct {
	moment string // when it was to be killed
	step   string // what ran then, as the record has it
	alive  map[string]int
	gone   time.Duration // how long what it had lived on
}

// TestSoak kills a suite with SIGKILL, in turn at a random moment of its whole
// length and soon after some kind of harm began. Within two seconds its processes,
// helpers, namespaces, programs and maps are gone; after the next suite, which
// passes, all the rest is. Each kind of helper has to be alive at one kill at least.
// BRINE_SOAK says how many times (2), BRINE_SEED when.
func TestSoak(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: it runs clusters")
	}
	times := number(t, "BRINE_SOAK", 2)
	seed := uint64(number(t, "BRINE_SEED", int(time.Now().UnixNano()%1_000_000)))
	s := &soak{dir: t.TempDir(), random: rand.New(rand.NewPCG(seed, 0))}
	rows := ""
	for n := range 100 {
		rows += fmt.Sprintf("      | %d |\n", n)
	}
	write(t, filepath.Join(s.dir, "soak.feature"), soakFeature+rows)
	write(t, filepath.Join(s.dir, "once.feature"), soakFeature+"      | 1 |\n")
	write(t, filepath.Join(s.dir, "next.feature"), nextFeature)
	if err := os.Mkdir(s.temp(), 0o700); err != nil {
		t.Fatal(err)
	}
	// Once without a kill: what is built or fetched for the first time is not what is
	// to be killed.
	s.runToEnd(t, "next.feature")
	s.length = shortRound
	if times > 2 {
		began := time.Now()
		s.runToEnd(t, "once.feature")
		s.length = time.Since(began)
	}
	t.Logf("%d times, seed %d; moments from the first %v", times, seed, s.length.Round(time.Millisecond))

	for n := range times {
		a := s.aimed(n)
		t.Run(fmt.Sprintf("kill %d %s", n+1, a), func(t *testing.T) { s.killOne(t, a) })
	}
	s.show(t)
	if times > 1 && !t.Failed() {
		s.wantHelpers(t)
	}
}

func (s *soak) killOne(t *testing.T, a aim) {
	s.kills++
	out := filepath.Join(s.dir, fmt.Sprintf("out-%d", s.kills))
	suite := s.brine(out, "soak.feature")
	if err := suite.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = suite.Wait() // it says that it was killed
	}()
	defer func() {
		_ = suite.Process.Kill() // if it could not be done in order
		<-ended
	}()
	if err := a.wait(t.Context(), ended, filepath.Join(out, "events.jsonl")); err != nil {
		t.Fatalf("%v: %v\n%s", err, suite.ProcessState, suite.Stdout)
	}

	// Stopped, it makes nothing new while it is looked at.
	if err := suite.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	waitGone(t, time.Now(), time.Second, func() []string { return notStopped(suite.Process.Pid) })
	had := holdings(t, suite.Process.Pid, s.dir)
	if err := suite.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	since := time.Now()
	<-ended
	t.Logf("it had %v", had)
	row := killed{moment: a.String(), step: lastStep(filepath.Join(out, "events.jsonl")), alive: had.kinds()}

	last := waitGone(t, since, 2*time.Second, func() []string { return append(had.running(), had.helping(outlives)...) })
	row.gone = time.Since(since)
	t.Logf("nothing of it ran %v after kill -9; the last was %v", row.gone.Round(time.Millisecond), last[:min(len(last), 4)])
	s.table = append(s.table, row)

	s.runToEnd(t, "next.feature")
	// A reaper that was awake yet sees that its run was swept.
	waitGone(t, time.Now(), time.Second, func() []string {
		return slices.Concat(had.remains(s.dir), had.helping(""), filesIn(s.temp()))
	})
}

// runToEnd runs a short suite and expects it to pass.
func (s *soak) runToEnd(t *testing.T, feature string) {
	t.Helper()
	next := s.brine(filepath.Join(s.dir, "out"), feature)
	if err := next.Run(); err != nil {
		t.Fatalf("the next suite: %v\n%s", err, next.Stdout)
	}
}

// brine is the command, with folders of its own and an engine that goes with it.
func (s *soak) brine(out, feature string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{"brine", "run", "--out", out, feature}
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "BRINE_STATE="+filepath.Join(s.dir, "state"), "TMPDIR="+s.temp(), "BRINE_ENGINE_LINGER=0",
		"BRINE_FEATURES=", "BRINE_TAGS=", "BRINE_NAME=", "BRINE_SEED=")
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	return cmd
}

// temp is where the suites put temporary files.
func (s *soak) temp() string { return filepath.Join(s.dir, "tmp") }

// filesIn lists what is in a folder.
func filesIn(dir string) []string {
	all, _ := filepath.Glob(filepath.Join(dir, "*"))
	hidden, _ := filepath.Glob(filepath.Join(dir, ".*"))
	return append(all, hidden...)
}

// show prints what was killed when.
func (s *soak) show(t *testing.T) {
	var b strings.Builder
	for n, k := range s.table {
		fmt.Fprintf(&b, "%3d  %-46s  %-42s  %5d ms ", n+1, k.moment, k.step, k.gone.Milliseconds())
		for _, kind := range helperKinds {
			if k.alive[kind] > 0 {
				fmt.Fprintf(&b, "  %d %s", k.alive[kind], kind)
			}
		}
		b.WriteString("\n")
	}
	t.Logf("killed, while this ran, all gone after, and helpers that were alive:\n%s", b.String())
}

// wantHelpers fails when the soak said nothing about some kind of helper.
func (s *soak) wantHelpers(t *testing.T) {
	for _, kind := range helperKinds {
		n := 0
		for _, k := range s.table {
			n += min(k.alive[kind], 1)
		}
		t.Logf("%s: alive at %d of %d kills", kind, n, len(s.table))
		if n == 0 {
			t.Errorf("%s: never alive at a kill: this soak shows nothing about it", kind)
		}
	}
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
