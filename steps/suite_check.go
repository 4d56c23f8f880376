package steps

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cucumber/godog"

	"brine.test/brine/world"
	"brine.test/brine/world/random"
	"brine.test/brine/world/record"
)

// refusal is why a scenario is not begun: a sentence of it means nothing, or two things. It tells so before anything is
// built.
type refusal struct {
	by        map[int]error // by the sentence's place
	undefined bool          // nothing else is wrong
}

// checkSentences refuses a scenario, or returns nil.
func checkSentences(p *godog.Scenario) *refusal {
	r := &refusal{by: map[int]error{}, undefined: true}
	for i, st := range p.Steps {
		var err error
		switch m := Matches(st.Text); len(m) {
		case 0:
			err = Undefined(st.Text)
		case 1:
			err = argumentFits(st.Text, argumentOf(st))
			r.undefined = r.undefined && err == nil
		default:
			err = fmt.Errorf("%s: has %d meanings", st.Text, len(m))
			r.undefined = false
		}
		if err != nil {
			r.by[i] = err
		}
	}
	if len(r.by) == 0 {
		return nil
	}
	return r
}

func (r *refusal) Error() string {
	var all []string
	for _, i := range slices.Sorted(maps.Keys(r.by)) {
		all = append(all, r.by[i].Error())
	}
	return strings.Join(all, "\n")
}

// first is the first reason in one line.
func (r *refusal) first() string {
	text, _, _ := strings.Cut(r.Error(), "\n`")
	return "not begun: " + strings.ReplaceAll(text, "\nhint: ", "; ")
}

// write puts the refusal into the record: the sentences that mean nothing, and those that were left out for them.
func (r *refusal) write(sc *record.Scenario, infos []record.StepInfo) {
	for i, info := range infos {
		st := sc.Step(info)
		switch err := r.by[i]; {
		case err == nil:
			st.End(record.Skipped, nil)
		case len(Matches(info.Text)) == 0:
			st.End(record.Undefined, err)
		default:
			st.End(record.Failed, err)
		}
	}
}

// needsOf unions what the scenario's sentences need, those in its tables and
// doc strings included.
func needsOf(p *godog.Scenario) world.Needs {
	var texts []string
	var beside world.Needs
	for _, st := range p.Steps {
		if own, ok := needsWithArgument(st, p.Uri); ok {
			beside = union(beside, own)
			continue
		}
		texts = append(texts, st.Text)
		if st.Argument == nil {
			continue
		}
		if d := st.Argument.DocString; d != nil {
			texts = append(texts, strings.Split(d.Content, "\n")...)
		}
		if t := st.Argument.DataTable; t != nil {
			for _, row := range t.Rows {
				for _, c := range row.Cells {
					texts = append(texts, c.Value)
				}
			}
		}
	}
	return union(beside, Needs(texts...))
}

// needsWithArgument is what a sentence needs whose own words do not tell: random faults by their table, or by the file
// that holds them. What is wrong with either is told when the sentence runs.
func needsWithArgument(st *godog.Step, uri string) (world.Needs, bool) {
	m, err := only(st.Text)
	if err != nil {
		return world.Needs{}, false
	}
	switch arg := argumentOf(st); m.Sentence.Name {
	case "randomFaults":
		return randomNeeds(arg.Table), true
	case "faultsOfFile":
		file, _ := splitLine(uri)
		schedule, err := scheduleOf(filepath.Dir(file), strings.ReplaceAll(m.Args[0], `""`, `"`))
		return scheduleNeeds(&random.File{Schedules: []random.Schedule{schedule}}), err == nil
	}
	return world.Needs{}, false
}
