package steps

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cucumber/godog"
)

// What godog prints of a run: a remark beside a sentence instead of the place of a function, an error as one line, and
// no summary, whether it colours its words or not.
func TestTheConsoleTellsOfSentencesNotOfFunctions(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.feature")
	if err := os.WriteFile(file, []byte("Feature: F\n  Scenario: S\n    Given one\n    Then two\n    And three\n  Scenario Outline: O\n    Then <word>\n    Examples:\n      | word |\n      | two  |\n  Scenario Outline: P\n    Given one\n    Then <word>\n    Examples:\n      | word |\n      | four |\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	whole := errors.New("expected \"v2\", got \"v1\":\n  the second line\nhint: wait")
	for _, plain := range []bool{true, false} {
		var out bytes.Buffer
		godog.TestSuite{
			ScenarioInitializer: func(sc *godog.ScenarioContext) {
				sc.StepContext().Before(func(ctx context.Context, st *godog.Step) (context.Context, error) {
					switch st.Text {
					case "one":
						current.remarks.set(st.Id, "1.1 s; the leader: node2")
					case "four":
						current.remarks.set(st.Id, "3.3 s") // the last of a row, with which the outline is printed
					}
					return ctx, nil
				})
				sc.Step(`^one$`, func() error { return nil })
				sc.Step(`^two$`, func() error { return &told{whole, whole.Error()} })
				sc.Step(`^(?:three|four)$`, func() error { return nil })
			},
			Options: &godog.Options{Format: formatName, Paths: []string{file}, Output: &byLine{to: &out}, NoColors: plain, Strict: true},
		}.Run()
		text := out.String()
		for _, want := range []string{"# 1.1 s; the leader: node2", `expected "v2", got "v1"`} {
			if !strings.Contains(text, want) {
				t.Errorf("expected %q in\n%s", want, text)
			}
		}
		for _, not := range []string{".go:", "the second line", "hint: wait", "Failed steps", "steps (", "func ", "3.3 s"} {
			if strings.Contains(text, not) {
				t.Errorf("expected no %q in\n%s", not, text)
			}
		}
		if n := strings.Count(text, `got "v1"`); n != 2 {
			t.Errorf("expected each failure once, got it %d times for 2 in\n%s", n, text)
		}
	}
}

// Scenarios that run at once print one after the other, and beside the begin of the next feature: the race detector tells.
func TestScenariosThatRunAtOncePrintInTurn(t *testing.T) {
	var contents []godog.Feature
	for i := range 40 {
		text := fmt.Sprintf("Feature: F%d\n  Scenario: A%d\n    Given one\n  Scenario: B%d\n    Given two\n", i, i, i)
		contents = append(contents, godog.Feature{Name: fmt.Sprint(i, ".feature"), Contents: []byte(text)})
	}
	var out bytes.Buffer
	godog.TestSuite{
		ScenarioInitializer: func(sc *godog.ScenarioContext) {
			sc.Step(`^one$`, func() error { return nil })
			sc.Step(`^two$`, func() error { return errors.New("first line\nsecond line") })
		},
		Options: &godog.Options{Format: formatName, FeatureContents: contents, Output: &byLine{to: &out}, NoColors: true, Strict: true, Concurrency: 8},
	}.Run()
	for i := range 40 {
		for _, want := range []string{"Feature: F", "Scenario: A", "Scenario: B"} {
			if n := strings.Count(out.String(), fmt.Sprint(want, i, "\n")) + strings.Count(out.String(), fmt.Sprint(want, i, " ")); n != 1 {
				t.Errorf("expected %s%d once, got it %d times in\n%s", want, i, n, out.String())
			}
		}
	}
}

// A sentence that means nothing is told before the scenario begins, at its own line.
func TestARefusalTellsWhichSentence(t *testing.T) {
	p := &godog.Scenario{Name: "S"}
	for _, text := range []string{"a 3-node cluster running etcd", "node2 is isolatd", "I wait 1s:"} {
		p.Steps = append(p.Steps, &godog.Step{Text: text})
	}
	r := checkSentences(p)
	if r == nil || r.by[0] != nil || r.by[1] == nil {
		t.Fatalf("expected the second sentence to be refused, got %+v", r)
	}
	if want := "not begun: `node2 is isolatd`: no such sentence; did you mean `node2 is isolated`?"; r.first() != want {
		t.Errorf("got %q, want %q", r.first(), want)
	}
	p.Steps = p.Steps[:1]
	if r := checkSentences(p); r != nil {
		t.Errorf("expected no refusal, got %v", r)
	}
}

func TestByLinePassesWholeLines(t *testing.T) {
	var got []string
	w := &byLine{to: writes(func(p []byte) { got = append(got, string(p)) })}
	for _, c := range "one\ntwo\nrest" {
		_, _ = fmt.Fprint(w, string(c))
	}
	if text := strings.Join(got, ""); text != "one\ntwo\n" || len(got) > 14 {
		t.Errorf("got %q", got)
	}
}

type writes func([]byte)

func (f writes) Write(p []byte) (int, error) {
	if len(p) > 0 && !bytes.HasSuffix(p, []byte("\n")) {
		return 0, io.ErrShortWrite
	}
	f(p)
	return len(p), nil
}
