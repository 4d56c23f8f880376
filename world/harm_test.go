package world

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"brine.test/brine/world/record"
)

// A harm that heals by itself while a sentence asks what is on: neither waits
// for the other for ever.
func TestAHarmHealsWhileHarmsAreLookedAt(t *testing.T) {
	w := &World{}
	healing, looking := make(chan struct{}), make(chan struct{})
	first := &active{w: w}
	second := &active{w: w, undo: func(context.Context) error {
		close(healing)
		<-looking
		w.allNodes() // as the writing of a receipt asks for names
		return context.Canceled
	}}
	w.harms = []*active{first, second}
	healed, looked := make(chan error, 1), make(chan int, 1)
	go func() { healed <- second.Heal(context.Background()) }()
	go func() {
		looked <- len(w.active(func(a *active) bool {
			if a == first {
				<-healing
				close(looking)
			}
			return true
		}))
	}()
	late := time.After(10 * time.Second)
	select {
	case err := <-healed:
		if err == nil {
			t.Error("expected the error of the undo")
		}
	case <-late:
		t.Fatal("healing waits for the look, and the look for the healing")
	}
	select {
	case n := <-looked:
		if n != 2 {
			t.Errorf("expected 2 harms that are on, got %d", n)
		}
	case <-late:
		t.Fatal("the look waits")
	}
}

// What was refused while nodes were being killed was not refused before that.
func TestWhatIsBeforeAHarmIsBeforeItsSentence(t *testing.T) {
	rec, err := record.Open(filepath.Join(t.TempDir(), "events.jsonl"), record.RunInfo{ID: "testrun1"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rec.Close() }()
	w := &World{suite: &Suite{rec: rec}, rec: rec.Scenario(record.ScenarioInfo{Name: "s"})}
	ctx, done := w.Sentence(t.Context(), "all nodes are killed")
	defer done()
	said := rec.Now().Mono + int64(time.Millisecond) // mono is computed of two clocks
	time.Sleep(10 * time.Millisecond)                // as long as it takes to kill them
	if err := w.begin(ctx, &active{id: "x", kind: kindKill, undo: func(context.Context) error { return nil }}, Length{}); err != nil {
		t.Fatal(err)
	}
	got, err := w.window(ctx, Bound{Kind: Before, While: "all nodes were killed"})
	if err != nil || got.End > said {
		t.Errorf("ends at %d, %v; the sentence began before %d", got.End, err, said)
	}
}
