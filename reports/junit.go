package reports

import (
	"encoding/xml"
	"fmt"
	"strings"
	"time"

	"brine.test/brine/world/record"
)

// The form is that of Jenkins' and Maven's readers: testsuites, a suite a feature, a case a scenario.
type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name       string          `xml:"name,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Skipped    int             `xml:"skipped,attr"`
	Time       string          `xml:"time,attr"`
	Timestamp  string          `xml:"timestamp,attr"`
	Hostname   string          `xml:"hostname,attr,omitempty"`
	File       string          `xml:"file,attr,omitempty"`
	Properties []junitProperty `xml:"properties>property,omitempty"`
	Cases      []junitCase     `xml:"testcase"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Name       string          `xml:"name,attr"`
	Class      string          `xml:"classname,attr"`
	File       string          `xml:"file,attr,omitempty"`
	Line       int             `xml:"line,attr,omitempty"`
	Time       string          `xml:"time,attr"`
	Properties []junitProperty `xml:"properties>property,omitempty"`
	Failure    *junitProblem   `xml:"failure"`
	Error      *junitProblem   `xml:"error"`
	Skipped    *junitProblem   `xml:"skipped"`
	Out        string          `xml:"system-out,omitempty"`
}

type junitProblem struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

func junit(run *record.Run) ([]byte, error) {
	all := junitSuites{Name: "brine", Time: seconds(run.End.Sub(run.Begin))}
	for _, f := range byFeature(run) {
		suite := junitSuite{
			Name: f.name, File: f.uri, Hostname: run.Info.Machine.Host,
			Timestamp:  time.Unix(0, f.scenarios[0].Begin.Wall).UTC().Format("2006-01-02T15:04:05"),
			Properties: []junitProperty{{"run", run.Info.ID}, {"seed", fmt.Sprint(run.Info.Seed)}, {"kernel", run.Info.Machine.Kernel}, {"engine", run.Info.Engine}},
		}
		var took time.Duration
		for _, s := range f.scenarios {
			c := junitScenario(f.name, s)
			suite.Tests++
			switch {
			case c.Failure != nil:
				suite.Failures++
			case c.Error != nil:
				suite.Errors++
			case c.Skipped != nil:
				suite.Skipped++
			}
			took += s.Duration()
			suite.Cases = append(suite.Cases, c)
		}
		suite.Time = seconds(took)
		all.Tests += suite.Tests
		all.Failures += suite.Failures
		all.Errors += suite.Errors
		all.Skipped += suite.Skipped
		all.Suites = append(all.Suites, suite)
	}
	data, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return nil, err
	}
	return append([]byte(xml.Header), append(data, '\n')...), nil
}

func junitScenario(feature string, s *record.ScenarioRun) junitCase {
	c := junitCase{
		Name: s.Name, Class: feature, File: s.URI, Line: s.Line, Time: seconds(s.Duration()), Out: plain(transcript(s)),
		Properties: []junitProperty{{"id", s.ID}, {"seed", fmt.Sprint(s.Seed)}},
	}
	if s.Again != "" {
		c.Properties = append(c.Properties, junitProperty{"again", s.Again})
	}
	t := explain(s)
	switch {
	case t != nil:
		p := &junitProblem{Message: plain(t.Headline), Type: string(s.Status), Text: plain(strings.Join(t.lines(), "\n"))}
		if t.Detail != "" {
			p.Text += "\n\n" + plain(t.Detail)
		}
		if s.Status == record.Failed || s.Status.OK() {
			c.Failure = p
		} else {
			c.Error = p
		}
	case s.Status == record.Skipped:
		c.Skipped = &junitProblem{Message: "skipped", Type: "skipped"}
	}
	return c
}

// transcript is a scenario as text: sentences with their status, choices, and the harms with their receipts.
func transcript(s *record.ScenarioRun) string {
	var b strings.Builder
	for _, st := range s.Steps {
		fmt.Fprintf(&b, "%-10s %s%s (%s)\n", st.Status, st.Keyword, st.Text, span(st.Duration()))
		for _, c := range s.Choices {
			if c.Step != "" && c.Step == st.ID {
				fmt.Fprintf(&b, "%-10s   %s: %s\n", "", c.Selector, list(c.Stood))
			}
		}
	}
	for _, h := range s.Harms {
		fmt.Fprintf(&b, "%-10s %s: %s\n", "harm", asked(h), receipt(h))
	}
	return b.String()
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

// feature is the scenarios of one feature file, in the order in which they began.
type feature struct {
	uri, name string
	scenarios []*record.ScenarioRun
}

func byFeature(run *record.Run) []*feature {
	var out []*feature
	index := map[string]*feature{}
	for _, s := range run.Scenarios {
		f := index[s.URI]
		if f == nil {
			f = &feature{uri: s.URI, name: s.Feature}
			if f.name == "" {
				f.name = s.URI
			}
			index[s.URI] = f
			out = append(out, f)
		}
		f.scenarios = append(f.scenarios, s)
	}
	return out
}
