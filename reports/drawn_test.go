package reports

import (
	"encoding/json"
	"errors"
	"os"
	"testing"
	"time"

	"brine.test/brine/world/record"
)

// drawnRun is a run with a history that is not linearizable, whose operations are among the artifacts.
func drawnRun(t *testing.T, dir string) *record.Run {
	t.Helper()
	p := newPlay(t, dir)
	sc := p.rec.Scenario(record.ScenarioInfo{URI: uri, Line: 20, Feature: "Histories", Name: "A history that is not linearizable", Steps: []record.StepInfo{
		{Keyword: "Given ", Text: "a 3-node cluster running etcd"}, {Keyword: "When ", Text: "node2 is isolated"}, {Keyword: "Then ", Text: "the history is linearizable"},
	}})
	p.step(sc, 0, func() { p.cluster(sc) })
	var h *record.Harm
	p.step(sc, 1, func() { h = p.isolate(sc, "node2") })
	path, file := sc.Artifact("history.jsonl")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	enc := json.NewEncoder(f)
	var shown []record.Drawn
	begun := p.now
	for i := range 200 {
		p.wait(5 * time.Millisecond)
		end := p.rec.Now().Mono
		outcome := record.OutcomeOK
		if i%10 == 9 {
			outcome = record.OutcomeFailed
		}
		if err := enc.Encode(map[string]any{"n": i + 1, "client": i % 6, "start": end - int64(2*time.Millisecond), "end": end, "outcome": outcome, "kind": "read"}); err != nil {
			t.Fatal(err)
		}
		if i < 24 {
			o := record.Drawn{Who: []string{"client 1 on node1", "client 2 on node2", "client 10 on node3"}[i%3], Text: `read of "w1-r1" → "1.2"`, Start: end - int64(8*time.Millisecond), End: end, Place: max(0, 12-i)}
			if i == 5 {
				o.End, o.Text = 0, `write of "`+hostile+`" to "w1-r1" → unknown`
			}
			o.Proof = i > 3 && i < 8
			shown = append(shown, o)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for _, outcome := range []string{"ok", "failed"} {
		sc.Sample(record.Sample{Series: "registers: operations", Subject: outcome, Unit: "per second", Value: 9})
	}
	for i := range 4 {
		p.wait(time.Second)
		sc.Sample(record.Sample{Series: "HTTP requests", Subject: "node1", Unit: "per second", Value: 10})
		sc.Sample(record.Sample{Series: "HTTP errors", Subject: "node1", Unit: "per second", Value: float64(i)})
		sc.Sample(record.Sample{Series: "p99 latency of HTTP", Subject: "node1", Unit: "ms", Value: 12})
	}
	h.End(record.HealedBySentence, p.touched(77, p.now-begun))
	p.wait(10 * time.Millisecond)
	st := sc.Step(sc.Info().Steps[2])
	broken := errors.New("not linearizable: \"w1-r1\": no order of these operations gives what they returned\n  +0.1s  the proof")
	sc.Check(record.Check{Kind: "history", Name: "the history is linearizable", Detail: broken.Error(), Drawn: shown})
	sc.Attach(record.Attachment{Name: "history of 200 operations", MediaType: "application/jsonl", File: file})
	p.wait(20 * time.Millisecond)
	st.End(record.Failed, broken)
	sc.Cleanup(record.Cleanup{Removed: []record.Removal{{What: "containers", N: 3}, {What: "links", N: 1}, {What: "clients of workloads", N: 1}}, Looked: []string{"containers", "cgroups"}})
	sc.End(record.Failed, broken)
	return p.finish()
}

// The operations of a workload are in its history, not in the record: series are made of it, and what was only counted
// is left out. What belongs together is one series.
func TestSeriesComeFromTheHistory(t *testing.T) {
	dir := t.TempDir()
	run := drawnRun(t, dir)
	d := newDetail(dir, run, run.Scenarios[0], newLogBudget(run))
	if d.Series == nil || d.Series.Total != 166 { // client 0 is the workload itself
		t.Fatalf("series: %+v", d.Series)
	}
	ok, failed, latency := 0, 0, int64(0)
	for i := range d.Series.OK {
		ok, failed, latency = ok+d.Series.OK[i], failed+d.Series.Failed[i], max(latency, d.Series.P99[i])
	}
	if ok != 146 || failed != 20 || latency != 2000 {
		t.Errorf("ok %d, failed %d, p99 %d µs", ok, failed, latency)
	}
	if len(d.Samples) != 2 || d.Samples[0].Name != "HTTP · node1" || len(d.Samples[0].Bad) != 4 || d.Samples[1].Name != "HTTP p99 · node1" {
		t.Errorf("samples: %+v", d.Samples)
	}
	if d.Removed != "3 containers, 1 link and clients of workloads" || d.Looked != "containers and cgroups" {
		t.Errorf("removed %q, looked for %q", d.Removed, d.Looked)
	}
	story := explain(run.Scenarios[0])
	if len(story.Before) != 1 || story.Before[0] != "node2 is isolated (over for 30 ms; dropped 77 packets (6.8 KiB))" {
		t.Errorf("before: %q", story.Before)
	}
	if got := touched(run); got != "1 harm in 1 of 1 scenario: dropped 77 packets (6.8 KiB)" {
		t.Errorf("touched: %q", got)
	}
}
