package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// itself is the command, as a program of its own with this environment besides: under that name the test binary is it.
func itself(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: it runs a cluster")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "brine")
	if err := os.Symlink(self, name); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	return cmd
}

// A program that an experiment calls and that is installed is run, from the clients' network; nothing stands in for it.
func TestAnInstalledLoadProgramIsRun(t *testing.T) {
	bin, out := t.TempDir(), t.TempDir()
	const program = `#!/bin/bash
set -e
for i in 1 2 3 4 5; do
	exec 3<>/dev/tcp/mydomain.com/8080
	printf 'GET /consumer HTTP/1.0\r\nHost: mydomain.com\r\n\r\n' >&3
	cat <&3 >/dev/null
	exec 3>&-
done
echo "$*"
`
	if err := os.WriteFile(filepath.Join(bin, "ddosify"), []byte(program), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := itself(t, []string{"BRINE_OUT=" + out, "PATH=" + bin + ":" + os.Getenv("PATH")}, "run", "testdata/steady/installed.feature")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	journals, err := filepath.Glob(filepath.Join(out, "artifacts", "*", "journal.json"))
	if err != nil || len(journals) != 1 {
		t.Fatalf("%v, journals %q", err, journals)
	}
	journal, err := os.ReadFile(journals[0])
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(journal), `"stdout": "-d 1 -n 5 -o stdout-json -t http://mydomain.com:8080/consumer\n"`) || strings.Contains(string(journal), "stood in") {
		t.Errorf("%s", journal)
	}
}

// A steady state that is harmed fails the scenario as a hypothesis, with the values and the harm; one that nothing was
// seen for could not begin. Neither is mistaken for the other.
func TestSteadyStatesThatFail(t *testing.T) {
	cmd := itself(t, []string{"BRINE_OUT=" + t.TempDir()}, "run", "testdata/steady/slow.feature")
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
