package reports

import (
	"fmt"

	"brine.test/brine/world/record"
)

// page is what the report shows at once; details of a scenario are read when it is opened.
type page struct {
	Title     string         `json:"title"`
	Closing   string         `json:"closing"`
	OK        bool           `json:"ok"`
	Touched   string         `json:"touched,omitempty"` // what all harm did
	Run       string         `json:"run"`
	Began     int64          `json:"began"` // wall, ms
	Took      int64          `json:"took"`  // µs
	Again     string         `json:"again,omitempty"`
	Counts    []tally        `json:"counts"`
	Facts     []record.Field `json:"facts"`
	Trouble   []string       `json:"trouble,omitempty"` // of the run as a whole
	Scenarios []entry        `json:"scenarios"`
	Records   []fileView     `json:"records"`
	Changes   *changes       `json:"changes,omitempty"`
}

type tally struct {
	Status record.Status `json:"status"`
	N      int           `json:"n"`
}

// entry is a scenario in the list.
type entry struct {
	ID      string        `json:"id"`
	Name    string        `json:"name"`
	Feature string        `json:"feature"`
	URI     string        `json:"uri"`
	Line    int           `json:"line"`
	Tags    []string      `json:"tags,omitempty"`
	Status  record.Status `json:"status"`
	Took    int64         `json:"took"`  // µs
	Began   int64         `json:"began"` // µs since the run's begin
	Story   *tale         `json:"story,omitempty"`
	Nothing []string      `json:"nothing,omitempty"` // harms that touched nothing
	Harms   []string      `json:"harms,omitempty"`
	Shard   string        `json:"shard,omitempty"`
	Change  string        `json:"change,omitempty"` // against the run before
	Words   string        `json:"words"`            // what the search looks at
}

// tale is a story on the page.
type tale struct {
	Step     int      `json:"step"` // index, -1 outside of the steps
	Sentence string   `json:"sentence,omitempty"`
	Headline string   `json:"headline"`
	Lead     string   `json:"lead,omitempty"` // the headline without what stands below it
	Expected string   `json:"expected,omitempty"`
	Got      string   `json:"got,omitempty"`
	Tried    string   `json:"tried,omitempty"`
	Harms    []string `json:"harms,omitempty"`
	Before   []string `json:"before,omitempty"`
	Ended    []string `json:"ended,omitempty"`
	Hint     string   `json:"hint,omitempty"`
	Detail   string   `json:"detail,omitempty"`
}

func newPage(dir string, run *record.Run, o Options) *page {
	p := &page{
		Closing: closing(run), OK: run.OK(), Touched: touched(run), Run: run.Info.ID, Again: run.Info.Again, Facts: facts(run),
		Began: run.Begin.Wall / 1e6, Took: run.End.Sub(run.Begin).Microseconds(),
	}
	p.Records = records(dir, run)
	p.Changes = compare(o.Before, run)
	n := run.Count()
	for _, st := range []record.Status{record.Failed, record.Unfinished, record.Undefined, record.Pending, record.Skipped, record.Passed} {
		if n[st] > 0 {
			p.Counts = append(p.Counts, tally{st, n[st]})
		}
	}
	p.Title = fmt.Sprintf("%d of %s passed", n[record.Passed], plural(uint64(len(run.Scenarios)), "scenario"))
	switch {
	case run.Result == nil:
		p.Trouble = append(p.Trouble, "The record has no end: the run was killed before it could finish.")
	case run.Result.Interrupted != "":
		p.Trouble = append(p.Trouble, "The run was interrupted: "+plain(run.Result.Interrupted)+".")
	}
	if run.Result != nil && len(run.Result.Leftovers) > 0 {
		p.Trouble = append(p.Trouble, "The run left something behind: "+plain(list(run.Result.Leftovers))+".")
	}
	for _, note := range run.Notes {
		if note.Level != "" {
			p.Trouble = append(p.Trouble, plain(note.Text))
		}
	}
	for _, s := range run.Scenarios {
		p.Scenarios = append(p.Scenarios, newEntry(run, s, p.Changes))
	}
	return p
}

func newEntry(run *record.Run, s *record.ScenarioRun, c *changes) entry {
	e := entry{
		ID: s.ID, Name: plain(s.Name), Feature: plain(s.Feature), URI: s.URI, Line: s.Line, Tags: s.Tags, Status: s.Status,
		Took: s.Duration().Microseconds(), Began: (s.Begin.Wall - run.Begin.Wall) / 1000, Story: tell(s), Shard: plain(s.Shard), Change: c.of(s.ID),
	}
	if e.Feature == "" {
		e.Feature = s.URI
	}
	for _, st := range s.Steps {
		e.Words += plain(st.Text) + "\n"
	}
	for _, h := range s.Harms {
		e.Harms = append(e.Harms, plain(asked(h)))
		if h.TouchedNothing {
			e.Nothing = append(e.Nothing, plain(asked(h)))
		}
	}
	return e
}

func tell(s *record.ScenarioRun) *tale {
	t := explain(s)
	if t == nil {
		return nil
	}
	out := &tale{
		Step: -1, Headline: plain(t.Headline), Lead: plain(t.lead()), Expected: plain(t.Expected), Got: plain(t.Got), Tried: t.Tried, Hint: plain(t.Hint),
		Detail: plain(t.Detail),
	}
	for _, h := range t.Harms {
		out.Harms = append(out.Harms, plain(h))
	}
	for _, h := range t.Before {
		out.Before = append(out.Before, plain(h))
	}
	for _, e := range t.Ended {
		out.Ended = append(out.Ended, plain(e))
	}
	for i, st := range s.Steps {
		if st == t.Step {
			out.Step, out.Sentence = i, plain(st.Keyword+st.Text)
		}
	}
	return out
}
