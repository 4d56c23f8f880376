package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestJudge(t *testing.T) {
	const passed = `{"Action":"output","Package":"p","Test":"TestA","Output":"quiet\n"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"skip","Package":"q"}
{"Action":"pass","Package":"p","Elapsed":0.1}
`
	for _, c := range []struct {
		name, stream string
		ok           bool
		says         []string
	}{
		{"all pass", passed, true, []string{"ok    p", "1 packages, 1 tests passed, 0 failed, 0 skipped"}},
		{"nothing", "", false, []string{"nothing was tested"}},
		{"a failure", passed + `{"Action":"output","Package":"p","Test":"TestB","Output":"got 1, want 2\n"}
{"Action":"fail","Package":"p","Test":"TestB"}
{"Action":"fail","Package":"p"}
`, false, []string{"got 1, want 2", "failed:  p TestB"}},
		{"a skip", passed + `{"Action":"output","Package":"p","Test":"TestB","Output":"needs root\n"}
{"Action":"skip","Package":"p","Test":"TestB"}
`, false, []string{"needs root", "skipped: p TestB", "FAIL: tests were skipped"}},
		{"no build", passed + `{"Action":"build-output","ImportPath":"r","Output":"r.go:1: no\n"}
{"Action":"build-fail","ImportPath":"r"}
{"Action":"fail","Package":"r","FailedBuild":"r"}
`, false, []string{"r.go:1: no", "FAIL  r"}},
		{"killed in a test", passed + `{"Action":"output","Package":"p","Test":"TestB","Output":"panic: test timed out\n"}
{"Action":"fail","Package":"p"}
`, false, []string{"panic: test timed out"}},
		{"go's own words", passed + "go: no such module\n", false, []string{"go: no such module"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			g := &tally{said: map[string][]string{}, tests: map[string]int{}}
			if err := g.read(strings.NewReader(c.stream), &out); err != nil {
				t.Fatal(err)
			}
			if ok := g.judge(&out, time.Second, true); ok != c.ok {
				t.Errorf("got %v, want %v", ok, c.ok)
			}
			for _, want := range c.says {
				if !strings.Contains(out.String(), want) {
					t.Errorf("lacks %q:\n%s", want, out.String())
				}
			}
			if strings.Contains(out.String(), "quiet") {
				t.Errorf("prints what a passing test said:\n%s", out.String())
			}
		})
	}
}

func TestSkipWithoutRootIsNoFailure(t *testing.T) {
	g := &tally{passed: 1, skipped: []string{"p TestB"}}
	if !g.judge(&bytes.Buffer{}, 0, false) {
		t.Error("a skip without root failed")
	}
}
