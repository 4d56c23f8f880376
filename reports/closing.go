package reports

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"brine.test/brine/world/record"
)

// Closing writes the end of the console's output: what failed and why, harms that touched nothing, and as the last line
// the counts with where everything is. On GitHub it adds annotations. It is coloured on a terminal, but for NO_COLOR.
func Closing(w io.Writer, dir string, run *record.Run) {
	tellEnd(w, dir, run, " · artifacts: "+filepath.Join(dir, "artifacts"))
}

func tellEnd(w io.Writer, dir string, run *record.Run, artifacts string) {
	if os.Getenv("GITHUB_ACTIONS") == "true" {
		annotations(w, run)
	}
	p := painter(w)
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }
	for i, s := range troubled(run) {
		say("\n%s %s  %s\n", p.red(glyph(s.Status)), p.bold(plain(s.Name)), p.dim(where(s)))
		t := explain(s)
		var logged []string
		if i < loggedOf {
			logged = loggedAround(dir, s)
		}
		for _, part := range t.parts(logged, s.Again, filepath.Join(dir, "report.html")+"#"+s.ID) {
			part.print(w, p)
		}
	}
	for _, s := range run.Scenarios {
		for _, h := range s.TouchedNothing() {
			say("\n%s %s  %s\n    %s touched nothing: the fault never happened\n", p.yellow("!"), p.bold(plain(s.Name)), p.dim(where(s)), plain(asked(h)))
		}
	}
	if run.Result != nil && len(run.Result.Leftovers) > 0 {
		say("\n%s %s\n", p.red("left behind:"), plain(list(run.Result.Leftovers)))
	}
	if did := touched(run); did != "" {
		say("\n%s%s\n", p.dim("harm: "), did)
	}
	say("%s · report: %s%s\n", p.outcome(run.OK(), closing(run)), filepath.Join(dir, "report.html"), artifacts)
}

func where(s *record.ScenarioRun) string { return fmt.Sprintf("%s:%d", plain(s.URI), s.Line) }

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
		text += " · interrupted: " + plain(run.Result.Interrupted)
	}
	return text
}

// paint colours words, or leaves them as they are.
type paint bool

func painter(w io.Writer) paint {
	f, ok := w.(*os.File)
	return paint(ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd())))
}

func (p paint) code(code, text string) string {
	if !p {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (p paint) red(text string) string    { return p.code("31", text) }
func (p paint) yellow(text string) string { return p.code("33", text) }
func (p paint) bold(text string) string   { return p.code("1", text) }
func (p paint) dim(text string) string    { return p.code("2", text) }

func (p paint) outcome(ok bool, text string) string {
	if ok {
		return p.code("32", text)
	}
	return p.red(text)
}
