package doctor_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"brine.test/brine/world/doctor"
)

func TestMain(m *testing.M) {
	code := m.Run()
	left, _ := filepath.Glob("/sys/fs/cgroup/*/brine-doctor-*")
	more, _ := filepath.Glob("/sys/fs/cgroup/brine-doctor-*")
	for _, dir := range append(left, more...) {
		fmt.Fprintln(os.Stderr, "left behind:", dir)
		code = 1
	}
	os.Exit(code)
}

func TestRunTellsOfEveryThing(t *testing.T) {
	t.Run("empty cache", func(t *testing.T) {
		tellsOfEveryThing(t, doctor.Run(t.Context(), doctor.Options{StateDir: t.TempDir(), CacheDir: t.TempDir()}))
	})
	t.Run("the machine's cache", func(t *testing.T) {
		tellsOfEveryThing(t, doctor.Run(t.Context(), doctor.Options{}))
	})
}

func tellsOfEveryThing(t *testing.T, checks []doctor.Check) {
	t.Helper()
	seen := map[string]bool{}
	for _, c := range checks {
		t.Logf("%-8s %-24s %s", c.Status, c.Name, c.Found)
		if seen[c.Name] {
			t.Errorf("%s: told twice", c.Name)
		}
		seen[c.Name] = true
		if c.Name == "" || c.Found == "" {
			t.Errorf("%+v: no name, or nothing found", c)
		}
		if strings.Contains(c.Found, "\n") {
			t.Errorf("%s: found %q: more than one line", c.Name, c.Found)
		}
		wrong := c.Status == doctor.Missing || c.Status == doctor.Warn
		if wrong != (c.Mend != "" && c.Disables != "") {
			t.Errorf("%+v: says how to mend what is fine, or not how to mend what is not", c)
		}
	}
	for _, name := range []string{
		"root", "capabilities", "kernel", "network namespaces", "BPF at tc", "native XDP", "TAP devices", "FUSE",
		"clocks", "cgroups", "service redis", "service postgresql", "system call filters", "engine", "go", "git", "room in the cache", "room in the state folder",
	} {
		if !seen[name] {
			t.Errorf("nothing is said of %s", name)
		}
	}
}

// Where tests run as root, everything that a scenario needs is there, and the
// probes leave this process as it was.
func TestEssentialPassesHere(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: it makes namespaces and cgroups")
	}
	before, err := os.Readlink("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if err := doctor.Essential(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	after, err := os.Readlink("/proc/thread-self/ns/net")
	if err != nil || after != before {
		t.Errorf("network namespace: %s before, %s after (%v)", before, after, err)
	}
}

func BenchmarkEssential(b *testing.B) {
	for b.Loop() {
		if err := doctor.Essential(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
