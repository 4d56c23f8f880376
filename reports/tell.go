package reports

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"brine.test/brine/world/record"
)

// part is one line, or a few, of a failure's story as the console and GitHub show it: a label and a text.
type part struct{ label, text string }

// labelWidth is the column in which the texts stand.
const labelWidth = 10

// parts words a story for people: nothing twice, what to do last. What a caller has not is left out.
func (t *story) parts(logged []string, again, report string) []part {
	var out []part
	add := func(label, text string) {
		if text = strings.Trim(plain(text), "\n"); strings.TrimSpace(text) != "" {
			out = append(out, part{label, text})
		}
	}
	if t.Step != nil {
		add("", t.Step.Keyword+t.Step.Text)
	}
	add("why", t.lead())
	add("expected", t.Expected)
	add("got", t.Got)
	add("tried", strings.TrimPrefix(t.Tried, "tried for "))
	add("while", strings.Join(t.Harms, "\n"))
	add("before", strings.Join(t.Before, "\n"))
	add("ended", strings.Join(t.Ended, "\n"))
	add("proof", t.proof())
	add("logged", strings.Join(logged, "\n"))
	add("hint", t.Hint)
	add("again", again)
	add("report", report)
	return out
}

// lead is the headline without what expected and got tell below it.
func (t *story) lead() string {
	if t.Expected == "" || t.Got == "" {
		return t.Headline
	}
	before, _, _ := strings.Cut(t.Headline, "expected ")
	return strings.TrimRight(before, ":, ")
}

// proof are the lines of the error that are set in below its first: the operations that prove a violation, the attempts.
func (t *story) proof() string {
	if t.Got != "" {
		return ""
	}
	var out []string
	for line := range strings.Lines(t.Detail) {
		if strings.HasPrefix(line, " ") && len(out) < 12 {
			out = append(out, strings.TrimRight(strings.TrimPrefix(line, "  "), "\n"))
		}
	}
	if len(out) > 0 && strings.Contains(t.Detail, "\nproved by ") {
		out = append([]string{"times since the clients began:"}, out...)
	}
	return strings.Join(out, "\n")
}

func (l part) print(w io.Writer, p paint) {
	if l.label == "" {
		_, _ = fmt.Fprintf(w, "    %s\n", p.bold(l.text))
		return
	}
	for i, line := range strings.Split(l.text, "\n") {
		label := l.label
		if i > 0 {
			label = ""
		}
		text := strings.TrimRight(line, " ")
		if l.label == "logged" {
			text = p.dim(text)
		}
		_, _ = fmt.Fprintf(w, "    %s%s\n", p.dim(fmt.Sprintf("%-*s", labelWidth, label)), text)
	}
}

// words is a part on lines of its own, for formats without columns.
func (l part) words() string {
	switch {
	case l.label == "", l.label == "why":
		return l.text
	case strings.Contains(l.text, "\n"):
		return l.label + ":\n" + l.text
	}
	return l.label + ": " + l.text
}

// The console shows so many lines of logs with a failure, each so long, and with so many failures: more is in the report.
const (
	loggedLines = 6
	loggedWide  = 140
	loggedOf    = 25
)

// loggedAround is what the services logged around a failure, without the times that they write themselves.
func loggedAround(dir string, s *record.ScenarioRun) []string {
	c := clock{s.Begin.Mono}
	m := mergeLogs(homeOf(dir, s).dir, c, s)
	all := m.around(c, s)
	var out []string
	seen := map[string]bool{}
	for i := len(all) - 1; i >= 0 && len(out) < loggedLines; i-- {
		l := all[i]
		source := strings.TrimSuffix(strings.TrimSuffix(m.sources[l.Source], " stderr"), " stdout")
		text := clip(message(l.Text), loggedWide)
		if same := source + strings.Map(letters, text); !seen[same] {
			seen[same] = true
			out = append(out, fmt.Sprintf("%+.3f s  %s  %s", float64(l.At)/1e6, source, text))
		}
	}
	slices.Reverse(out)
	return out
}

// letters leaves digits out: lines that differ in numbers alone say the same.
func letters(c rune) rune {
	if c >= '0' && c <= '9' {
		return -1
	}
	return c
}

// message is a line as a person reads it: of one in JSON the message and then the rest, without time and place.
func message(line string) string {
	if !strings.HasPrefix(line, "{") {
		return line
	}
	var fields map[string]any
	if json.Unmarshal([]byte(line), &fields) != nil {
		return line
	}
	text, ok := fields["msg"].(string)
	if !ok {
		if text, ok = fields["message"].(string); !ok {
			return line
		}
	}
	for _, k := range []string{"msg", "message", "level", "ts", "time", "timestamp", "caller", "logger"} {
		delete(fields, k)
	}
	for _, k := range slices.Sorted(maps.Keys(fields)) {
		value, ok := fields[k].(string)
		if !ok {
			data, err := json.Marshal(fields[k])
			if err != nil {
				continue
			}
			value = string(data)
		}
		text += "  " + k + "=" + value
	}
	return text
}
