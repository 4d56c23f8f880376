package reports

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"brine.test/brine/world/record"
)

// Closing writes the end of the console's output: what failed and why, harms that touched nothing, and as the last line
// the counts with where everything is. On GitHub it adds annotations.
func Closing(w io.Writer, dir string, run *record.Run) {
	if os.Getenv("GITHUB_ACTIONS") == "true" {
		annotations(w, run)
	}
	for _, s := range troubled(run) {
		t := explain(s)
		_, _ = fmt.Fprintf(w, "\n%s %s  %s:%d\n", glyph(record.Failed), plain(s.Name), s.URI, s.Line)
		for _, l := range t.lines() {
			_, _ = fmt.Fprintf(w, "    %s\n", strings.ReplaceAll(plain(l), "\n", "\n    "))
		}
		if s.Again != "" {
			_, _ = fmt.Fprintf(w, "    again: %s\n", plain(s.Again))
		}
	}
	for _, s := range run.Scenarios {
		for _, h := range s.TouchedNothing() {
			_, _ = fmt.Fprintf(w, "\n! %s  %s:%d\n    %s touched nothing: the fault never happened\n", plain(s.Name), s.URI, s.Line, plain(asked(h)))
		}
	}
	if run.Result != nil && len(run.Result.Leftovers) > 0 {
		_, _ = fmt.Fprintf(w, "\nleft behind: %s\n", plain(list(run.Result.Leftovers)))
	}
	_, _ = fmt.Fprintf(w, "\n%s · report: %s · artifacts: %s\n", closing(run), filepath.Join(dir, "report.html"), filepath.Join(dir, "artifacts"))
}

// closing counts: "3 scenarios passed, 1 failed · 2.4 s".
func closing(run *record.Run) string {
	n := run.Count()
	parts := []string{plural(uint64(n[record.Passed]), "scenario") + " passed", number(uint64(n[record.Failed])) + " failed"}
	for _, s := range []record.Status{record.Undefined, record.Pending, record.Skipped, record.Unfinished} {
		if n[s] > 0 {
			parts = append(parts, number(uint64(n[s]))+" "+string(s))
		}
	}
	text := strings.Join(parts, ", ") + " · " + span(run.End.Sub(run.Begin))
	if run.Result != nil && run.Result.Interrupted != "" {
		text += " · interrupted: " + run.Result.Interrupted
	}
	return text
}
