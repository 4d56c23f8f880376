// Command testgate judges a stream of `go test -json` on its standard input: it
// prints a line for each package, and all that a failing test said, and fails if a
// test failed, a package did not build, nothing was tested, or a test was skipped
// although it runs as root, where nothing has a reason to skip.
//
//	go test -json ./... | go run ./.ci/testgate
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"
	"time"
)

// event is one line of the stream, as `go doc test2json` has it.
type event struct {
	Action      string
	Package     string
	ImportPath  string // of a build's events
	Test        string
	Output      string
	Elapsed     float64 // seconds
	FailedBuild string
}

// tally is what was counted.
type tally struct {
	packages, passed int
	failed, skipped  []string
	broken           []string // not JSON: go's own words
	said             map[string][]string
	tests            map[string]int
}

func main() {
	begin := time.Now()
	t := &tally{said: map[string][]string{}, tests: map[string]int{}}
	if err := t.read(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "testgate:", err)
		os.Exit(1)
	}
	root := os.Geteuid() == 0 || os.Getenv("BRINE_TEST_AS_ROOT") != "" // go test -exec sudo
	if !t.judge(os.Stdout, time.Since(begin), root) {
		os.Exit(1)
	}
}

// read follows the stream and prints what is news.
func (t *tally) read(from io.Reader, to io.Writer) error {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.broken = append(t.broken, lines.Text())
			fmt.Fprintln(to, lines.Text())
			continue
		}
		t.take(e, to)
	}
	return lines.Err()
}

func (t *tally) take(e event, to io.Writer) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "build-output":
		fmt.Fprint(to, e.Output)
	case "output":
		t.said[key] = append(t.said[key], e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			t.endPackage(e, to)
			return
		}
		t.endTest(e, to)
	}
}

// endTest counts a test, and prints what it said if it did not pass.
func (t *tally) endTest(e event, to io.Writer) {
	key := e.Package + " " + e.Test
	t.tests[e.Package]++
	switch e.Action {
	case "pass":
		t.passed++
	case "fail":
		t.failed = append(t.failed, key)
		t.print(key, to)
	case "skip":
		t.skipped = append(t.skipped, key)
		t.print(key, to)
	}
	delete(t.said, key)
}

func (t *tally) endPackage(e event, to io.Writer) {
	key := e.Package + " "
	switch e.Action {
	case "skip":
		return // no test files
	case "fail":
		t.failed = append(t.failed, e.Package)
		if e.FailedBuild == "" {
			t.print(key, to)
			t.printUnended(e.Package, to)
		}
		fmt.Fprintf(to, "FAIL  %-42s %7.1fs\n", e.Package, e.Elapsed)
	case "pass":
		fmt.Fprintf(to, "ok    %-42s %7.1fs  %d tests\n", e.Package, e.Elapsed, t.tests[e.Package])
	}
	t.packages++
	delete(t.said, key)
}

// printUnended prints what tests said that never ended: the binary was killed.
func (t *tally) printUnended(pkg string, to io.Writer) {
	var keys []string
	for key := range t.said {
		if strings.HasPrefix(key, pkg+" ") && key != pkg+" " {
			keys = append(keys, key)
		}
	}
	sort.Strings(keys)
	for _, key := range keys {
		t.print(key, to)
		delete(t.said, key)
	}
}

func (t *tally) print(key string, to io.Writer) {
	for _, line := range t.said[key] {
		if !strings.HasPrefix(line, "=== ") {
			fmt.Fprint(to, line)
		}
	}
}

// judge prints the closing lines and tells whether all is well.
func (t *tally) judge(to io.Writer, took time.Duration, root bool) bool {
	for _, name := range t.failed {
		fmt.Fprintf(to, "failed:  %s\n", strings.TrimSpace(name))
	}
	for _, name := range t.skipped {
		fmt.Fprintf(to, "skipped: %s\n", name)
	}
	fmt.Fprintf(to, "%d packages, %d tests passed, %d failed, %d skipped, in %v\n",
		t.packages, t.passed, len(t.failed), len(t.skipped), took.Round(100*time.Millisecond))
	switch {
	case len(t.failed) > 0 || len(t.broken) > 0:
		return false
	case len(t.skipped) > 0 && root:
		fmt.Fprintln(to, "FAIL: tests were skipped although they ran as root")
		return false
	case t.passed == 0:
		fmt.Fprintln(to, "FAIL: nothing was tested")
		return false
	}
	return true
}
