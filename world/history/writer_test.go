package history

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

func TestNothingIsLost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "history.jsonl")
	w, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	const clients, each = 8, 5000
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			for i := range each {
				w.Add(wrote(c+1, int64(i), int64(i+1), "k", fmt.Sprintf("%d.%d", c+1, i)))
			}
		})
	}
	wg.Wait()
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if h, err := Load(path); err != nil || len(h) != clients*each {
		t.Errorf("after Flush: %d operations, %v", len(h), err)
	}
	w.Add(readOf(1, 9, 10, "k", "x"))
	for range 2 {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	h, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i, o := range h {
		if o.N != i+1 {
			t.Fatalf("operation %d has the number %d", i+1, o.N)
		}
		seen[o.Value] = true
	}
	if len(h) != clients*each+1 || len(seen) != clients*each+1 || w.Count() != len(h) {
		t.Errorf("%d operations, %d values", len(h), len(seen))
	}
}

func TestEncodingIsThatOfJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.String()
		o := Operation{
			N: rapid.Int().Draw(t, "n"), Work: List, Client: 3, Kind: Txn, Node: word.Draw(t, "node"), Value: word.Draw(t, "value"),
			Act: Append, Key: word.Draw(t, "key"), Expect: word.Draw(t, "expect"), Element: word.Draw(t, "element"),
			Got: word.Draw(t, "got"), Found: rapid.Bool().Draw(t, "found"), Conflict: rapid.Bool().Draw(t, "conflict"),
			Error: word.Draw(t, "error"), Start: rapid.Int64().Draw(t, "start"), End: 5, Outcome: Unknown, Run: 2, Due: 1,
			Setup: rapid.Bool().Draw(t, "setup"), Final: rapid.Bool().Draw(t, "final"),
			Parts: []Part{{Key: word.Draw(t, "part"), Found: true, Got: "1", Set: true, Value: word.Draw(t, "set")}, {Key: "b"}},
		}
		line := appendJSON(nil, &o)
		var std bytes.Buffer
		e := json.NewEncoder(&std)
		if err := e.Encode(o); err != nil {
			t.Fatal(err)
		}
		var want, got Operation
		if err := json.Unmarshal(std.Bytes(), &want); err != nil {
			t.Fatal(err)
		}
		got, err := parse(line)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%s: got %+v, %v, want %+v", line, got, err, want)
		}
	})
}

func TestWhatIsNoHistory(t *testing.T) {
	for text, want := range map[string]string{
		`{"n":1`:     "line 1: it is not finished",
		"{}\n":       `outcome ""`,
		"nonsense\n": "not an operation",
		`{"n":1,"work":"set","client":1,"kind":"fly","outcome":"ok","start":1,"end":2}` + "\n": `kind "fly"`,
		`{"wings":1}` + "\n": "unknown field",
	} {
		path := filepath.Join(t.TempDir(), "h")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

func FuzzLine(f *testing.F) {
	o := wrote(1, 2, 3, "k", "v")
	f.Add(appendJSON(nil, &o))
	f.Fuzz(func(t *testing.T, line []byte) {
		o, err := parse(line)
		if err != nil {
			return
		}
		if again, err := parse(appendJSON(nil, &o)); err != nil || !reflect.DeepEqual(again, o) {
			t.Fatalf("%q: %+v, then %+v, %v", line, o, again, err)
		}
	})
}
