package steps

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"

	"github.com/cucumber/godog"
	messages "github.com/cucumber/messages/go/v21"
)

// formatName is how godog knows the console's form: `godog run --format=brine` has it too.
const formatName = "brine"

func init() {
	godog.Format(formatName, "Cucumber's pretty form, with times and choices instead of Go's places.", func(suite string, out io.Writer) godog.Formatter {
		w := &remarked{to: out}
		return &pretty{PrettyFmt: godog.NewPrettyFmt(suite, w), out: w}
	})
}

// pretty is godog's pretty form for people who write no Go: beside a sentence stands how long it took and whom its
// selectors stood for, instead of the place of a function. It has no summary: the run's end tells what failed and
// why, once (reports.Closing).
type pretty struct {
	*godog.PrettyFmt
	mu  sync.Mutex // held by whoever prints
	out *remarked
}

func (f *pretty) Summary() {}

// about prints with the remark about a step. With the last step of a row godog prints the outline: its sentences stand for
// all rows, and none of them took what that step took.
func (f *pretty) about(p *messages.Pickle, step *messages.PickleStep, print func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(p.AstNodeIds) == 1 || step != p.Steps[len(p.Steps)-1] {
		f.out.remark = current.remarks.of(step.Id)
	}
	print()
	f.out.remark = ""
}

func (f *pretty) Passed(p *messages.Pickle, st *messages.PickleStep, d *godog.StepDefinition) {
	f.about(p, st, func() { f.PrettyFmt.Passed(p, st, d) })
}

func (f *pretty) Skipped(p *messages.Pickle, st *messages.PickleStep, d *godog.StepDefinition) {
	f.about(p, st, func() { f.PrettyFmt.Skipped(p, st, d) })
}

func (f *pretty) Undefined(p *messages.Pickle, st *messages.PickleStep, d *godog.StepDefinition) {
	f.about(p, st, func() {
		f.PrettyFmt.Undefined(p, st, d)
		if err := Undefined(st.Text); err != nil && len(p.AstNodeIds) == 1 {
			_, _ = fmt.Fprintln(f.out, "    "+strings.ReplaceAll(err.Error(), "\nhint: ", "; "))
		}
	})
}

func (f *pretty) Pending(p *messages.Pickle, st *messages.PickleStep, d *godog.StepDefinition) {
	f.about(p, st, func() { f.PrettyFmt.Pending(p, st, d) })
}

func (f *pretty) Failed(p *messages.Pickle, st *messages.PickleStep, d *godog.StepDefinition, err error) {
	f.about(p, st, func() {
		f.out.shorten(err)
		f.PrettyFmt.Failed(p, st, d, err)
	})
}

// Pickle begins a scenario.
func (f *pretty) Pickle(p *messages.Pickle) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.out.long = nil
	f.PrettyFmt.Pickle(p)
}

// Feature begins a feature, while scenarios of the last one may still be printed.
func (f *pretty) Feature(d *messages.GherkinDocument, path string, content []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.PrettyFmt.Feature(d, path, content)
}

// remarked replaces the place of a step's function by the remark, an error by one line, and takes secrets out. godog
// writes each of these in one piece.
type remarked struct {
	to     io.Writer
	remark string
	long   []string // pairs: an error as godog prints it, and in one line
}

// shorten has an error printed as one line. godog prints it with %+v, or in an outline's table as it is.
func (w *remarked) shorten(err error) {
	var r *refusal
	for _, verb := range []string{"%v", "%+v"} {
		text := fmt.Sprintf(verb, err)
		short := brief(strings.TrimPrefix(text, "after scenario hook failed: "))
		if errors.As(err, &r) {
			short = brief(r.first())
		}
		if text != short {
			w.long = append(w.long, text, short)
		}
	}
}

// place is what the pretty form writes behind a sentence that has a function.
var place = regexp.MustCompile(`( *)((?:\x1b\[[0-9;]*m)?)# \S+\.go:\d+ -> [^\s\x1b]+((?:\x1b\[0m)?)`)

func (w *remarked) Write(p []byte) (int, error) {
	text := strings.NewReplacer(w.long...).Replace(string(p))
	text = current.redact(text)
	with := ""
	if w.remark != "" {
		with = "${1}${2}# " + strings.ReplaceAll(current.redact(w.remark), "$", "$$") + "${3}"
	}
	_, err := io.WriteString(w.to, place.ReplaceAllString(text, with))
	return len(p), err
}

// byLine passes whole lines on: without colours godog writes letter by letter, between which the progress of
// something else would stand.
type byLine struct {
	to   io.Writer
	held []byte
}

func (w *byLine) Write(p []byte) (int, error) {
	w.held = append(w.held, p...)
	end := bytes.LastIndexByte(w.held, '\n') + 1
	_, err := w.to.Write(w.held[:end])
	w.held = append(w.held[:0], w.held[end:]...)
	return len(p), err
}
