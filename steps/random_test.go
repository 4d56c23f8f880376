package steps

import (
	"reflect"
	"testing"
	"time"

	"github.com/cucumber/godog"
	messages "github.com/cucumber/messages/go/v21"

	"brine.test/brine/world"
	"brine.test/brine/world/random"
)

func TestWeights(t *testing.T) {
	kill := random.Fault{Name: "kill", Weight: 1}
	for name, c := range map[string]struct {
		table   [][]string
		want    []random.Fault
		allowed bool
	}{
		"no table":       {},
		"weights":        {table: [][]string{{"fault", "weight"}, {"kill", "3"}, {"delay", "40%"}}, want: []random.Fault{{Name: "kill", Weight: 3}, {Name: "delay", Weight: 40}}},
		"no weight":      {table: [][]string{{"Fault"}, {"kill"}}, want: []random.Fault{kill}},
		"lengths":        {table: [][]string{{"fault", "min", "max"}, {"kill", "500ms", "2s"}}, want: []random.Fault{{Name: "kill", Weight: 1, Min: time.Second / 2, Max: 2 * time.Second}}},
		"length of all":  {table: [][]string{{"fault", "max"}, {"kill", ""}, {"", "2s"}}, want: []random.Fault{{Name: "kill", Weight: 1, Max: 2 * time.Second}}},
		"row allows":     {table: [][]string{{"fault", "weight"}, {"kill", "1"}, {"allow majority", ""}}, want: []random.Fault{kill}, allowed: true},
		"row says yes":   {table: [][]string{{"fault", "weight"}, {"kill", "1"}, {"Allow  majority", "yes"}}, want: []random.Fault{kill}, allowed: true},
		"row says no":    {table: [][]string{{"fault", "weight"}, {"kill", "1"}, {"allow majority", "no"}}, want: []random.Fault{kill}},
		"row alone":      {table: [][]string{{"allow majority"}}, allowed: true},
		"column allows":  {table: [][]string{{"fault", "allow majority"}, {"kill", "yes"}}, want: []random.Fault{kill}, allowed: true},
		"column says no": {table: [][]string{{"fault", "allow majority"}, {"kill", "no"}}, want: []random.Fault{kill}},
	} {
		s, got := &words{arg: Argument{Table: c.table}}, world.RandomFaults{}
		s.weights(&got)
		if s.err != nil || !reflect.DeepEqual(got.Faults, c.want) || got.AllowMajority != c.allowed {
			t.Errorf("%s: got %+v, allowed: %t, %v; want %+v, %t", name, got.Faults, got.AllowMajority, s.err, c.want, c.allowed)
		}
	}
	for want, table := range map[string][][]string{
		`column "often"`: {{"fault", "often"}, {"kill", "1"}},
		`weight "much"`:  {{"fault", "weight"}, {"kill", "much"}},
		"needs a unit":   {{"fault", "min"}, {"kill", "5"}},
	} {
		s := &words{arg: Argument{Table: table}}
		s.weights(&world.RandomFaults{})
		refused(t, want, want, s.err)
	}
}

func TestStrikeTail(t *testing.T) {
	for tail, want := range map[string]struct {
		length world.Length
		seed   uint64
	}{
		"":                            {},
		" continuously":               {},
		" for 60s":                    {length: world.Length{Kind: world.ForWait, D: time.Minute}},
		" for the next 60s":           {length: world.Length{Kind: world.ForNext, D: time.Minute}},
		" for 60 seconds with seed 7": {length: world.Length{Kind: world.ForWait, D: time.Minute}, seed: 7},
		" with seed 7 for 1m":         {length: world.Length{Kind: world.ForWait, D: time.Minute}, seed: 7},
		" with seed 7":                {seed: 7},
	} {
		s, faults := &words{}, world.RandomFaults{}
		length := s.strikeTail(tail, &faults)
		if s.err != nil || length != want.length || faults.Seed != want.seed {
			t.Errorf("%q: got %+v, seed %d, %v", tail, length, faults.Seed, s.err)
		}
	}
	for tail, want := range map[string]string{
		" within 5s": "how long the faults strike", " with seed 0": "from 1 on", " for 5s for 6s": "how long the faults strike",
		" with seed": "how long the faults strike", " for 0s": "above zero",
	} {
		s := &words{}
		s.strikeTail(tail, &world.RandomFaults{})
		refused(t, tail, want, s.err)
	}
	s := &words{}
	s.strikeTail(" with seed 4", nil)
	refused(t, "a seed of what is given", "how long the faults strike", s.err)
}

// What random faults need is known before the cluster starts: from the table under them, the sentences in it, or that
// there is none.
func TestNeedsOfRandomFaults(t *testing.T) {
	table := func(names ...string) *messages.PickleStepArgument {
		rows := []*messages.PickleTableRow{{Cells: []*messages.PickleTableCell{{Value: "fault"}}}}
		for _, n := range names {
			rows = append(rows, &messages.PickleTableRow{Cells: []*messages.PickleTableCell{{Value: n}}})
		}
		return &messages.PickleStepArgument{DataTable: &messages.PickleTable{Rows: rows}}
	}
	for name, c := range map[string]struct {
		step *messages.PickleStep
		want world.Needs
	}{
		"no table":          {&messages.PickleStep{Text: "random faults strike for 5s"}, world.Needs{Disk: true, Clock: true}},
		"network":           {&messages.PickleStep{Text: "random faults strike for 5s:", Argument: table("delay", "kill")}, world.Needs{}},
		"disk":              {&messages.PickleStep{Text: "random faults strike for 5s", Argument: table("kill", "disk")}, world.Needs{Disk: true}},
		"power":             {&messages.PickleStep{Text: "random faults strike:", Argument: table("power")}, world.Needs{Disk: true}},
		"a sentence":        {&messages.PickleStep{Text: "random faults strike:", Argument: table("the clock of a random node jumps ahead by 5m")}, world.Needs{Clock: true}},
		"every":             {&messages.PickleStep{Text: "every 5s the disk of a random node is full for 1s"}, world.Needs{Disk: true}},
		"waits":             {&messages.PickleStep{Text: `when the log of node1 contains "x", random faults strike for 5s`}, world.Needs{Disk: true, Clock: true}},
		"a given schedule":  {&messages.PickleStep{Text: "these faults strike:", Argument: table("node1 loses power")}, world.Needs{Disk: true}},
		"a schedule's file": {&messages.PickleStep{Text: `the faults in "testdata/schedule.txt" strike`}, world.Needs{Disk: true, Clock: true}},
	} {
		if got := needsOf(&godog.Scenario{Uri: "x.feature:3", Steps: []*messages.PickleStep{c.step}}); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}
