package record

import (
	"path/filepath"
	"testing"
)

func shard(t *testing.T, id, uri string, leftovers []string, end bool) *Run {
	t.Helper()
	path := filepath.Join(t.TempDir(), "events.jsonl")
	rec, err := OpenAt(path, RunInfo{ID: id, Shard: "shard " + id}, tick())
	if err != nil {
		t.Fatal(err)
	}
	rec.Scenario(ScenarioInfo{URI: uri, Line: 3, Name: "one"}).End(Passed, nil)
	if end {
		rec.End(leftovers)
	}
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	return read(t, path)
}

func TestMerge(t *testing.T) {
	a, b := shard(t, "aaaaaaaa", "b.feature", nil, true), shard(t, "bbbbbbbb", "a.feature", []string{"veth"}, true)
	run := Merge(a, b, a)
	if len(run.Shards) != 2 || len(run.Scenarios) != 2 || run.OK() || len(run.Result.Leftovers) != 1 {
		t.Errorf("%+v", run)
	}
	if s := run.Scenarios[0]; s.ID != "bbbbbbbb-1" || s.Dir != b.Dir || s.Shard != "shard bbbbbbbb" {
		t.Errorf("%+v", s)
	}
	if run.End.Sub(run.Begin) <= 0 {
		t.Errorf("from %v to %v", run.Begin, run.End)
	}
	if Merge(a) != a || !a.OK() {
		t.Error("a single run was changed")
	}
	if run := Merge(a, shard(t, "cccccccc", "c.feature", nil, false)); run.Result != nil || run.OK() {
		t.Error("a killed shard is not seen")
	}
}
