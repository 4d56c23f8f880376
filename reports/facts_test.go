package reports

import (
	"bufio"
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	messages "github.com/cucumber/messages/go/v21"

	"brine.test/brine/world/record"
)

// told is what a format must tell of a scenario: the same in all of them.
type told struct {
	name, feature string
	steps         []string // "passed Given a 3-node cluster running etcd"
	why           string   // first line of the failure
	harms         []string
}

func TestOneRunTellsTheSameFactsInAllFormats(t *testing.T) {
	dir := t.TempDir()
	run := everything(t, dir)
	if err := Write(dir, run); err != nil {
		t.Fatal(err)
	}
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	want := fromRecord(run)
	for name, got := range map[string][]told{
		"cucumber.json":   fromCucumber(t, read("cucumber.json")),
		"messages.ndjson": fromMessages(t, read("messages.ndjson")),
		"report.html":     fromPage(t, read("report.html")),
		"junit.xml":       fromJUnit(t, read("junit.xml")),
	} {
		if len(got) != len(want) {
			t.Errorf("%s: %d scenarios, want %d", name, len(got), len(want))
			continue
		}
		for i := range want {
			if a, b := fmt.Sprintf("%+v", got[i]), fmt.Sprintf("%+v", want[i]); a != b {
				t.Errorf("%s tells\n%s\nthe record tells\n%s", name, a, b)
			}
		}
	}
	for _, s := range run.Scenarios {
		for _, ch := range s.Choices {
			for _, name := range []string{"cucumber.json", "messages.ndjson", "junit.xml"} {
				if !bytes.Contains(read(name), []byte(ch.Selector+": "+list(ch.Stood))) {
					t.Errorf("%s does not tell whom %q meant", name, ch.Selector)
				}
			}
		}
	}
	var suites junitSuites
	if err := xml.Unmarshal(read("junit.xml"), &suites); err != nil {
		t.Fatal(err)
	}
	n := run.Count()
	if suites.Tests != len(run.Scenarios) || suites.Failures+suites.Errors != len(troubled(run)) || suites.Skipped != n[record.Skipped] {
		t.Errorf("junit.xml counts %d, %d failed, %d in error, %d skipped; the record has %v", suites.Tests, suites.Failures, suites.Errors, suites.Skipped, n)
	}
	var console bytes.Buffer
	Closing(&console, dir, run)
	for _, text := range []string{console.String(), summary(run, Options{})} {
		if !strings.Contains(text, closing(run)) || !strings.Contains(text, touched(run)) {
			t.Errorf("expected %q and %q in\n%s", closing(run), touched(run), text)
		}
	}
	for name, text := range map[string]string{"console": console.String(), "summary": summary(run, Options{})} {
		for _, s := range troubled(run) {
			e := explain(s)
			for _, fact := range append(e.Harms, e.lead(), e.Expected, e.Got, e.Hint, s.Name) {
				if !strings.Contains(text, fact) && !strings.Contains(text, markdown(fact)) {
					t.Errorf("%s does not tell %q of %q", name, fact, s.Name)
				}
			}
		}
	}
}

func fromRecord(run *record.Run) []told {
	var out []told
	for _, s := range run.Scenarios {
		w := told{name: s.Name, feature: s.Feature}
		for _, st := range s.Steps {
			w.steps = append(w.steps, string(st.Status)+" "+st.Keyword+st.Text)
		}
		if e := explain(s); e != nil {
			w.why = e.Headline
		}
		for _, h := range s.Harms {
			w.harms = append(w.harms, asked(h)+": "+receipt(h))
		}
		out = append(out, w)
	}
	return out
}

// whyOf words a failure as explain does: a format that has only the status of an undefined step tells no more.
func whyOf(status, text string) string {
	if status == string(record.Undefined) {
		return headline(&record.ScenarioRun{}, nil, record.Result{Status: record.Undefined})
	}
	return firstLine(text)
}

func fromCucumber(t *testing.T, data []byte) []told {
	t.Helper()
	var all []cukeFeature
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	var out []told
	for _, f := range all {
		for _, e := range f.Elements {
			w := told{name: e.Name, feature: f.Name}
			for _, st := range e.Steps {
				if st.Keyword != "After" {
					w.steps = append(w.steps, st.Result.Status+" "+st.Keyword+st.Name)
				}
				if st.Result.Status == "failed" || st.Result.Status == "undefined" {
					w.why = whyOf(st.Result.Status, st.Result.Error)
				}
				w.harms = append(w.harms, onlyHarms(st.Output)...)
			}
			out = append(out, w)
		}
	}
	return out
}

// onlyHarms leaves out what selectors stood for.
func onlyHarms(lines []string) []string {
	var out []string
	for _, l := range lines {
		if !strings.HasPrefix(l, "the leader: ") {
			out = append(out, l)
		}
	}
	return out
}

func fromMessages(t *testing.T, data []byte) []told {
	t.Helper()
	pickles, cases, started := map[string]*messages.Pickle{}, map[string]*messages.TestCase{}, map[string]*told{}
	byCase, keywords, feature := map[string]string{}, map[string]string{}, ""
	features := map[string]string{}
	var order []*told
	for sc := bufio.NewScanner(bytes.NewReader(data)); sc.Scan(); {
		var e messages.Envelope
		if err := json.Unmarshal(sc.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		switch {
		case e.GherkinDocument != nil:
			feature = e.GherkinDocument.Feature.Name
			features[e.GherkinDocument.Uri] = feature
			for _, c := range e.GherkinDocument.Feature.Children {
				for _, st := range c.Scenario.Steps {
					keywords[st.Id] = st.Keyword
				}
			}
		case e.Pickle != nil:
			pickles[e.Pickle.Id] = e.Pickle
		case e.TestCase != nil:
			cases[e.TestCase.Id] = e.TestCase
		case e.TestCaseStarted != nil:
			p := pickles[cases[e.TestCaseStarted.TestCaseId].PickleId]
			w := &told{name: p.Name, feature: features[p.Uri]}
			started[e.TestCaseStarted.Id], byCase[e.TestCaseStarted.Id] = w, e.TestCaseStarted.TestCaseId
			order = append(order, w)
		case e.Attachment != nil && e.Attachment.MediaType == "text/x.cucumber.log+plain":
			w := started[e.Attachment.TestCaseStartedId]
			w.harms = append(w.harms, onlyHarms([]string{e.Attachment.Body})...)
		case e.TestStepFinished != nil:
			f := e.TestStepFinished
			w, tc := started[f.TestCaseStartedId], cases[byCase[f.TestCaseStartedId]]
			status := strings.ToLower(string(f.TestStepResult.Status))
			if status == "failed" || status == "undefined" {
				w.why = whyOf(status, f.TestStepResult.Message)
			}
			for _, ts := range tc.TestSteps {
				if ts.Id != f.TestStepId || ts.PickleStepId == "" {
					continue
				}
				for _, ps := range pickles[tc.PickleId].Steps {
					if ps.Id == ts.PickleStepId {
						w.steps = append(w.steps, status+" "+keywords[ps.AstNodeIds[0]]+ps.Text)
					}
				}
			}
		}
	}
	var out []told
	for _, w := range order {
		out = append(out, *w)
	}
	return out
}

var blob = regexp.MustCompile(`<script type="application/json" id="([^"]+)">(.*?)</script>`)

func fromPage(t *testing.T, data []byte) []told {
	t.Helper()
	var p page
	details := map[string]detail{}
	for _, m := range blob.FindAllSubmatch(data, -1) {
		var err error
		if id := string(m[1]); id == "head" {
			err = json.Unmarshal(m[2], &p)
		} else {
			var d detail
			err = json.Unmarshal(m[2], &d)
			details[strings.TrimPrefix(id, "d-")] = d
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var out []told
	for _, e := range p.Scenarios {
		w := told{name: e.Name, feature: e.Feature}
		d := details[e.ID]
		for _, st := range d.Steps {
			w.steps = append(w.steps, string(st.Status)+" "+st.Keyword+st.Text)
		}
		if e.Story != nil {
			w.why = e.Story.Headline
		}
		for _, h := range d.Harms {
			w.harms = append(w.harms, h.Asked+": "+h.Receipt)
		}
		out = append(out, w)
	}
	return out
}

func fromJUnit(t *testing.T, data []byte) []told {
	t.Helper()
	var all junitSuites
	if err := xml.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	var out []told
	for _, suite := range all.Suites {
		for _, c := range suite.Cases {
			w := told{name: c.Name, feature: c.Class}
			for line := range strings.Lines(c.Out) {
				status, rest, _ := strings.Cut(strings.TrimRight(line, "\n"), " ")
				rest = strings.TrimLeft(rest, " ")
				switch {
				case status == "harm":
					w.harms = append(w.harms, rest)
				case status != "":
					w.steps = append(w.steps, status+" "+rest[:strings.LastIndex(rest, " (")])
				}
			}
			if c.Failure != nil {
				w.why = c.Failure.Message
			}
			if c.Error != nil {
				w.why = c.Error.Message
			}
			out = append(out, w)
		}
	}
	return out
}
