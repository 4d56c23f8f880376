package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// A steady state that is harmed fails the scenario as a hypothesis, with the values and the harm; one that nothing was
// seen for could not begin. Neither is mistaken for the other.
func TestSteadyStatesThatFail(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: it runs a cluster")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	brine := filepath.Join(t.TempDir(), "brine") // under this name the test binary is the command
	if err := os.Symlink(self, brine); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(brine, "run", "testdata/steady/slow.feature")
	cmd.Env = append(os.Environ(), "BRINE_OUT="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() == 0 {
		t.Fatalf("%v: want scenarios that fail\n%s", err, out)
	}
	for _, want := range []string{
		`the hypothesis failed: the steady state "stays fast" held before and does not hold now`,
		`expected  at most 300ms\n    got       (?:[4-9]\d\d(?:\.\d+)?ms|\d\.\d+s) \(\d+ requests: median `,
		`the test could not begin: the steady state "stays fast" does not hold before anything was done`,
		`no request was seen, so nothing can be said about them`,
		`0 scenarios passed, 2 failed`,
	} {
		if !regexp.MustCompile(want).Match(out) {
			t.Errorf("no match of %s in\n%s", want, out)
		}
	}
}
