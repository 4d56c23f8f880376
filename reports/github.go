package reports

import (
	"fmt"
	"io"
	"strings"

	"brine.test/brine/world/record"
)

// summary is the run in Markdown, as GitHub shows it below a job.
func summary(run *record.Run, o Options) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n", markdown(closing(run)))
	if did := touched(run); did != "" {
		fmt.Fprintf(&b, "Harm: %s.\n\n", markdown(did))
	}
	if c := compare(o.Before, run); c != nil {
		fmt.Fprintf(&b, "%s\n\n", markdown(c.words()))
	}
	failed := troubled(run)
	if len(failed) > 0 {
		b.WriteString("| scenario | sentence | why |\n| --- | --- | --- |\n")
		for _, s := range failed {
			t := explain(s)
			sentence := ""
			if t.Step != nil {
				sentence = t.Step.Keyword + t.Step.Text
			}
			fmt.Fprintf(&b, "| %s<br>`%s:%d` | %s | %s |\n", markdown(s.Name), code(s.URI), s.Line, markdown(sentence), markdown(t.why()))
		}
		b.WriteByte('\n')
	}
	for _, s := range run.Scenarios {
		for _, h := range s.TouchedNothing() {
			fmt.Fprintf(&b, "- ⚠ **%s** in *%s* touched nothing: the fault never happened.\n", markdown(asked(h)), markdown(s.Name))
		}
	}
	b.WriteString("\n<details><summary>All scenarios</summary>\n\n| | scenario | time | harm |\n| --- | --- | ---: | --- |\n")
	for _, s := range run.Scenarios {
		var harms []string
		for _, h := range s.Harms {
			harms = append(harms, markdown(asked(h)+": "+receipt(h)))
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", glyph(s.Status), markdown(s.Name), span(s.Duration()), strings.Join(harms, "<br>"))
	}
	b.WriteString("\n</details>\n")
	if run.Info.Again != "" {
		fmt.Fprintf(&b, "\nRun it again: `%s`\n", code(run.Info.Again))
	}
	return b.String()
}

// annotations are GitHub's workflow commands: one at the line of each sentence that failed.
func annotations(w io.Writer, run *record.Run) {
	for _, s := range troubled(run) {
		t := explain(s)
		line := s.Line
		if t.Step != nil && t.Step.Line > 0 {
			line = t.Step.Line
		}
		_, _ = fmt.Fprintf(w, "::error file=%s,line=%d,title=%s::%s\n", property(s.URI), line, property(s.Name), command(t.said(s.Again)))
	}
	for _, s := range run.Scenarios {
		for _, h := range s.TouchedNothing() {
			_, _ = fmt.Fprintf(w, "::warning file=%s,line=%d,title=%s::%s\n", property(s.URI), lineOf(s, h), property(s.Name), command(asked(h)+" touched nothing: the fault never happened"))
		}
	}
}

// lineOf is the line of the sentence that asked for a harm.
func lineOf(s *record.ScenarioRun, h *record.HarmRun) int {
	for _, st := range s.Steps {
		if st.ID == h.Step && st.ID != "" && st.Line > 0 {
			return st.Line
		}
	}
	return s.Line
}

// said is the story for an annotation.
func (t *story) said(again string) string {
	var out []string
	for _, l := range t.parts(nil, again, "") {
		out = append(out, l.words())
	}
	return strings.Join(out, "\n")
}

// why is the story beside its sentence.
func (t *story) why() string {
	var out []string
	for _, l := range t.parts(nil, "", "") {
		if l.label != "" {
			out = append(out, l.words())
		}
	}
	return strings.Join(out, "\n")
}

// troubled are the scenarios that have something to explain.
func troubled(run *record.Run) []*record.ScenarioRun {
	var out []*record.ScenarioRun
	for _, s := range run.Scenarios {
		if explain(s) != nil {
			out = append(out, s)
		}
	}
	return out
}

func glyph(s record.Status) string {
	switch s {
	case record.Passed:
		return "✓"
	case record.Skipped:
		return "–"
	case record.Undefined, record.Pending:
		return "?"
	}
	return "✗"
}

// command and property escape as GitHub's runner unescapes.
func command(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(plain(s))
}

func property(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(command(s))
}

// markdown escapes text for a cell of a table.
func markdown(s string) string {
	s = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(plain(s))
	s = strings.NewReplacer(`\`, `\\`, "|", `\|`, "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "]", `\]`, "~", `\~`).Replace(s)
	return strings.ReplaceAll(s, "\n", "<br>")
}

// code is text for between backticks.
func code(s string) string {
	return strings.NewReplacer("`", "'", "\n", " ", "|", `\|`).Replace(plain(s))
}
