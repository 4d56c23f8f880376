package reports

import (
	"fmt"
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
			if v.Looks > 0 {
				t.Tried += ", " + plural(uint64(v.Looks), "look")
			}
		}
		t.Harms = v.Harms
	}
	if t.Step != nil && len(t.Harms) == 0 {
		t.Harms = harmsOn(s, t.Step)
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

// harmsOn are the harms that were on at the end of a step, each with the time since it began.
func harmsOn(s *record.ScenarioRun, st *record.StepRun) []string {
	var out []string
	for _, h := range s.Harms {
		if instant(h) || h.Begin.Mono > st.End.Mono || !h.End.IsZero() && h.End.Mono < st.Begin.Mono {
			continue
		}
		since := st.End.Sub(h.Begin).Round(time.Millisecond)
		out = append(out, fmt.Sprintf("%s (for %s)", asked(h), span(since)))
	}
	return out
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
	add("hint", t.Hint)
	return out
}
