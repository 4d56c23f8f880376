package record

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// tick is a clock that goes on by a millisecond at each look.
func tick() Clock {
	var mu sync.Mutex
	n := int64(0)
	return func() Time {
		mu.Lock()
		defer mu.Unlock()
		n++
		return Time{Mono: n * 1e6, Wall: 1_700_000_000_000_000_000 + n*1e6}
	}
}

func open(t *testing.T) (*Recorder, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "out", "events.jsonl")
	rec, err := OpenAt(path, RunInfo{ID: "k3x9a2pq", Seed: 1<<63 + 1}, tick())
	if err != nil {
		t.Fatal(err)
	}
	return rec, path
}

func read(t *testing.T, path string) *Run {
	t.Helper()
	run, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

type verdictError struct{ error }

func (verdictError) Verdict() Verdict {
	return Verdict{Expected: `"v1"`, Got: "nothing", Tried: 10 * time.Second, Looks: 7, Harms: []string{"node2 is isolated"}}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	rec, path := open(t)
	sc := rec.Scenario(ScenarioInfo{URI: "a.feature", Line: 3, Name: "One node, cut off!", Tags: []string{"@etcd"}, Seed: 7,
		Steps: []StepInfo{{Text: "one"}, {Text: "two"}, {Text: "three"}}})
	st := sc.Step(StepInfo{Keyword: "When ", Text: "one", Line: 4})
	h := sc.Harm(HarmInfo{Kind: "isolate", Asked: "node2 is isolated", Targets: []string{"node2"}})
	sc.Choice("the leader", []string{"node2"}, "claims term 3")
	op := sc.Operation(Operation{Kind: "write", Node: "node1", Key: "k", Outcome: OutcomeOK, Start: 1, End: 5})
	st.End(Passed, nil)
	st = sc.Step(StepInfo{Keyword: "Then ", Text: "two", Line: 5})
	st.End(Failed, fmt.Errorf("wrapped: %w", verdictError{errors.New("it is not")}))
	h.End(HealedAtEnd, Receipt{})
	sc.Cleanup(Cleanup{Removed: []Removal{{"namespaces", 4}}})
	sc.End(Failed, errors.New("it is not"))
	sc.Step(StepInfo{Text: "three"}).End(Skipped, nil) // as godog has it
	rec.End(nil)
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}

	run := read(t, path)
	if run.Info.Seed != 1<<63+1 || run.Info.Machine.Kernel == "" || run.Info.Schema != Schema {
		t.Errorf("header: %+v", run.Info)
	}
	s := run.Scenarios[0]
	if s.ID != "k3x9a2pq-1" || s.Slug != "one-node-cut-off" || s.Status != Failed || s.Duration() <= 0 {
		t.Errorf("scenario: %+v", s.ScenarioInfo)
	}
	if len(s.Steps) != 3 || s.Steps[0].Status != Passed || s.Steps[1].Status != Failed || s.Steps[2].Status != Skipped || s.Steps[2].ID != "" {
		t.Errorf("steps: %+v", s.Steps)
	}
	if v := s.FailedStep().Verdict; v == nil || v.Tried != 10*time.Second || v.Got != "nothing" {
		t.Errorf("verdict: %+v", v)
	}
	if len(s.Harms) != 1 || !s.Harms[0].TouchedNothing || s.Harms[0].Step != "k3x9a2pq-1.1" || s.Harms[0].Why != HealedAtEnd {
		t.Errorf("harm: %+v", s.Harms)
	}
	if s.Choices[0].Step != "k3x9a2pq-1.1" || s.Operations[0].ID != op || op != "k3x9a2pq-1.o1" {
		t.Errorf("choice %+v, operation %+v", s.Choices, s.Operations)
	}
	if run.OK() || run.Result == nil || run.Truncated {
		t.Errorf("run: %+v", run)
	}
}

func TestACutOffRecordIsReadUpToTheCut(t *testing.T) {
	rec, path := open(t)
	sc := rec.Scenario(ScenarioInfo{Name: "killed"})
	sc.Step(StepInfo{Text: "node2 is isolated"})
	sc.Harm(HarmInfo{Kind: "isolate"})
	data, err := os.ReadFile(path) // not closed: what is read here was flushed
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(data), "\n"); n != 4 {
		t.Fatalf("%d events were flushed, want 4", n)
	}
	whole := len(data)
	for cut := whole; cut > strings.Index(string(data), "\n"); cut-- {
		run, err := Decode(strings.NewReader(string(data[:cut])))
		if err != nil {
			t.Fatalf("cut at %d of %d: %v", cut, whole, err)
		}
		if run.OK() {
			t.Fatalf("cut at %d: a run that was cut off is not OK", cut)
		}
		for _, s := range run.Scenarios {
			if s.Status != Unfinished {
				t.Fatalf("cut at %d: scenario is %s", cut, s.Status)
			}
		}
	}
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestSlugsAndArtifactsAreUniqueAndStayBelow(t *testing.T) {
	rec, _ := open(t)
	defer rec.Close()
	a, b := rec.Scenario(ScenarioInfo{Name: "Ö/../x"}), rec.Scenario(ScenarioInfo{Name: "ö x"})
	if a.Info().Slug != "x" || b.Info().Slug != "x-2" {
		t.Errorf("slugs %q, %q", a.Info().Slug, b.Info().Slug)
	}
	path, file := a.Artifact("../../etc/node1 etcd.log")
	if file != "artifacts/x/etc/node1 etcd.log" || path != filepath.Join(rec.Dir(), file) {
		t.Errorf("artifact %q at %q", file, path)
	}
	if _, again := a.Artifact("etc/node1 etcd.log"); again != "artifacts/x/etc/node1 etcd-2.log" {
		t.Errorf("second artifact %q", again)
	}
	if s := Slug(strings.Repeat("ab ", 99)); len(s) > 60 {
		t.Errorf("slug of %d characters", len(s))
	}
}

func TestEventsOfManyGoroutinesAreNumberedInOrderOfTime(t *testing.T) {
	rec, path := open(t)
	heard := 0
	rec.Listen(func(Event) { heard++ })
	var wg sync.WaitGroup
	for range 4 {
		sc := rec.Scenario(ScenarioInfo{Name: "many"})
		for range 4 {
			wg.Go(func() {
				for range 200 {
					sc.Operation(Operation{Kind: "read", Outcome: OutcomeOK})
				}
			})
		}
		wg.Go(func() { rec.AddSecret("hunter2hunter2") })
	}
	wg.Wait()
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	rec.Note("", "after the end nothing is written, and nothing breaks")
	run := read(t, path)
	if heard != 4+4*4*200 || run.Events != heard+1 {
		t.Errorf("heard %d, read %d", heard, run.Events)
	}
	ids := map[string]bool{}
	for _, s := range run.Scenarios {
		last := int64(0)
		for _, o := range s.Operations {
			if ids[o.ID] || o.Mono <= last {
				t.Fatalf("%s at %d after %d", o.ID, o.Mono, last)
			}
			ids[o.ID], last = true, o.Mono
		}
	}
}

func TestWriteErrorsAreKept(t *testing.T) {
	rec, _ := open(t)
	if err := rec.file.Close(); err != nil {
		t.Fatal(err)
	}
	rec.Scenario(ScenarioInfo{Name: "x"}).End(Passed, nil)
	if err := rec.Err(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("got %v", err)
	}
	if err := rec.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("close: %v", err)
	}
}

func TestFeaturesAreNamedRelativeToTheWorkingDirectoryAndKeptWithTheRecord(t *testing.T) {
	t.Chdir(t.TempDir())
	cwd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("a.feature", []byte("Feature: a"), 0o644); err != nil {
		t.Fatal(err)
	}
	rec, path := open(t)
	rec.Scenario(ScenarioInfo{URI: filepath.Join(cwd, "a.feature"), Name: "x"})
	rec.Scenario(ScenarioInfo{URI: "a.feature", Name: "y"})
	rec.Scenario(ScenarioInfo{URI: "/elsewhere/b.feature", Name: "z"})
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	run := read(t, path)
	if len(run.Sources) != 1 || run.Sources[0] != (Source{"a.feature", "Feature: a"}) {
		t.Errorf("sources: %+v", run.Sources)
	}
	if a, b, c := run.Scenarios[0].URI, run.Scenarios[1].URI, run.Scenarios[2].URI; a != "a.feature" || b != a || c != "/elsewhere/b.feature" {
		t.Errorf("uris: %q, %q, %q", a, b, c)
	}
}
