package reports

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brine.test/brine/world/record"
)

// outcome is a scenario of a made-up run: how long it takes, and whether it passes.
type outcome struct {
	name string
	took time.Duration
	ok   bool
}

func playOutcomes(t *testing.T, dir, id, uri string, all ...outcome) {
	t.Helper()
	now := time.Duration(0)
	rec, err := record.OpenAt(filepath.Join(dir, "events.jsonl"), record.RunInfo{ID: id, Shard: "shard of " + uri}, func() record.Time {
		return record.Time{Mono: int64(len(id)) + int64(now), Wall: 1_700_000_000_000_000_000 + int64(now)}
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range all {
		sc := rec.Scenario(record.ScenarioInfo{URI: uri, Name: o.name})
		path, file := sc.Artifact("x.log")
		if err := os.WriteFile(path, []byte("hello from "+o.name+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		sc.Log(record.LogFile{Node: "node1", Service: "x", Stream: "stdout", File: file})
		now += o.took
		if o.ok {
			sc.End(record.Passed, nil)
		} else {
			sc.End(record.Failed, errors.New(o.name+" broke"))
		}
	}
	rec.End(nil)
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestCombineMergesShardsAndTellsWhatChanged(t *testing.T) {
	dir := t.TempDir()
	sub := func(name string) string { return filepath.Join(dir, name) }
	playOutcomes(t, sub("before"), "aaaaaaaa", "a.feature",
		outcome{"stays", time.Second, true}, outcome{"breaks", time.Second, true}, outcome{"mends", time.Second, false},
		outcome{"slows", 2 * time.Second, true}, outcome{"speeds", 9 * time.Second, true}, outcome{"goes", time.Second, true},
		outcome{"row", time.Second, true}, outcome{"row", time.Second, false})
	playOutcomes(t, sub("one"), "bbbbbbbb", "a.feature",
		outcome{"stays", 1400 * time.Millisecond, true}, outcome{"breaks", time.Second, false}, outcome{"mends", time.Second, true},
		outcome{"slows", 4 * time.Second, true}, outcome{"speeds", time.Second, true}, outcome{"row", time.Second, true}, outcome{"row", time.Second, false})
	playOutcomes(t, sub("two"), "cccccccc", "b.feature", outcome{"comes", time.Second, true})

	var said bytes.Buffer
	ok, err := Combine(&said, sub("merged"), []string{sub("before")}, sub("one"), sub("two"))
	if err != nil || ok {
		t.Fatalf("%v, %v", ok, err)
	}
	if want := "Since run aaaaaaaa: 1 newly failing, 1 fixed, 1 slower, 1 faster, 1 new, 1 gone\n"; !strings.HasPrefix(said.String(), want) {
		t.Errorf("got %q", said.String())
	}
	for _, want := range []string{"  newly failing  breaks: breaks broke\n", "  fixed          mends: before: mends broke\n", "  slower         slows: 2 s, now 4 s\n", "  gone           goes\n"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("expected %q in\n%s", want, said.String())
		}
	}
	if want := "6 scenarios passed, 2 failed · "; !strings.Contains(said.String(), want) {
		t.Errorf("got %q", said.String())
	}
	data, err := os.ReadFile(filepath.Join(sub("merged"), "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"hello from comes", "hello from slows", `"../one/artifacts/stays/x.log"`, `"../two/events.jsonl"`, `"change":"newly failing"`, "shard of b.feature"} {
		if !bytes.Contains(data, []byte(want)) {
			t.Errorf("the page does not hold %q", want)
		}
	}
	if strings.Contains(said.String(), "artifacts:") {
		t.Errorf("artifacts stay where they are, and are told of elsewhere: %q", said.String())
	}
	said.Reset()
	if ok, err := Combine(&said, sub("merged"), []string{sub("one"), sub("two")}, sub("before")); err != nil || ok || !strings.HasPrefix(said.String(), "Since run bbbbbbbb") || !strings.Contains(said.String(), "1 new, 1 gone\n") {
		t.Errorf("against two shards: %v, %v, %q", ok, err, said.String())
	}
	if _, err := Combine(&said, sub("merged"), nil, sub("nowhere")); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("a folder that is not there: %v", err)
	}
	if _, err := Combine(&said, sub("merged"), nil); err == nil || !strings.Contains(err.Error(), "hint:") {
		t.Errorf("no folder: %v", err)
	}
}
