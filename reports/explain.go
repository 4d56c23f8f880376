package reports

import (
	"regexp"
	"strings"
	"time"

	"brine.test/brine/world/record"
)

// story is a failed scenario in plain words; every format tells the same one.
type story struct {
	Step     *record.StepRun // nil when it failed outside of a step
	Headline string
	Expected string
	Got      string
	Tried    string
	Harms    []string
	Before   []string // harms that were over by then, where none was on
	Ended    []string // services that had ended by themselves
	Hint     string
	Detail   string // the whole error, where it says more than the headline
}

// explain tells why a scenario is not OK, nil when it is.
func explain(s *record.ScenarioRun) *story {
	if s.Status.OK() && (s.Cleanup == nil || len(s.Cleanup.Leftovers) == 0) {
		return nil
	}
	t := &story{Step: s.FailedStep()}
	res := s.Result
	if t.Step != nil {
		res = t.Step.Result
	}
	t.Headline = headline(s, t.Step, res)
	t.Hint = hint(res.Error)
	if strings.Contains(strings.TrimSpace(res.Error), "\n") || firstLine(res.Error) != t.Headline {
		t.Detail = strings.TrimSpace(res.Error)
	}
	if v := res.Verdict; v != nil {
		t.Expected, t.Got = v.Expected, v.Got
		if v.Hint != "" {
			t.Hint = v.Hint
		}
		if v.Tried > 0 {
			t.Tried = "tried for " + span(v.Tried)
			if v.Looks > 1 {
				t.Tried += ", " + plural(uint64(v.Looks), "look")
			}
		}
		t.Harms, t.Ended = v.Harms, v.Ended
		t.Headline = shorter(v, t.Headline)
	}
	if t.Step != nil {
		if on := harmsOn(s, t.Step); len(on) > 0 {
			t.Harms = on // with what they touched, which the sentence could not know
		}
		if len(t.Harms) == 0 {
			t.Before = harmsBefore(s, t.Step)
		}
	}
	return t
}

func headline(s *record.ScenarioRun, st *record.StepRun, res record.Result) string {
	switch {
	case res.Status == record.Undefined:
		return "No sentence of the language matches this one."
	case res.Status == record.Pending:
		return "This sentence is not written yet."
	case res.Status == record.Unfinished:
		return "The run ended while this was going on."
	case res.Error != "":
		return firstLine(res.Error)
	case st == nil && s.Cleanup != nil && len(s.Cleanup.Leftovers) > 0:
		return "It left something behind: " + list(s.Cleanup.Leftovers)
	}
	return "It failed and did not say why."
}

// looked is what an error of a sentence with a time bound begins with; the story tells it apart.
var looked = regexp.MustCompile(`^(?:not within \S+|held for \S+ of \S+) \(\d+ looks?\): `)

// longHeadline is how many letters a headline may have before what stands beside it, expected and got, is left out of it.
const longHeadline = 140

// shorter leaves out of a headline what the story tells beside it.
func shorter(v *record.Verdict, line string) string {
	if v.Tried > 0 {
		line = looked.ReplaceAllString(line, "")
	}
	if before, _, ok := strings.Cut(line, "expected "+firstLine(v.Expected)); ok && v.Expected != "" && len(line) > longHeadline && len(before) > 10 {
		line = before
	}
	return strings.TrimRight(line, ":, ")
}

// harmsOn are the harms that were on at the end of a step, each with the time since it began and what it touched.
func harmsOn(s *record.ScenarioRun, st *record.StepRun) []string {
	var out []string
	for _, h := range s.Harms {
		if instant(h) || h.Begin.Mono > st.End.Mono || !h.End.IsZero() && h.End.Mono < st.End.Mono {
			continue
		}
		out = append(out, about(h, "on for "+span(st.End.Sub(h.Begin).Round(time.Millisecond))))
	}
	return out
}

// earlier is how many harms that were over are told with a failure.
const earlier = 3

// harmsBefore are the last harms that were over when a step ended.
func harmsBefore(s *record.ScenarioRun, st *record.StepRun) []string {
	var out []string
	for _, h := range s.Harms {
		end := h.End
		if instant(h) || end.IsZero() {
			end = h.Begin
		}
		if end.Mono <= st.End.Mono {
			out = append(out, about(h, "over for "+span(st.End.Sub(end).Round(time.Millisecond))))
		}
	}
	return out[max(0, len(out)-earlier):]
}

// about is a harm in one line: its sentence, whom that meant, how long, what it touched.
func about(h *record.HarmRun, since string) string {
	parts := []string{since}
	if h.Detail != "" {
		parts = []string{h.Detail, since}
	}
	if !h.End.IsZero() {
		parts = append(parts, receipt(h))
	}
	return asked(h) + " (" + strings.Join(parts, "; ") + ")"
}

// instant tells a harm that was over when it was done. A kill is momentary too, but where the record says that its end
// came later, when the node was started again, it counts as on until then.
func instant(h *record.HarmRun) bool {
	return h.Momentary && (h.End.IsZero() || h.End.Sub(h.Begin) < time.Millisecond)
}

// asked is the sentence that asked for a harm, or its kind where none did.
func asked(h *record.HarmRun) string {
	if h.Asked != "" {
		return h.Asked
	}
	return strings.TrimSpace(h.Kind + " " + list(h.Targets))
}

// lines words a story for formats that have only text.
func (t *story) lines() []string {
	var out []string
	if t.Step != nil {
		out = append(out, "at: "+t.Step.Keyword+t.Step.Text)
	}
	out = append(out, t.Headline)
	add := func(label, text string) {
		if text != "" {
			out = append(out, label+": "+text)
		}
	}
	add("expected", t.Expected)
	add("got", t.Got)
	if t.Tried != "" {
		out = append(out, t.Tried)
	}
	for _, h := range t.Harms {
		add("while", h)
	}
	for _, h := range t.Before {
		add("before", h)
	}
	for _, e := range t.Ended {
		add("ended by itself", e)
	}
	add("hint", t.Hint)
	return out
}
