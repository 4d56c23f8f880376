package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"brine.test/brine/steps"
)

// complain tells on standard error what is wrong.
func complain(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "brine: "+format+"\n", args...)
}

// usage tells what brine can do.
func usage(w io.Writer) {
	fmt.Fprint(w, "Brine runs acceptance tests for distributed systems, written in plain English.\n\nUsage:\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-24s %s\n", strings.TrimSpace("brine "+c.name+" "+c.args), c.brief)
	}
	fmt.Fprint(w, "\n`brine COMMAND --help` tells a command's flags. In a Go project, `go test` runs the features too.\n")
}

// usageOf tells what one subcommand takes.
func usageOf(w io.Writer, c command, flags *pflag.FlagSet) {
	line := "brine " + c.name
	if flags.HasFlags() {
		line += " [flags]"
	}
	fmt.Fprintf(w, "Usage: %s\n  %s\n", strings.TrimSpace(line+" "+c.args), c.brief)
	if flags.HasFlags() {
		fmt.Fprintf(w, "\nFlags:\n%s", flags.FlagUsages())
	}
}

// showVersion prints versions, one a line.
func showVersion(w io.Writer, own string, engine map[string]string) {
	fmt.Fprintf(w, "brine %s (%s %s/%s)\n", own, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	for _, name := range slices.Sorted(maps.Keys(engine)) {
		fmt.Fprintf(w, "%s %s\n", name, engine[name])
	}
}

// showSentences prints sentences by section: what one may write, then what it does.
func showSentences(w io.Writer, all []*steps.Sentence, patterns bool, p palette) {
	section := ""
	for _, s := range all {
		if s.Section != section {
			section = s.Section
			fmt.Fprintf(w, "%s\n\n", p.bold(section))
		}
		for _, e := range s.Examples {
			fmt.Fprintf(w, "  %s\n", p.green(e))
		}
		for line := range strings.Lines(strings.TrimSpace(s.Doc)) {
			fmt.Fprintf(w, "      %s\n", strings.TrimSpace(line))
		}
		if patterns {
			for _, r := range s.Patterns {
				fmt.Fprintf(w, "      %s\n", p.dim(r.String()))
			}
		}
		fmt.Fprintln(w)
	}
}

// A palette colours text, or leaves it as it is.
type palette struct{ on bool }

// colours is on where a person looks: at a terminal, unless NO_COLOR (no-color.org)
// or a dumb terminal forbid it.
func colours(f *os.File) palette {
	return palette{on: os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))}
}

func (p palette) paint(code, text string) string {
	if !p.on {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (p palette) bold(s string) string   { return p.paint("1", s) }
func (p palette) dim(s string) string    { return p.paint("2", s) }
func (p palette) red(s string) string    { return p.paint("31", s) }
func (p palette) green(s string) string  { return p.paint("32", s) }
func (p palette) yellow(s string) string { return p.paint("33", s) }
