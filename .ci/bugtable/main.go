// Command bugtable counts, over the JUnit files of several runs, how often each
// scenario passed, and prints that as a table: a scenario that looks for a bug passes
// when it finds it. It fails when one did not pass every time.
//
//	go run ./.ci/bugtable out/bugs/*/junit.xml
package main

import (
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"
	"unicode/utf8"
)

func main() {
	ok, err := report(os.Stdout, os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "bugtable:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

// file is what is read of a JUnit file.
type file struct {
	Cases []struct {
		Name    string    `xml:"name,attr"`
		Time    float64   `xml:"time,attr"`
		Failure *struct{} `xml:"failure"`
		Error   *struct{} `xml:"error"`
		Skipped *struct{} `xml:"skipped"`
	} `xml:"testsuite>testcase"`
}

// tally is how one scenario fared.
type tally struct {
	name         string
	runs, passed int
	times        []float64
	failedIn     []string
}

func report(to io.Writer, paths []string) (ok bool, err error) {
	var all []*tally
	by := map[string]*tally{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return false, err
		}
		var f file
		if err := xml.Unmarshal(data, &f); err != nil {
			return false, fmt.Errorf("%s: %w", path, err)
		}
		for _, c := range f.Cases {
			t := by[c.Name]
			if t == nil {
				t = &tally{name: c.Name}
				by[c.Name], all = t, append(all, t)
			}
			t.runs++
			t.times = append(t.times, c.Time)
			if c.Failure == nil && c.Error == nil && c.Skipped == nil {
				t.passed++
			} else {
				t.failedIn = append(t.failedIn, path)
			}
		}
	}
	if len(all) == 0 {
		return false, fmt.Errorf("%d files: no scenario in them", len(paths))
	}
	return table(to, all), nil
}

// nameWidth is how much of a scenario's name is shown.
const nameWidth = 100

func table(to io.Writer, all []*tally) (ok bool) {
	ok = true
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "as it should be\tmedian s\tlongest s\tscenario")
	for _, t := range all {
		slices.Sort(t.times)
		name := t.name
		if utf8.RuneCountInString(name) > nameWidth {
			name = string([]rune(name)[:nameWidth-1]) + "…"
		}
		fmt.Fprintf(w, "%d of %d\t%.1f\t%.1f\t%s\n", t.passed, t.runs, t.times[len(t.times)/2], t.times[len(t.times)-1], name)
		ok = ok && t.passed == t.runs
	}
	w.Flush()
	for _, t := range all {
		for _, path := range t.failedIn {
			fmt.Fprintf(to, "failed: %s in %s\n", t.name, path)
		}
	}
	return ok
}
