package history

import (
	"errors"
	"testing"
	"time"
)

const ms = int64(time.Millisecond)

// served makes a history with one write every 10 ms that takes 2 ms, for a second, with an outage from 300 to 500 ms in
// which writes wait for 100 ms and are then in doubt.
func interrupted(due bool) History {
	var h []Operation
	for at := int64(0); at < 1000; at += 10 {
		o := wrote(1, at*ms, (at+2)*ms, "a", seconds(at))
		if at >= 300 && at < 500 {
			o = as(o, unknown)
			o.End = (at + 100) * ms
		}
		if due {
			o.Due = o.Start
		}
		h = append(h, o)
	}
	return numbered(h...)
}

func TestAvailability(t *testing.T) {
	a, err := Measure(interrupted(false), Writes, Window{})
	if err != nil {
		t.Fatal(err)
	}
	if a.Total != 100 || a.Served != 80 || a.Unknown != 20 || a.Share() != 0.8 {
		t.Errorf("%s", a)
	}
	if want := 210 * time.Millisecond; a.Outage != want || a.OutageAt != (Window{292 * ms, 502 * ms}) {
		t.Errorf("outage %s at %v, want %s", a.Outage, a.OutageAt, want)
	}
	for p, want := range map[float64]time.Duration{50: 2 * time.Millisecond, 80: 2 * time.Millisecond, 99: 100 * time.Millisecond, 100: 100 * time.Millisecond} {
		if got, err := a.Latency(p); err != nil || got < want || got > want+want/500 {
			t.Errorf("p%g is %s, %v, want %s", p, got, err, want)
		}
	}
	if m := a.Mean(); m < 21*time.Millisecond || m > 22*time.Millisecond {
		t.Errorf("mean %s", m)
	}
}

func TestAvailabilityInAWindow(t *testing.T) {
	h := interrupted(false)
	during, err := Measure(h, Operations, Window{300 * ms, 499 * ms})
	if err != nil || during.Total != 18 || during.Served != 0 || during.Outage != 199*time.Millisecond {
		t.Errorf("%v, %v", during, err)
	}
	before, err := Measure(h, Operations, Window{0, 299 * ms})
	if err != nil || before.Served != 30 || before.Share() != 1 || before.Outage > 11*time.Millisecond {
		t.Errorf("%v, %v", before, err)
	}
	// What of a window is before the clients worked, or after, is no outage.
	open, err := Measure(h, Operations, Window{-5000 * ms, 1 << 62})
	if all, _ := Measure(h, Operations, Window{}); err != nil || open.Outage != all.Outage || open.Total != all.Total {
		t.Errorf("%v, %v: expected that of all the time", open, err)
	}
	after, err := Measure(h, Operations, Window{510 * ms, 1 << 62})
	if err != nil || after.Share() != 1 || after.Outage > 12*time.Millisecond {
		t.Errorf("%v, %v", after, err)
	}
	// An outage lasts to the end of the window, although the next operation to be served ends after it.
	if _, err := Measure(h, Operations, Window{5000 * ms, 6000 * ms}); !errors.Is(err, ErrEmpty) {
		t.Errorf("nothing began in that time: %v", err)
	}
	if _, err := Measure(h, Reads, Window{}); !errors.Is(err, ErrEmpty) {
		t.Errorf("there are no reads: %v", err)
	}
}

// What waits until a partition heals did not succeed while it was there; what was on its way when the time ended, or when
// the harm began, tells nothing.
func TestServedAfterTheWindow(t *testing.T) {
	h := interrupted(false)
	for i := range h {
		if h[i].Outcome == Unknown {
			h[i].Outcome, h[i].End = OK, 520*ms
		}
	}
	during, err := Measure(h, Operations, Window{300 * ms, 499 * ms})
	if err != nil || during.Served != 0 || during.Late != 18 || during.Total != 18 {
		t.Errorf("%v, %v: expected 18 of 20 to be late, and the last 2 left out", during, err)
	}
	if worst, err := during.Latency(100); err != nil || worst < 219*time.Millisecond {
		t.Errorf("the longest took %s, %v: what waits for the end of a harm is felt", worst, err)
	}
	// All clients hang from just before the harm until after it: nothing began while it was on, and nothing was served.
	hang := numbered(wrote(1, 100*ms, 102*ms, "a", "x"), wrote(1, 295*ms, 510*ms, "a", "y"), as(wrote(2, 297*ms, 480*ms, "b", "z"), unknown),
		wrote(3, 298*ms, 305*ms, "c", "v"), wrote(2, 600*ms, 602*ms, "b", "u"))
	if a, err := MeasureHarm(hang, Operations, Window{300 * ms, 500 * ms}); err != nil || a.Total != 2 || a.Late != 1 || a.Unknown != 1 || a.Share() != 0 {
		t.Errorf("%v, %v: one waited all through, one until it gave up; the third was on its way", a, err)
	}
	if a, err := Measure(hang, Operations, Window{505 * ms, 1 << 62}); err != nil || a.Total != 1 || a.Served != 1 {
		t.Errorf("%v, %v: after it one began", a, err)
	}
	before, err := Measure(h, Operations, Window{0, 305 * ms})
	if err != nil || before.Share() != 1 {
		t.Errorf("%v, %v: one was on its way when the harm began", before, err)
	}
	if worst, err := before.Latency(100); err != nil || worst > 3*time.Millisecond {
		t.Errorf("the longest before took %s, %v", worst, err)
	}
}

// In an open loop what waited for its turn waited: one call that hangs for 100 ms keeps ten waiting.
func TestCoordinatedOmission(t *testing.T) {
	var ops []Operation
	free := int64(0)
	for due := int64(0); due < 1000; due += 10 {
		start := max(due, free)
		free = start + 1
		if due == 500 {
			free = start + 100
		}
		o := wrote(1, start*ms, free*ms, "a", seconds(due))
		o.Due = max(due*ms, 1)
		ops = append(ops, o)
	}
	h := numbered(ops...)
	a, err := Measure(h, Writes, Window{})
	if err != nil {
		t.Fatal(err)
	}
	if p95, err := a.Latency(95); err != nil || p95 < 40*time.Millisecond {
		t.Errorf("p95 is %s, %v: those that waited are not counted", p95, err)
	}
	for i := range h {
		h[i].Due = 0
	}
	if a, err = Measure(h, Writes, Window{}); err != nil {
		t.Fatal(err)
	}
	if p95, err := a.Latency(95); err != nil || p95 > 2*time.Millisecond {
		t.Errorf("p95 is %s, %v", p95, err)
	}
}

func TestRefusalsHaveNoLatency(t *testing.T) {
	h := numbered(as(wrote(1, 1, 2, "a", "x"), refused), as(swapped(1, 3, 4, "a", "x", "y"), conflict))
	a, err := Measure(h, Writes, Window{})
	if err != nil || a.Served != 1 || a.Failed != 1 {
		t.Errorf("%v, %v", a, err)
	}
	h = numbered(as(wrote(1, 1, 2, "a", "x"), refused))
	if a, err = Measure(h, Writes, Window{}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Latency(50); err == nil {
		t.Error("a latency where all were refused")
	}
}
