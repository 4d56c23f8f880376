package history

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestLinearizableByHand(t *testing.T) {
	for name, c := range map[string]struct {
		h    History
		want string // in the error; "" passes
	}{
		"read after write":       {numbered(wrote(1, 1, 2, "a", "x"), readOf(2, 3, 4, "a", "x")), ""},
		"overlapping":            {numbered(wrote(1, 1, 5, "a", "x"), readOf(2, 2, 3, "a", ""), readOf(2, 4, 6, "a", "x")), ""},
		"touching ends overlap":  {numbered(wrote(1, 1, 5, "a", "x"), readOf(2, 5, 6, "a", "")), ""},
		"stale read":             {numbered(wrote(1, 1, 2, "a", "x"), wrote(1, 3, 4, "a", "y"), readOf(2, 5, 6, "a", "x")), `client 2 saw "x" after "y", which is newer`},
		"nothing after a write":  {numbered(wrote(1, 1, 2, "a", "x"), readOf(2, 5, 6, "a", "")), "saw nothing after"},
		"out of thin air":        {numbered(wrote(1, 1, 2, "a", "x"), readOf(2, 5, 6, "a", "z")), "nobody can have written"},
		"read before the write":  {numbered(readOf(2, 1, 2, "a", "x"), wrote(1, 3, 4, "a", "x")), "before it was written"},
		"other keys":             {numbered(wrote(1, 1, 2, "a", "x"), readOf(2, 5, 6, "b", "")), ""},
		"refused write was read": {numbered(as(wrote(1, 1, 2, "a", "x"), refused), readOf(2, 5, 6, "a", "x")), "had been refused"},
		"doubtful write much later": {numbered(as(wrote(1, 1, 2, "a", "x"), unknown), readOf(2, 5, 6, "a", ""),
			readOf(2, 50, 60, "a", "x")), ""},
		"doubtful write done and undone": {numbered(wrote(2, 1, 1, "a", "o"), as(wrote(1, 2, 3, "a", "x"), unknown), readOf(2, 5, 6, "a", "x"),
			readOf(3, 7, 8, "a", "o")), `saw "o" after "x"`},
		"cas twice from one value": {numbered(wrote(1, 1, 2, "a", "x"), swapped(1, 3, 4, "a", "x", "y"), swapped(2, 5, 6, "a", "x", "z")), "which is newer"},
		"cas at the same time":     {numbered(wrote(1, 1, 2, "a", "x"), swapped(1, 3, 6, "a", "x", "y"), swapped(2, 3, 6, "a", "x", "z")), "both replaced"},
		"a conflict with what was there": {numbered(wrote(1, 1, 2, "a", "x"), as(swapped(1, 3, 4, "a", "x", "y"), conflict),
			readOf(1, 5, 6, "a", "x")), "no order"},
		"a conflict with a doubtful write": {numbered(wrote(1, 1, 2, "a", "x"), as(wrote(2, 2, 3, "a", "u"), unknown), as(swapped(1, 3, 4, "a", "x", "y"), conflict),
			wrote(1, 5, 6, "a", "z"), readOf(1, 7, 8, "a", "z")), ""},
		"nothing was answered": {numbered(as(readOf(1, 1, 2, "a", ""), unknown)), "empty"},
		"nothing at all":       {nil, "empty"},
	} {
		t.Run(name, func(t *testing.T) {
			err := Linearizable(c.h, Limits{}).Err
			switch {
			case c.want == "" && err != nil:
				t.Errorf("got %v", err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestHistoriesOfACorrectRegisterAreLinearizable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := registers(t, 5, 12)
		if err := Linearizable(h, Limits{}).Err; err != nil && !errors.Is(err, ErrEmpty) {
			t.Fatal(err)
		}
		if err := MonotonicReads(h); err != nil && !errors.Is(err, ErrEmpty) {
			t.Fatal(err)
		}
		if err := Serializable(h, true, Limits{}); err != nil && !errors.Is(err, ErrEmpty) {
			t.Fatal(err)
		}
	})
}

// falsify makes one read older than it can be. It gives false where no read can be.
func falsify(t *rapid.T, h History) bool {
	type change struct{ read, older int }
	var can []change
	for r := range h {
		if h[r].Kind != Read || h[r].Outcome != OK {
			continue
		}
		for w := range h {
			if newer := &h[w]; !newer.changes() || newer.Key != h[r].Key || newer.Outcome != OK || newer.End >= h[r].Start {
				continue
			}
			for o := range h {
				if old := &h[o]; old.changes() && old.Key == h[r].Key && old.Outcome == OK && old.End < h[w].Start {
					can = append(can, change{r, o})
				}
			}
		}
	}
	if len(can) == 0 {
		return false
	}
	c := rapid.SampledFrom(can).Draw(t, "falsified")
	h[c.read].Found, h[c.read].Got = true, h[c.older].Value
	return true
}

func TestOneFalsifiedReadIsFound(t *testing.T) {
	found := 0
	rapid.Check(t, func(t *rapid.T) {
		h := registers(t, 4, 12)
		if !falsify(t, h) {
			t.Skip("no read can be falsified")
		}
		found++
		r := Linearizable(h, Limits{})
		if r.Violation == nil {
			t.Fatalf("passed: %v", r.Err)
		}
		if n := len(r.Violation.Proof); n > 6 {
			t.Errorf("the proof has %d operations:\n%v", n, r.Err)
		}
	})
	if found == 0 {
		t.Error("no history was falsified")
	}
}

// Splitting a history at reads that ran alone changes no verdict.
func TestChunksJudgeAsTheWhole(t *testing.T) {
	for _, wrong := range []int{-1, 1000, 4990} {
		var h History
		for i := range 5000 {
			at := int64(10 * i)
			o := wrote(i%5, at, at+4, "a", fmt.Sprint("v", i))
			if i%3 == 2 {
				o = readOf(i%5, at, at+12, "a", h[i-1].Value)
				o.End = at + 4
			}
			if i == wrong+(2-wrong%3) && wrong > 0 {
				o.Got = h[i-2].Value
			}
			h = append(h, o)
		}
		h = numbered(h...)
		began := time.Now()
		r := Linearizable(h, Limits{})
		if (r.Err != nil) != (wrong > 0) {
			t.Errorf("falsified at %d: %v", wrong, r.Err)
		}
		if r.Violation != nil && len(r.Violation.Proof) > 4 {
			t.Errorf("the proof has %d operations", len(r.Violation.Proof))
		}
		t.Logf("5000 operations in %s", time.Since(began))
	}
}

// A value from before the chunk in which it is read again has a writer, and the proof shows it.
func TestAProofReachesBackOverChunks(t *testing.T) {
	h := History{wrote(1, 1, 2, "a", "old")}
	for i := range 600 {
		at := int64(10 + 10*i)
		o := wrote(1, at, at+4, "a", fmt.Sprint("v", i))
		if i%2 == 1 {
			o = readOf(2, at, at+4, "a", fmt.Sprint("v", i-1))
		}
		h = append(h, o)
	}
	h = numbered(append(h, readOf(3, 9000, 9001, "a", "old"))...)
	r := Linearizable(h, Limits{})
	if r.Violation == nil || !strings.Contains(r.Violation.Text, `client 3 saw "old" after`) {
		t.Fatalf("got %v", r.Err)
	}
	if first := r.Violation.Proof[0]; first.Value != "old" {
		t.Errorf("the proof does not show who wrote it:\n%v", r.Err)
	}
}

func TestDrawing(t *testing.T) {
	h := numbered(wrote(1, 1e6, 2e6, "a", "x"), wrote(1, 3e6, 4e6, "a", "y"), readOf(2, 5e6, 6e6, "a", "x"))
	r := Linearizable(h, Limits{})
	path := filepath.Join(t.TempDir(), "drawing.html")
	if err := r.Drawing(path, []Span{{"node2 isolated", 2e6, 5e6}, {"later", 9e6, 10e6}}); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"node2 isolated", "the proof", `read of \"a\"`} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the drawing has no %q", want)
		}
	}
	if strings.Contains(string(page), `"later"`) {
		t.Error("the drawing shows a harm of another time")
	}
}
