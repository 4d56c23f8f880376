package reports

import (
	"fmt"
	"strings"
	"time"

	"brine.test/brine/world/record"
)

// A scenario is slower (or faster) when it took half as long again as before, and a second more at least: less than that
// is a machine's mood.
const (
	slowerBy = 1.5
	slowerAt = time.Second
)

// changes is a run against an earlier one. A scenario is the same when its feature file and its name are; of those that
// bear one name, as rows of an outline may, the first is the first.
type changes struct {
	Before  string   `json:"before"` // the earlier run's id
	Failing []change `json:"failing,omitempty"`
	Fixed   []change `json:"fixed,omitempty"`
	Slower  []change `json:"slower,omitempty"`
	Faster  []change `json:"faster,omitempty"`
	New     []change `json:"new,omitempty"`
	Gone    []change `json:"gone,omitempty"`
}

type change struct {
	ID   string `json:"id,omitempty"` // none of a scenario that is gone
	Name string `json:"name"`
	Text string `json:"text,omitempty"`
}

// compare is nil without an earlier run.
func compare(before, after *record.Run) *changes {
	if before == nil {
		return nil
	}
	c := &changes{Before: before.Info.ID}
	was := keyed(before)
	now := keyed(after)
	for _, k := range now.order {
		s, old := now.all[k], was.all[k]
		one := change{ID: s.ID, Name: plain(s.Name)}
		if old == nil {
			c.New = append(c.New, one)
			continue
		}
		ok, wasOK := explain(s) == nil, explain(old) == nil
		a, b := old.Duration(), s.Duration()
		switch {
		case !ok && wasOK:
			one.Text = plain(explain(s).Headline)
			c.Failing = append(c.Failing, one)
		case ok && !wasOK:
			one.Text = "before: " + plain(explain(old).Headline)
			c.Fixed = append(c.Fixed, one)
		case ok && float64(b) > slowerBy*float64(a) && b-a >= slowerAt:
			one.Text = span(a) + ", now " + span(b)
			c.Slower = append(c.Slower, one)
		case ok && float64(a) > slowerBy*float64(b) && a-b >= slowerAt:
			one.Text = span(a) + ", now " + span(b)
			c.Faster = append(c.Faster, one)
		}
	}
	for _, k := range was.order {
		if now.all[k] == nil {
			c.Gone = append(c.Gone, change{Name: plain(was.all[k].Name)})
		}
	}
	return c
}

type index struct {
	all   map[string]*record.ScenarioRun
	order []string
}

func keyed(run *record.Run) index {
	x := index{all: map[string]*record.ScenarioRun{}}
	count := map[string]int{}
	for _, s := range run.Scenarios {
		base := s.URI + "\x00" + s.Name
		count[base]++
		k := fmt.Sprintf("%s\x00%d", base, count[base])
		x.all[k] = s
		x.order = append(x.order, k)
	}
	return x
}

// words sums up: "Since run k3x9a2pq: 1 newly failing, 2 fixed".
func (c *changes) words() string {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{len(c.Failing), "newly failing"}, {len(c.Fixed), "fixed"}, {len(c.Slower), "slower"}, {len(c.Faster), "faster"}, {len(c.New), "new"}, {len(c.Gone), "gone"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	if len(parts) == 0 {
		parts = []string{"nothing changed"}
	}
	return "Since run " + c.Before + ": " + strings.Join(parts, ", ")
}

// named bounds how many scenarios of one kind of change are named.
const named = 10

// lines names what changed, a scenario a line.
func (c *changes) lines() []string {
	var out []string
	for _, p := range []struct {
		all  []change
		what string
	}{{c.Failing, "newly failing"}, {c.Fixed, "fixed"}, {c.Slower, "slower"}, {c.Faster, "faster"}, {c.New, "new"}, {c.Gone, "gone"}} {
		for i, one := range p.all {
			if i == named {
				out = append(out, fmt.Sprintf("  %-14s and %d more", "", len(p.all)-named))
				break
			}
			line := fmt.Sprintf("  %-14s %s", p.what, one.Name)
			if one.Text != "" {
				line += ": " + clip(one.Text, 160)
			}
			out = append(out, line)
		}
	}
	return out
}

// of words what changed about one scenario.
func (c *changes) of(id string) string {
	if c == nil {
		return ""
	}
	for _, p := range []struct {
		all  []change
		what string
	}{{c.Failing, "newly failing"}, {c.Fixed, "fixed"}, {c.Slower, "slower"}, {c.Faster, "faster"}, {c.New, "new"}} {
		for _, one := range p.all {
			if one.ID == id {
				return p.what
			}
		}
	}
	return ""
}
