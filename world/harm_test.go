package world

import (
	"context"
	"testing"
	"time"
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
