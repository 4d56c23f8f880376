package reports

import (
	"brine.test/brine/world/record"
)

// logLimit bounds all log text of a page, in bytes; what is beyond it is linked. The page stays below 20 MB with it.
const logLimit = 10 << 20

// logBudget divides the limit: a failed scenario gets eight times what a passed one does.
type logBudget struct{ unit int }

func newLogBudget(run *record.Run) *logBudget {
	weight := 0
	for _, s := range run.Scenarios {
		weight += logWeight(s)
	}
	return &logBudget{unit: logLimit / max(weight, 1)}
}

func (b *logBudget) share(s *record.ScenarioRun) int {
	return min(b.unit*logWeight(s), 2<<20)
}

func logWeight(s *record.ScenarioRun) int {
	if s.Status.OK() {
		return 1
	}
	return 8
}

// view is what the page gets: all lines, or those nearest to the moments that matter.
func (m *merged) view(limit int, c clock, s *record.ScenarioRun) logView {
	v := logView{Sources: m.sources}
	total := 0
	for _, l := range m.lines {
		total += cost(l)
	}
	if total <= limit {
		v.Lines, v.Left = m.lines, m.skipped
		return v
	}
	from, to := nearest(m.lines, focus(c, s), limit)
	v.Lines, v.Left = m.lines[from:to], len(m.lines)-(to-from)
	return v
}

func cost(l logLine) int { return len(l.Text) + 32 }

// focus is the moment that matters most: the end of the step that failed, else the first harm, else the scenario's end.
func focus(c clock, s *record.ScenarioRun) int64 {
	if st := s.FailedStep(); st != nil && !st.End.IsZero() {
		return c.at(st.End.Mono)
	}
	if len(s.Harms) > 0 {
		return c.at(s.Harms[0].Begin.Mono)
	}
	return c.at(s.End.Mono)
}

// nearest is the window around a moment that fits the limit, twice as much before it as after.
func nearest(lines []logLine, moment int64, limit int) (from, to int) {
	for from < len(lines) && lines[from].At <= moment {
		from++
	}
	to = from
	for used, turn := 0, 0; used < limit && (from > 0 || to < len(lines)); turn++ {
		if from > 0 && (turn%3 != 2 || to == len(lines)) {
			from--
			used += cost(lines[from])
		} else if to < len(lines) {
			used += cost(lines[to])
			to++
		}
	}
	return from, to
}

// maxAround bounds the lines told with a failure.
const maxAround = 12

// around is what the services logged around a failure: the worst lines between a second before the failed step and its
// end, else the last ones. What they said before they were ready is about their start.
func (m *merged) around(c clock, s *record.ScenarioRun) []logLine {
	st := s.FailedStep()
	if st == nil || st.Begin.IsZero() {
		return nil
	}
	begin, end := c.at(st.Begin.Mono)-1_000_000, c.at(st.End.Mono)+200_000
	for _, state := range s.States {
		if state.State == record.Ready && state.Mono < st.Begin.Mono {
			begin = max(begin, c.at(state.Mono))
		}
	}
	var bad, all []logLine
	for _, l := range m.lines {
		if l.At < begin || l.At > end {
			continue
		}
		l.Text = shorten(l.Text, 600)
		all = append(all, l)
		if l.Level == "e" || l.Level == "w" {
			bad = append(bad, l)
		}
	}
	if len(bad) > 0 {
		all = bad
	}
	return all[max(0, len(all)-maxAround):]
}
