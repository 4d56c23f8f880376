package reports

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"brine.test/brine/world/record"
)

func stages(c *Console) {
	now := time.Duration(0)
	tell := func(after time.Duration, s record.Stage) {
		now += after
		c.Event(record.Event{Type: record.StageChanged, Time: record.Time{Mono: int64(time.Hour + now)}, Stage: &s})
	}
	tell(0, record.Stage{Name: "build etcd 3.6.8"})
	tell(3*time.Second, record.Stage{Name: "build etcd 3.6.8", Over: true})
	for i := range 5 {
		tell(4*time.Second, record.Stage{Name: "pull nginx:1.27", Done: int64(i) << 20, Total: 8 << 20, Unit: "bytes"})
	}
	tell(time.Second, record.Stage{Name: "pull nginx:1.27", Over: true, Error: "connection \x1b[31mrefused\nmore"})
	tell(0, record.Stage{Name: "waiting for the cluster to be healthy", Done: 1, Total: int64(10 * time.Second), Unit: "ns"})
	tell(11*time.Second, record.Stage{Name: "waiting for the cluster to be healthy", Done: int64(8 * time.Second), Total: int64(10 * time.Second), Unit: "ns"})
	tell(0, record.Stage{Name: "start 100 nodes", Done: 40, Total: 100, Unit: "nodes"})
	tell(900*time.Millisecond, record.Stage{Name: "start 100 nodes", Over: true, Took: time.Second})
	c.Event(record.Event{Type: record.StepEnd})
}

func TestProgressWithoutATerminalIsALineAStage(t *testing.T) {
	var out bytes.Buffer
	stages(NewConsole(&out))
	want := `… build etcd 3.6.8
build etcd 3.6.8: 3 s
… pull nginx:1.27, 0 bytes of 8 MiB
… pull nginx:1.27, 3 MiB of 8 MiB
pull nginx:1.27: failed after 17 s: connection refused
… waiting for the cluster to be healthy, 2 s left
… start 100 nodes, 40 of 100 nodes
start 100 nodes: 1 s
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestProgressOnATerminalIsOneLineThatGoesAway(t *testing.T) {
	var out bytes.Buffer
	c := NewConsole(&out)
	c.tty, c.width = true, 24
	stages(c)
	text := out.String()
	if strings.Contains(text, "\x1b[31m") {
		t.Errorf("an escape of the system under test reached the terminal: %q", text)
	}
	if !strings.HasSuffix(text, "\r\x1b[K") {
		t.Errorf("the last line stays: %q", text)
	}
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\r\x1b[K", "\n"), "\n") {
		if strings.HasPrefix(line, "…") && len([]rune(line)) > 23 {
			t.Errorf("longer than the terminal: %q", line)
		}
	}
}

func TestConsoleTellsAtOnceOfAHarmThatTouchedNothing(t *testing.T) {
	var out bytes.Buffer
	c := NewConsole(&out)
	for _, id := range []string{"felt", "vain"} {
		c.Event(record.Event{Type: record.HarmBegin, Harm: &record.HarmInfo{ID: id, Asked: "node2 isolated " + id}})
		c.Event(record.Event{Type: record.HarmEnd, Healed: &record.Healed{ID: id, TouchedNothing: id == "vain"}})
	}
	if want := "! node2 isolated vain touched nothing: the fault never happened\n"; out.String() != want {
		t.Errorf("got %q", out.String())
	}
}
