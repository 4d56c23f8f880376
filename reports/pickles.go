package reports

import (
	"strings"

	gherkin "github.com/cucumber/gherkin/go/v26"
	messages "github.com/cucumber/messages/go/v21"

	"brine.test/brine/world/record"
)

// document writes a feature's source, its syntax tree and its pickles, and tells which pickle each scenario was. Pickles
// that did not run are not written.
func (m *stream) document(f *feature) map[*record.ScenarioRun]*messages.Pickle {
	text := ""
	for _, src := range m.run.Sources {
		if src.URI == f.uri {
			text = src.Text
		}
	}
	found := map[*record.ScenarioRun]*messages.Pickle{}
	doc, pickles := m.parse(f.uri, text)
	if doc != nil {
		found = match(doc, pickles, f.scenarios)
	}
	if len(found) < len(f.scenarios) {
		text = composed(f.name, f.scenarios)
		doc, pickles = m.parse(f.uri, text)
		found = map[*record.ScenarioRun]*messages.Pickle{}
		for i, s := range f.scenarios {
			if i < len(pickles) {
				found[s] = pickles[i]
			} else {
				found[s] = &messages.Pickle{Id: m.id(), Uri: f.uri, Name: s.Name, Language: "en", Steps: []*messages.PickleStep{}, Tags: []*messages.PickleTag{}, AstNodeIds: []string{}}
				pickles = append(pickles, found[s])
			}
		}
	}
	m.put(&messages.Envelope{Source: &messages.Source{Uri: f.uri, Data: text, MediaType: messages.SourceMediaType_TEXT_X_CUCUMBER_GHERKIN_PLAIN}})
	if doc != nil {
		m.put(&messages.Envelope{GherkinDocument: doc})
	}
	ran := map[string]bool{}
	for _, p := range found {
		ran[p.Id] = true
	}
	for _, p := range pickles {
		if ran[p.Id] {
			m.put(&messages.Envelope{Pickle: p})
		}
	}
	return found
}

// parse returns nothing for a text that is no feature.
func (m *stream) parse(uri, text string) (*messages.GherkinDocument, []*messages.Pickle) {
	if text == "" {
		return nil, nil
	}
	doc, err := gherkin.ParseGherkinDocument(strings.NewReader(text), m.id)
	if err != nil || doc.Feature == nil {
		return nil, nil
	}
	doc.Uri = uri
	if doc.Comments == nil {
		doc.Comments = []*messages.Comment{}
	}
	return doc, gherkin.Pickles(*doc, uri, m.id)
}

// match finds the pickles of scenarios by line, that of the scenario or of its example's row, and by name. A scenario
// that ran twice has the same pickle twice.
func match(doc *messages.GherkinDocument, pickles []*messages.Pickle, scenarios []*record.ScenarioRun) map[*record.ScenarioRun]*messages.Pickle {
	lines := map[string]int{}
	locate(lines, doc.Feature.Children)
	found, used := map[*record.ScenarioRun]*messages.Pickle{}, map[string]bool{}
	for _, s := range scenarios {
		var best *messages.Pickle
		rank := 0
		for _, p := range pickles {
			if p.Name != s.Name || len(p.Steps) != len(s.Steps) {
				continue
			}
			r := 1
			for _, id := range p.AstNodeIds {
				if lines[id] == s.Line {
					r += 4
				}
			}
			if !used[p.Id] {
				r++
			}
			if r > rank {
				best, rank = p, r
			}
		}
		if best != nil {
			found[s], used[best.Id] = best, true
		}
	}
	return found
}

func locate(lines map[string]int, children []*messages.FeatureChild) {
	for _, c := range children {
		if c.Scenario != nil {
			locateScenario(lines, c.Scenario)
		}
		if c.Rule != nil {
			for _, rc := range c.Rule.Children {
				if rc.Scenario != nil {
					locateScenario(lines, rc.Scenario)
				}
			}
		}
	}
}

func locateScenario(lines map[string]int, s *messages.Scenario) {
	lines[s.Id] = int(s.Location.Line)
	for _, e := range s.Examples {
		for _, row := range e.TableBody {
			lines[row.Id] = int(row.Location.Line)
		}
	}
}
