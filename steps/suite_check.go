package steps

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cucumber/godog"

	"brine.test/brine/world"
)

// checkSentences refuses a scenario with a sentence that means nothing, or two
// things, before anything is built for it.
func checkSentences(p *godog.Scenario) error {
	var errs []error
	for _, st := range p.Steps {
		switch m := Matches(st.Text); len(m) {
		case 0:
			errs = append(errs, Undefined(st.Text))
		case 1:
			if err := argumentFits(st.Text, argumentOf(st)); err != nil {
				errs = append(errs, err)
			}
		default:
			errs = append(errs, fmt.Errorf("%s: has %d meanings", st.Text, len(m)))
		}
	}
	return errors.Join(errs...)
}

// needsOf unions what the scenario's sentences need, those in its tables and
// doc strings included.
func needsOf(p *godog.Scenario) world.Needs {
	var texts []string
	for _, st := range p.Steps {
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
	return Needs(texts...)
}
