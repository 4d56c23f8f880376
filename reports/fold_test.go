package reports

import (
	"testing"
	"time"
)

func TestLooksThatFoundTheSameAreOne(t *testing.T) {
	look := func(at int64, step, again string) evidence {
		return evidence{Step: step, At: at * 1e6, Kind: "operation", Title: again + ", 1 ms", again: again, took: time.Duration(at) * time.Millisecond}
	}
	all := []evidence{look(1, "a", "read → nothing"), look(2, "a", "read → nothing")}
	for i := range int64(20) {
		all = append(all, look(3+i, "a", "read → v1"))
	}
	all = append(all, look(30, "a", "read → v2"), look(31, "b", "read → v2"), evidence{Kind: "note", Title: "x"}, evidence{Kind: "note", Title: "x"}, evidence{Kind: "note", Title: "x"})
	got := fold(all)
	if len(got) != 2+1+2+3 {
		t.Fatalf("%d pieces: %+v", len(got), got)
	}
	if want := "read → v1, 20 times from +3.000 to +22.000 s, 3 ms to 22 ms each"; got[2].Title != want || got[2].At != 3e6 {
		t.Errorf("got %q at %d", got[2].Title, got[2].At)
	}
}
