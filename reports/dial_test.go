package reports

import (
	"testing"
	"time"

	"brine.test/brine/world/record"
)

func TestTimesThatLinesTell(t *testing.T) {
	want := time.Date(2026, 11, 22, 1, 50, 17, 123456000, time.UTC)
	for _, line := range []string{
		`{"level":"info","ts":"2026-11-22T01:50:17.123456Z","caller":"x"}`,
		`2026-11-22T01:50:17.123456Z INFO x`,
		`time="2026-11-22T02:50:17.123456+01:00" level=info`,
		`[2026-11-22T02:50:17.123456+0100] TEST x`,
	} {
		if got, ok := written(line); !ok || got != want.UnixNano() {
			t.Errorf("%s: %v, %v", line, time.Unix(0, got).UTC(), ok)
		}
	}
	for _, line := range []string{"", "T", "THE 2026-11-22 01:50:17", "2026-11-22T01:50:17.123456", "9999-99-99T99:99:99Z x T", "0123456789T01:2T"} {
		if got, ok := written(line); ok {
			t.Errorf("%q: %v", line, got)
		}
	}
}

func FuzzLine(f *testing.F) {
	f.Add(`{"level":"info","ts":"2026-11-22T01:50:17.123456Z"}`)
	f.Add(hostile)
	f.Add("E1122 01:50:17.1 x.go:1] hm")
	f.Fuzz(func(t *testing.T, line string) {
		written(line)
		level(line)
		if p := plain(line); plain(p) != p {
			t.Errorf("%q is not plain", p)
		}
		markdown(line)
		shorten(plain(line), 64)
	})
}

func TestALineHasTheTimeAtWhichItsFileHadGrownThatFar(t *testing.T) {
	s := &record.ScenarioRun{Begin: record.Time{Mono: 1000}, End: record.Time{Mono: 9_001_000}, Positions: map[string][]record.PositionRun{
		"a": {{Time: record.Time{Mono: 1_001_000}, Offset: 10}, {Time: record.Time{Mono: 2_001_000}, Offset: 30}},
	}}
	d := newDial(clock{s.Begin.Mono}, s, "a")
	for _, c := range []struct{ offset, want int64 }{{5, 1000}, {10, 1000}, {11, 2000}, {30, 2000}, {31, 2000}} {
		if got := d.at(c.offset, "2026-11-22T01:50:17Z does not count"); got != c.want {
			t.Errorf("offset %d: %d µs, want %d", c.offset, got, c.want)
		}
	}
}

func TestLanes(t *testing.T) {
	s := &record.ScenarioRun{End: record.Time{Mono: 100_000}, Steps: []*record.StepRun{{End: record.Time{Mono: 90_000}}}}
	say := func(at int64, node string, state record.State, term uint64) {
		s.States = append(s.States, record.StateRun{At: record.At{Time: record.Time{Mono: at * 1000}}, ServiceState: record.ServiceState{Service: "etcd", Node: node, State: state, Term: term}})
	}
	say(1, "node10", record.Starting, 0)
	say(2, "node10", record.Ready, 0)
	say(3, "node10", record.Leader, 2)
	say(4, "node10", record.Ready, 0) // asked again: it leads all the same
	say(5, "node2", record.Ready, 0)
	say(10, "node2", record.Leader, 3)
	say(20, "node10", record.Leader, 2) // cut off, it still believes so
	say(30, "node2", record.Paused, 0)
	say(40, "node2", record.Resumed, 0)
	say(50, "node2", record.Exited, 0)
	say(95, "node10", record.Exited, 0)
	got := lanes(clock{}, s)
	want := map[string][]segment{
		"node2": {{record.Ready, 5, 10, ""}, {record.Leader, 10, 30, "term 3"}, {record.Paused, 30, 40, ""}, {record.Leader, 40, 50, ""}, {record.Exited, 50, 100, ""}},
		"node10": {{record.Starting, 1, 2, ""}, {record.Ready, 2, 3, ""}, {record.Leader, 3, 10, "term 2"}, {record.Ready, 10, 20, "another one leads"},
			{record.Leader, 20, 95, "term 2"}, {record.Removed, 95, 100, "ended by the teardown"}},
	}
	if len(got) != 2 || got[0].Node != "node2" {
		t.Fatalf("%+v", got)
	}
	for _, l := range got {
		if len(l.Segments) != len(want[l.Node]) {
			t.Errorf("%s: %+v", l.Node, l.Segments)
			continue
		}
		for i, g := range l.Segments {
			if g != want[l.Node][i] {
				t.Errorf("%s, segment %d: %+v, want %+v", l.Node, i, g, want[l.Node][i])
			}
		}
	}
}
