package random_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"brine.test/brine/world/random"
)

func TestFileRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := random.File{Scenario: rapid.StringMatching(`[A-Za-z][a-z "'|,]{0,20}[a-z]`).Draw(t, "scenario"), Seed: rapid.Uint64().Draw(t, "seed")}
		for range rapid.IntRange(1, 3).Draw(t, "schedules") {
			s := random.Schedule{Asked: "random faults strike", Length: time.Duration(rapid.IntRange(0, 1e6).Draw(t, "length")) * time.Millisecond}
			s.Next = s.Length > 0 && rapid.Bool().Draw(t, "next")
			at := time.Duration(0)
			for range rapid.IntRange(0, 5).Draw(t, "strikes") {
				at += time.Duration(rapid.IntRange(0, 9999).Draw(t, "gap")) * time.Millisecond
				fault := rapid.StringMatching(`[a-z|\\"]([a-z |\\"ä]{0,30}[a-z|\\"])?`).Draw(t, "fault")
				s.Strikes = append(s.Strikes, random.Strike{At: at, For: time.Duration(rapid.IntRange(0, 9999).Draw(t, "for")) * time.Millisecond, Fault: fault})
			}
			f.Schedules = append(f.Schedules, s)
		}
		got, err := random.ParseFile("schedule.txt", f.String())
		if err != nil {
			t.Fatalf("%v\n%s", err, f)
		}
		if !reflect.DeepEqual(got, f) {
			t.Fatalf("got %+v\nwant %+v\n%s", got, f, f)
		}
	})
}

func TestParseFileErrors(t *testing.T) {
	for want, text := range map[string]string{
		"no schedule":                        "# scenario: x\n",
		"s.txt:1: a row before its sentence": "| at | for | fault |",
		"s.txt:1: `node2 is killed`":         "node2 is killed",
		`s.txt:2: column "when"`:             "these faults strike:\n| when | fault |",
		`s.txt:2: column "fault" is missing`: "these faults strike:\n| at | for |",
		"s.txt:3: a row without a fault":     "these faults strike:\n| at | fault |\n| 1s | |",
		`s.txt:3: "5": a length of time`:     "these faults strike:\n| at | fault |\n| 5 | node2 is killed |",
		"s.txt:2: `| at | fault`":            "these faults strike:\n| at | fault",
		`"0s": a length of time above zero`:  "these faults strike for 0s:\n",
		"a table is missing":                 "these faults strike for 5s:\n",
	} {
		if _, err := random.ParseFile("s.txt", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

func FuzzParseFile(f *testing.F) {
	f.Add("# scenario: x\n# seed: 3\nthese faults strike for the next 5s:\n  | at | for | fault |\n  | 1s | 2s | node2 is \\| killed |\n")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := random.ParseFile("s.txt", text)
		if err != nil {
			return
		}
		again, err := random.ParseFile("s.txt", got.String())
		if err != nil || again.Strikes() != got.Strikes() {
			t.Fatalf("%q: %v, %d strikes, then %d\n%s", text, err, got.Strikes(), again.Strikes(), got)
		}
	})
}
