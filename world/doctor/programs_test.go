package doctor

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"brine.test/brine/world/catalogue"
)

// A service whose program is not there is told, with the features that need it and
// what mends it; one that is there is fine.
func TestProgramsOfServices(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"services/ghost.yaml": "name: ghost\nimage: \"host:/usr/bin/redis-server-of-nobody+/bin/sh\"\n",
		"services/shell.yaml": "name: shell\nimage: \"host:/bin/sh\"\n",
		"services/any.yaml":   "name: any\nversion: \"7\"\nimage: \"host:/bin/s{{.Version}}\"\n",
		"a.feature":           "Feature: a\n  Scenario: s\n    Given a 3-node cluster running ghost\n",
		"deep/b.feature":      "Feature: b\n  Scenario: s\n    Given a cluster:\n      | node | services |\n      | n | shell, ghost |\n",
		"c.feature":           "# not running ghost\nFeature: c\n  Scenario: s\n    Given a 1-node cluster running ghost-writer\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]Check{}
	for _, c := range programChecks(dir) {
		got[c.Name] = c
	}
	want := Check{
		Name: "service ghost", Status: Missing, Found: "there is no /usr/bin/redis-server-of-nobody",
		Disables: "the service ghost, so: " + dir + "/a.feature, " + dir + "/deep/b.feature",
		Mend:     "install the package that holds /usr/bin/redis-server-of-nobody (apt-get install, or make deps-test for those of the built-in services)",
	}
	if got["service ghost"] != want {
		t.Errorf("got  %+v\nwant %+v", got["service ghost"], want)
	}
	for _, name := range []string{"service shell", "service any"} {
		if got[name].Status != OK {
			t.Errorf("%s: %+v", name, got[name])
		}
	}
	if _, ok := got["service redis"]; !ok {
		t.Error("nothing is said of a built-in service")
	}
}

// What the doctor says to install is what `make deps` installs for the tests.
func TestPackagesAreKnown(t *testing.T) {
	services, err := catalogue.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("../../.ci/deps")
	if err != nil {
		t.Fatal(err)
	}
	everywhere := regexp.MustCompile(`^(dash|coreutils|redis-tools)$`) // essential ones, and what redis-server brings
	for _, s := range services {
		for _, p := range hostPrograms(s.Image.String()) {
			name := packageOf(p)
			if strings.Contains(name, " ") {
				t.Errorf("%s: in which package is %s?", s.Name, p)
			}
			if !everywhere.MatchString(name) && !strings.Contains(string(script), `"`+name+" ") {
				t.Errorf("%s: .ci/deps does not install %s", s.Name, name)
			}
		}
	}
}
