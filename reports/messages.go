package reports

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	messages "github.com/cucumber/messages/go/v21"

	"brine.test/brine/world/record"
)

// ndjson is the run as Cucumber Messages, one envelope a line (https://github.com/cucumber/messages). The features' text
// comes from the record; a scenario whose text is not in it gets a document made of its own sentences.
func ndjson(run *record.Run) ([]byte, error) {
	m := &stream{run: run}
	m.enc = json.NewEncoder(&m.buf)
	m.meta()
	features := byFeature(run)
	cases := map[*record.ScenarioRun]*messages.Pickle{}
	for _, f := range features {
		for s, p := range m.document(f) {
			cases[s] = p
		}
	}
	definition := m.id()
	m.put(&messages.Envelope{StepDefinition: &messages.StepDefinition{
		Id: definition, Pattern: &messages.StepDefinitionPattern{Source: "^.*$", Type: messages.StepDefinitionPatternType_REGULAR_EXPRESSION},
		SourceReference: &messages.SourceReference{Uri: "steps"},
	}})
	teardown := m.id()
	m.put(&messages.Envelope{Hook: &messages.Hook{Id: teardown, Name: "teardown", SourceReference: &messages.SourceReference{Uri: "world"}}})
	m.put(&messages.Envelope{TestRunStarted: &messages.TestRunStarted{Timestamp: moment(run.Begin)}})
	for _, s := range run.Scenarios {
		m.scenario(s, cases[s], definition, teardown)
	}
	m.put(&messages.Envelope{TestRunFinished: &messages.TestRunFinished{Success: run.OK(), Timestamp: moment(run.End), Message: closing(run)}})
	return m.buf.Bytes(), m.err
}

type stream struct {
	run  *record.Run
	buf  bytes.Buffer
	enc  *json.Encoder
	next int
	err  error
}

func (m *stream) put(e *messages.Envelope) {
	if err := m.enc.Encode(e); err != nil && m.err == nil {
		m.err = err
	}
}

func (m *stream) id() string {
	m.next++
	return strconv.Itoa(m.next)
}

func (m *stream) meta() {
	mc := m.run.Info.Machine
	version := "dev"
	for _, v := range m.run.Info.Versions {
		if v.Name == "brine" {
			version = v.Version
		}
	}
	m.put(&messages.Envelope{Meta: &messages.Meta{
		ProtocolVersion: "21.0.1",
		Implementation:  &messages.Product{Name: "brine", Version: version},
		Runtime:         &messages.Product{Name: "go", Version: strings.TrimPrefix(mc.Go, "go")},
		Os:              &messages.Product{Name: "linux", Version: mc.Kernel},
		Cpu:             &messages.Product{Name: mc.Arch},
	}})
}

// scenario writes a test case with its one attempt. What failed outside of the sentences is a failed hook.
func (m *stream) scenario(s *record.ScenarioRun, p *messages.Pickle, definition, teardown string) {
	tc := &messages.TestCase{Id: m.id(), PickleId: p.Id}
	for i, ps := range p.Steps {
		ts := &messages.TestStep{Id: m.id(), PickleStepId: ps.Id}
		if i >= len(s.Steps) || s.Steps[i].Status != record.Undefined {
			ts.StepDefinitionIds = []string{definition}
			ts.StepMatchArgumentsLists = []*messages.StepMatchArgumentsList{{StepMatchArguments: []*messages.StepMatchArgument{}}}
		}
		tc.TestSteps = append(tc.TestSteps, ts)
	}
	t := explain(s)
	outside := t != nil && t.Step == nil
	if outside {
		tc.TestSteps = append(tc.TestSteps, &messages.TestStep{Id: m.id(), HookId: teardown})
	}
	m.put(&messages.Envelope{TestCase: tc})
	started := m.id()
	m.put(&messages.Envelope{TestCaseStarted: &messages.TestCaseStarted{Id: started, TestCaseId: tc.Id, Timestamp: moment(s.Begin)}})
	at := s.Begin
	for i, ts := range tc.TestSteps {
		st := &record.StepRun{Result: record.Result{Status: record.Skipped}}
		switch {
		case ts.HookId != "":
			st.Begin, st.End, st.Result = s.End, s.End, record.Result{Status: record.Failed, Error: strings.Join(t.lines(), "\n")}
		case i < len(s.Steps):
			st = s.Steps[i]
		}
		if st.Begin.IsZero() {
			st = &record.StepRun{StepInfo: st.StepInfo, Result: st.Result, Begin: at, End: at}
		}
		at = st.End
		m.put(&messages.Envelope{TestStepStarted: &messages.TestStepStarted{TestCaseStartedId: started, TestStepId: ts.Id, Timestamp: moment(st.Begin)}})
		m.attachments(s, st, started, ts.Id)
		m.put(&messages.Envelope{TestStepFinished: &messages.TestStepFinished{TestCaseStartedId: started, TestStepId: ts.Id, Timestamp: moment(st.End), TestStepResult: stepResult(st)}})
	}
	m.put(&messages.Envelope{TestCaseFinished: &messages.TestCaseFinished{TestCaseStartedId: started, Timestamp: moment(s.End)}})
}

// attachments of a step: what selectors stood for and what harms touched, as log lines, and the evidence.
func (m *stream) attachments(s *record.ScenarioRun, st *record.StepRun, started, step string) {
	if st.ID == "" {
		return
	}
	attach := func(name, media, body string, encoding messages.AttachmentContentEncoding) {
		m.put(&messages.Envelope{Attachment: &messages.Attachment{Body: body, ContentEncoding: encoding, MediaType: media, FileName: name, TestCaseStartedId: started, TestStepId: step}})
	}
	for _, line := range remarks(s, st) {
		attach("", "text/x.cucumber.log+plain", plain(line), messages.AttachmentContentEncoding_IDENTITY)
	}
	for _, a := range s.Attachments {
		switch data := inline(a.Attachment); {
		case a.Step != st.ID || data == nil:
		case a.Text != "":
			attach(a.Name, mediaType(a.Attachment), a.Text, messages.AttachmentContentEncoding_IDENTITY)
		default:
			attach(a.Name, mediaType(a.Attachment), base64.StdEncoding.EncodeToString(data), messages.AttachmentContentEncoding_BASE64)
		}
	}
}

// remarks are what a step's selectors stood for, and what its harms touched.
func remarks(s *record.ScenarioRun, st *record.StepRun) []string {
	var out []string
	for _, ch := range s.Choices {
		if ch.Step == st.ID {
			out = append(out, ch.Selector+": "+list(ch.Stood))
		}
	}
	for _, h := range s.Harms {
		if h.Step == st.ID {
			out = append(out, asked(h)+": "+receipt(h))
		}
	}
	return out
}

func stepResult(st *record.StepRun) *messages.TestStepResult {
	d := messages.GoDurationToDuration(max(st.Duration(), 0))
	r := &messages.TestStepResult{Duration: &d, Message: plain(st.Error)}
	switch st.Status {
	case record.Passed:
		r.Status = messages.TestStepResultStatus_PASSED
	case record.Skipped:
		r.Status = messages.TestStepResultStatus_SKIPPED
	case record.Pending:
		r.Status = messages.TestStepResultStatus_PENDING
	case record.Undefined:
		r.Status = messages.TestStepResultStatus_UNDEFINED
	default:
		r.Status = messages.TestStepResultStatus_FAILED
		r.Exception = &messages.Exception{Type: "Error", Message: plain(firstLine(st.Error))}
	}
	return r
}

func moment(t record.Time) *messages.Timestamp {
	ts := messages.GoTimeToTimestamp(time.Unix(0, t.Wall))
	return &ts
}

// composed is a feature made of the record's sentences, for a run whose features' text is not in the record.
func composed(name string, scenarios []*record.ScenarioRun) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Feature: %s\n", flat(name))
	for _, s := range scenarios {
		fmt.Fprintf(&b, "\n  Scenario: %s\n", flat(s.Name))
		for _, st := range s.Steps {
			keyword := strings.TrimSpace(st.Keyword)
			if keyword == "" {
				keyword = "*"
			}
			fmt.Fprintf(&b, "    %s %s\n", keyword, flat(st.Text))
			for _, row := range st.Table {
				b.WriteString("      |")
				for _, cell := range row {
					b.WriteString(" " + strings.NewReplacer(`\`, `\\`, "|", `\|`, "\n", `\n`).Replace(cell) + " |")
				}
				b.WriteByte('\n')
			}
			if st.DocString != nil {
				b.WriteString("      \"\"\"\n      " + strings.ReplaceAll(strings.ReplaceAll(st.DocString.Content, `"""`, `\"\"\"`), "\n", "\n      ") + "\n      \"\"\"\n")
			}
		}
	}
	return b.String()
}

func flat(s string) string { return strings.Join(strings.Fields(plain(s)), " ") }
