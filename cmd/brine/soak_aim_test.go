package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brine.test/brine/world/record"
)

// An aim is the moment at which a suite is killed: so long after its start, or
// after an event of its record.
type aim struct {
	after time.Duration
	event record.Type // none: after the start
	of    string      // the step or the harm, by a word of it
}

func (a aim) String() string {
	if a.event == "" {
		return "after " + a.after.Round(time.Millisecond).String()
	}
	return fmt.Sprintf("%v after %s %q", a.after.Round(time.Millisecond), a.event, a.of)
}

// aims are the events that are aimed at, in turn. After the first one all helpers
// of the nodes are there; the others hit what is being made or taken back.
var aims = []aim{
	{event: record.HarmBegin, of: "clock"},
	{event: record.StepBegin, of: "the clock of node3 jumps"},
	{event: record.HarmBegin, of: "fsync"},
	{event: record.HarmBegin, of: "delayed"},
	{event: record.StepBegin, of: "packets from node1 to node3"},
	{event: record.StepBegin, of: "node2 loses power"},
	{event: record.StepBegin, of: "everything heals"},
	{event: record.StepBegin, of: "a 3-node cluster"},
}

// aimed is the aim of the kill with that number.
func (s *soak) aimed(n int) aim {
	if n%2 == 0 {
		return aim{after: time.Duration(s.random.Int64N(int64(s.length)))}
	}
	a := aims[n/2%len(aims)]
	a.after = time.Duration(s.random.Int64N(int64(50 * time.Millisecond)))
	return a
}

// wait returns at the moment. The moment is the test's: no state is waited for.
func (a aim) wait(ctx context.Context, ended <-chan struct{}, events string) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for a.event != "" && !a.seen(events) {
		select {
		case <-tick.C:
		case <-ended:
			return errors.New("the suite ended before it was killed")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	select {
	case <-time.After(a.after):
		return nil
	case <-ended:
		return errors.New("the suite ended before it was killed")
	}
}

// seen tells whether the record has the event.
func (a aim) seen(events string) bool {
	for _, e := range readEvents(events) {
		switch {
		case e.Type != a.event:
		case e.StepInfo != nil && strings.Contains(e.StepInfo.Text, a.of):
			return true
		case e.Harm != nil && strings.Contains(e.Harm.Asked, a.of):
			return true
		}
	}
	return false
}

// lastStep is the sentence that a record ends in, and what it was doing if none.
func lastStep(events string) string {
	step := "before the first sentence"
	for _, e := range readEvents(events) {
		switch e.Type {
		case record.StepBegin:
			step = e.StepInfo.Text
		case record.ScenarioEnd:
			step = "between two scenarios"
		}
	}
	return step
}

// readEvents reads what there is of a record that is being written.
func readEvents(path string) []record.Event {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil // it is not there yet
	}
	var all []record.Event
	for line := range strings.Lines(string(text)) {
		var e record.Event
		if json.Unmarshal([]byte(line), &e) == nil { // the last line may be half there
			all = append(all, e)
		}
	}
	return all
}

// notStopped lists the threads of a process that SIGSTOP has not reached yet.
func notStopped(pid int) []string {
	var left []string
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, path := range threads {
		text, _ := os.ReadFile(path)
		if _, after, ok := strings.Cut(string(text), ") "); ok && !strings.HasPrefix(after, "T") && !strings.HasPrefix(after, "t") {
			left = append(left, path+": "+after)
		}
	}
	return left
}

// waitGone looks until nothing is left, for so long after a moment, and returns
// what was left at the last look but one.
func waitGone(t *testing.T, since time.Time, limit time.Duration, look func() []string) (last []string) {
	t.Helper()
	ctx, cancel := context.WithDeadline(t.Context(), since.Add(limit))
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for left := look(); len(left) > 0; left = look() {
		last = left
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%v later there is still:\n%s", limit, strings.Join(left, "\n"))
		}
	}
	return last
}
