package record

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestFollowGivesEachLineItsTimeAndHidesSecrets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.jsonl")
	rec, err := Open(path, RunInfo{})
	if err != nil {
		t.Fatal(err)
	}
	rec.AddSecret("hunter2hunter2")
	positions := make(chan Event, 1000)
	rec.Listen(func(e Event) {
		if e.Type == LogAdvanced {
			positions <- e
		}
	})
	sc := rec.Scenario(ScenarioInfo{Name: "follow"})
	source := filepath.Join(t.TempDir(), "stdout.log")
	stop := sc.Follow(source, LogFile{Service: "etcd", Node: "node1", Stream: "stdout"}) // before the file is there

	f, err := os.OpenFile(source, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		before := rec.Now()
		if _, err := fmt.Fprintf(f, "line %d hunter2hunter2\nhalf", i); err != nil {
			t.Fatal(err)
		}
		select {
		case e := <-positions:
			if late := e.Sub(before); late > 500*time.Millisecond {
				t.Errorf("line %d is %s late", i, late)
			}
			if want := int64((i+1)*len("line 0 ***\n") + i*len("half")); e.Position.Offset != want {
				t.Errorf("line %d at %d, want %d", i, e.Position.Offset, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("line %d: no position in 10 s", i)
		}
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	s := read(t, path).Scenarios[0]
	data, err := os.ReadFile(filepath.Join(rec.Dir(), s.Logs[0].File))
	if err != nil {
		t.Fatal(err)
	}
	if text := string(data); strings.Contains(text, "hunter2") || strings.Count(text, Mask) != 5 || !strings.HasSuffix(text, "\nhalf") {
		t.Errorf("the artifact is %q", text)
	}
	if all := s.Positions[s.Logs[0].File]; all[len(all)-1].Offset != int64(len(data)) {
		t.Errorf("last position %+v of %d bytes", all[len(all)-1], len(data))
	}
}

func TestFollowAfterARestartThatEmptiedTheFile(t *testing.T) {
	rec, _ := open(t)
	sc := rec.Scenario(ScenarioInfo{Name: "follow"})
	source := filepath.Join(t.TempDir(), "stdout.log")
	write := func(text string) {
		if err := os.WriteFile(source, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("the first life of it\n")
	stop := sc.Follow(source, LogFile{Service: "x", Node: "node1", Stream: "stdout"})
	write("the second\n")
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(rec.Dir(), "artifacts/follow/logs/node1-x.stdout.log"))
	if err != nil || string(data) != "the first life of it\nthe second\n" {
		t.Errorf("%q, %v", data, err)
	}
}

func TestFollowOfALogThatNeverWas(t *testing.T) {
	rec, _ := open(t)
	sc := rec.Scenario(ScenarioInfo{Name: "follow"})
	stop := sc.Follow(filepath.Join(t.TempDir(), "no folder", "no.log"), LogFile{Service: "x", Node: "node1", Stream: "stdout"})
	if err := stop(); err != nil {
		t.Error(err)
	}
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
}
