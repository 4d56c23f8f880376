package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"brine.test/brine/world/record"
)

// runRecorded runs features as the command and gives what they said, and their record.
func runRecorded(t *testing.T, env []string, args ...string) (string, *record.Run) {
	t.Helper()
	out := t.TempDir()
	cmd := exec.Command(brineCommand(t), append([]string{"run", "--out", out}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	said, _ := cmd.CombinedOutput() // whether it passed is in the record
	run, err := record.Read(filepath.Join(out, "events.jsonl"))
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	return string(said), run
}

// A fault that cannot be done is told, fails a scenario where each must be felt, and one in which none could be done.
func TestFaultsThatCannotBeDone(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: it runs clusters")
	}
	said, run := runRecorded(t, nil, "--concurrency", "2", "testdata/random/undone.feature")
	want := map[string]struct {
		passed bool
		text   string // of the error, or of a note
	}{
		"One of two":                             {true, "random fault +0s node2 is killed for 500ms: not done: node2: does not run, so it cannot be killed"},
		"One of two, where each must be felt":    {false, "not done: node2: does not run"},
		"None, for a majority would be down":     {false, "could be done"},
		"What is named is not there":             {false, "node9: no such node"},
		"A disk of a service that keeps no data": {false, "disk: no node keeps data on a disk"},
	}
	for _, sc := range run.Scenarios {
		w := want[sc.Name]
		text := sc.Error
		for _, n := range sc.Notes {
			text += "\n" + n.Text
		}
		for _, st := range sc.Steps {
			text += "\n" + st.Error
		}
		if sc.Status.OK() != w.passed || !strings.Contains(text, w.text) {
			t.Errorf("%s: %s, want passed: %t, %q in\n%s", sc.Name, sc.Status, w.passed, w.text, text)
		}
		delete(want, sc.Name)
	}
	if len(want) > 0 || t.Failed() {
		t.Errorf("not run: %v\n%s", want, said)
	}
}

// The schedule is in the record before the first fault, and what is replayed is what was recorded.
func TestRandomFaultsAreReplayed(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: it runs clusters")
	}
	const feature = "testdata/random/replay.feature"
	_, first := runRecorded(t, nil, "--seed", "9", feature)
	schedule, did := recorded(t, first)
	file := filepath.Join(t.TempDir(), "schedule.txt")
	write(t, file, schedule)
	_, replay := runRecorded(t, []string{"BRINE_SCHEDULE=" + file}, "--seed", "10", feature)
	got, didAgain := recorded(t, replay)
	if rows(got) != rows(schedule) {
		t.Errorf("replayed\n%s\nwant\n%s", got, schedule)
	}
	if len(did) == 0 || strings.Join(did, "\n") != strings.Join(didAgain, "\n") {
		t.Errorf("it did\n%q\nand replayed\n%q", did, didAgain)
	}
}

// recorded gives the schedule of a run's only scenario, and the harms that were done.
func recorded(t *testing.T, run *record.Run) (schedule string, did []string) {
	t.Helper()
	sc := run.Scenarios[0]
	if !sc.Status.OK() {
		t.Fatalf("%s: %s", sc.Status, sc.Error)
	}
	for _, h := range sc.Harms {
		if h.Kind != "random faults" {
			did = append(did, h.Asked)
		}
	}
	for _, a := range sc.Attachments {
		if a.Name == "schedule.txt" {
			schedule = read(t, filepath.Join(sc.Dir, a.File))
		}
		if a.Name == "schedule of the random faults" && len(sc.Harms) > 1 && a.Mono > sc.Harms[1].Begin.Mono {
			t.Error("the schedule was recorded after the first fault")
		}
	}
	slices.Sort(did) // a kill is recorded when it is done, perhaps after a fault that was quicker
	return schedule, did
}

// rows are a schedule file's lines but for the remarks.
func rows(text string) string {
	var out []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			out = append(out, line)
		}
	}
	return strings.Join(out, "")
}
