package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "junit.xml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReport(t *testing.T) {
	first := write(t, `<testsuites><testsuite name="f"><testcase name="a" time="1.5"/><testcase name="b" time="2"/></testsuite></testsuites>`)
	second := write(t, `<testsuites><testsuite name="f"><testcase name="a" time="3"/><testcase name="b" time="4"><failure message="x"/></testcase></testsuite></testsuites>`)
	var out strings.Builder
	ok, err := report(&out, []string{first, first, second})
	if err != nil || ok {
		t.Errorf("%v, %v: one of b failed", ok, err)
	}
	for _, want := range []string{"3 of 3           1.5       3.0        a", "2 of 3           2.0       4.0        b", "failed: b in " + second} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if ok, err := report(&out, []string{first}); err != nil || !ok {
		t.Errorf("%v, %v: all passed", ok, err)
	}
}

func TestNothingToCount(t *testing.T) {
	for name, paths := range map[string][]string{
		"no file":     nil,
		"missing":     {"nowhere.xml"},
		"not XML":     {write(t, "hello <")},
		"no scenario": {write(t, "<testsuites/>")},
	} {
		if ok, err := report(&strings.Builder{}, paths); err == nil || ok {
			t.Errorf("%s: %v, %v", name, ok, err)
		}
	}
}
