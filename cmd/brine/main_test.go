package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"brine.test/brine/world/doctor"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"brine": main})
}

// TestScripts runs the command as its users do: testdata/*.txt.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Condition: func(cond string) (bool, error) {
			return cond == "root" && os.Geteuid() == 0, nil
		},
		UpdateScripts: os.Getenv("UPDATE") != "",
	})
}

func TestShowChecks(t *testing.T) {
	checks := []doctor.Check{
		{Name: "root", Status: doctor.OK, Found: "running as root", Essential: true},
		{Name: "FUSE", Status: doctor.Missing, Found: "no /dev/fuse", Disables: "disk faults", Mend: "modprobe fuse"},
	}
	for _, c := range []struct {
		essential, colour bool
		want              []string
	}{
		{false, false, []string{
			"ok       root  running as root\n", "missing  FUSE  no /dev/fuse\n",
			"               disables disk faults\n", "               mend     modprobe fuse\n", "Scenarios can run, except",
		}},
		{true, false, []string{"No scenario can run before this is mended: FUSE.\n"}},
		{false, true, []string{"\x1b[31mmissing\x1b[0m  FUSE"}},
	} {
		checks[1].Essential = c.essential
		var out bytes.Buffer
		showChecks(&out, checks, palette{on: c.colour})
		for _, want := range c.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("lacks %q:\n%s", want, out.String())
			}
		}
		if !c.colour && strings.Contains(out.String(), "\x1b") {
			t.Errorf("coloured without a terminal:\n%s", out.String())
		}
	}
}
