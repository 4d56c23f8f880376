package world

import (
	"errors"
	"testing"

	"brine.test/brine/world/record"
)

// A service that died long before a sentence fails of it is told of with that sentence, until it is started again.
func TestWhatFellBeforeIsToldWithWhatFailsOfIt(t *testing.T) {
	w, n := scene()
	etcd := &Service{Name: "etcd", node: n[1], fell: "node2: etcd exited 1 at 09:11:13.517"}
	n[1].services = []*Service{etcd}
	ended := func() []string {
		var judged record.Judged
		if !errors.As(w.Explain(errors.New("a write fails")), &judged) {
			t.Fatal("not judged")
		}
		return judged.Verdict().Ended
	}
	if got := ended(); len(got) != 1 || got[0] != "node2: etcd exited 1 at 09:11:13.517, and was not started again" {
		t.Errorf("got %q", got)
	}
	w.surprises = []string{etcd.fell}
	if got := ended(); len(got) != 1 || got[0] != etcd.fell {
		t.Errorf("in the sentence in which it fell: %q", got)
	}
	etcd.expectDown()
	if got := ended(); len(got) != 0 {
		t.Errorf("told to be down: %q", got)
	}
}
