package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"brine.test/brine/steps"
	"brine.test/brine/world/random"
)

// command gives the path of the command: the test binary under its name.
func brineCommand(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	brine := filepath.Join(t.TempDir(), "brine")
	if err := os.Symlink(self, brine); err != nil {
		t.Fatal(err)
	}
	return brine
}

// Of eight faults, of which one matters, that one is left; the feature that is printed fails by itself, and its
// schedule is the same each time.
func TestShrink(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: it runs clusters")
	}
	out := t.TempDir()
	cmd := exec.Command(brineCommand(t), "shrink", "testdata/random/mistaken.feature:3", "--seed", "19", "--runs", "1", "--out", out)
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	for _, want := range []string{
		`fails of: no acknowledged write is lost`, `to shrink: 8 faults`, `1 fault of 8 matters, found in \d+ runs`,
		`And all nodes are killed\n +And I wait \d+ms\n +And all nodes are started again`, `feature: .*/shrink/feature/mistaken.feature`,
	} {
		if !regexp.MustCompile(want).Match(said) {
			t.Errorf("no match of %s in\n%s", want, said)
		}
	}
	small, err := steps.ReadSchedule(filepath.Join(out, "shrink", "schedule.txt"))
	if err != nil || small.Strikes() != 1 {
		t.Errorf("%v: %v", err, small)
	}
	schedules, _ := filepath.Glob(filepath.Join(out, "shrink", "run-01", "artifacts", "*", "schedule.txt"))
	if len(schedules) != 1 {
		t.Fatalf("schedules of the first run: %v", schedules)
	}
	if got, want := read(t, schedules[0]), read(t, "testdata/random/seed19.txt"); got != want {
		t.Errorf("the schedule of seed 19 is\n%s\nwant\n%s", got, want)
	}
	t.Log(string(said[strings.LastIndex(string(said), ", found in"):]))
}

func TestShrinkRefuses(t *testing.T) {
	for want, args := range map[string][]string{
		"expected one scenario":  {},
		"lets no faults strike":  {"testdata/random/mistaken.feature:21"},
		"2 scenarios":            {"testdata/random/mistaken.feature"},
		"no such file":           {"nowhere.feature:3"},
		"no scenario stands":     {"testdata/random/mistaken.feature:1"},
		"numbers from 1 on":      {"testdata/random/mistaken.feature:3", "--parallel=0"},
		"invalid argument \"x\"": {"testdata/random/mistaken.feature:3", "--runs=x"},
	} {
		said, err := exec.Command(brineCommand(t), append([]string{"shrink"}, args...)...).CombinedOutput()
		if err == nil || !strings.Contains(string(said), want) {
			t.Errorf("%q: %v, want %q, got\n%s", args, err, want, said)
		}
	}
}

func TestRunsFor(t *testing.T) {
	for failed, want := range map[int]int{3: 1, 2: 3, 1: 6} {
		if got := runsFor(failed, 3); got != want {
			t.Errorf("%d of 3: got %d runs, want %d", failed, got, want)
		}
	}
	if got := runsFor(1, 100); got != mostRuns {
		t.Errorf("1 of 100: got %d runs, want %d", got, mostRuns)
	}
}

// A schedule in plain sentences has each fault at its moment, and what momentary harm leaves undone.
func TestPlainSentences(t *testing.T) {
	chosen, err := steps.ChooseOne("testdata/random/mistaken.feature:3")
	if err != nil {
		t.Fatal(err)
	}
	s, err := random.ParseFile("s", `these faults strike for 5s:
  | at    | for   | fault                                 |
  | 500ms | 1s    | node2 and node3 are killed            |
  | 1s    | 2s    | node1 is isolated                     |
  | 1s    | 500ms | the clock of node2 jumps ahead by 20s |
`)
	if err != nil {
		t.Fatal(err)
	}
	const want = `    And I wait 500ms
    And node2 and node3 are killed
    And I wait 500ms
    And node1 is isolated for the next 2s
    And the clock of node2 jumps ahead by 20s
    And I wait 500ms
    And node2 and node3 are started again
    And the clock of node2 is right again
    And I wait 3.5s
    And the clients stop
`
	if got := chosen.With(s.Schedules, true); !strings.Contains(got, want) {
		t.Errorf("got\n%s\nwant in it\n%s", got, want)
	}
	if got := chosen.With(s.Schedules, false); !strings.Contains(got, "    And these faults strike for 5s:\n      | at    | for   | fault") {
		t.Errorf("got\n%s", got)
	}
}
