package world

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"brine.test/brine/world/record"
	sel "brine.test/brine/world/selector"
)

const meterYAML = `
image: "go:brine.test/brine/world/testdata/meter"
args: [%s]
data: /data
ready: {log: "^up"}
stop: {signal: TERM, grace: 2s}
`

// act is a step on the node that is measured.
type act func(context.Context, *World, sel.Selector) error

// effect is one harm to a machine, and how the program that it is done to feels
// it.
type effect struct {
	name   string
	meter  string // what it does: spin, disk
	before act    // what has to be so already
	step   act    // what is measured
	after  act    // what lets the meter tell
	line   string // the meter's: its first word, and how those after the moment begin; empty: its process ends
}

// What is done to the node in the measurements.
var (
	kills   act = func(ctx context.Context, w *World, n sel.Selector) error { return w.Kill(ctx, n, Length{}) }
	stops   act = func(ctx context.Context, w *World, n sel.Selector) error { return w.Stop(ctx, n, Length{}) }
	starts  act = func(ctx context.Context, w *World, n sel.Selector) error { return w.StartAgain(ctx, n) }
	restart act = func(ctx context.Context, w *World, n sel.Selector) error { return w.Restart(ctx, n) }
	power   act = func(ctx context.Context, w *World, n sel.Selector) error { return w.LosePower(ctx, n) }
	pauses  act = func(ctx context.Context, w *World, n sel.Selector) error { return w.Pause(ctx, n, Length{}) }
	resumes act = func(ctx context.Context, w *World, n sel.Selector) error { return w.Resume(ctx, n) }
	squeeze act = func(ctx context.Context, w *World, n sel.Selector) error {
		return w.LimitMemory(ctx, n, 1<<20, Length{})
	}
	starve   act = func(ctx context.Context, w *World, n sel.Selector) error { return w.RunOutOfMemory(ctx, n) }
	throttle act = func(ctx context.Context, w *World, n sel.Selector) error { return w.LimitCPU(ctx, n, 0.1, Length{}) }
	stress   act = func(ctx context.Context, w *World, n sel.Selector) error { return w.StressCPU(ctx, n, Length{}) }
	recovers act = func(ctx context.Context, w *World, n sel.Selector) error { return w.RecoverDisk(ctx, n) }
	jumps    act = func(ctx context.Context, w *World, n sel.Selector) error { return w.JumpClock(ctx, n, 5*time.Minute) }
	drifts   act = func(ctx context.Context, w *World, n sel.Selector) error { return w.DriftClock(ctx, n, 2, Length{}) }
	rights   act = func(ctx context.Context, w *World, n sel.Selector) error { return w.RightClock(ctx, n) }
)

func disk(h DiskHarm) act {
	return func(ctx context.Context, w *World, n sel.Selector) error { return w.HarmDisk(ctx, n, h, Length{}) }
}

// settle lets the meter feel what is, so that it tells when it changes.
func settle(ctx context.Context, w *World, _ sel.Selector) error {
	return w.Wait(ctx, 100*time.Millisecond)
}

func both(one, two act) act {
	return func(ctx context.Context, w *World, n sel.Selector) error {
		if err := one(ctx, w, n); err != nil {
			return err
		}
		return two(ctx, w, n)
	}
}

var machineEffects = []effect{
	{name: "kill", step: kills},
	{name: "stop", step: stops},
	{name: "start again", before: kills, step: starts, line: "up"},
	{name: "restart", step: restart, line: "up"},
	{name: "pause", meter: "spin", step: pauses, after: both(settle, resumes), line: "gap"},
	{name: "resume", meter: "spin", before: both(pauses, settle), step: resumes, line: "end"},
	{name: "memory limit", step: squeeze},
	{name: "out of memory", step: starve},
	{name: "CPU limit", meter: "spin", step: throttle, line: "gap"},
	{name: "CPU stress", meter: "spin", step: stress, line: "gap"},
	{name: "power loss", meter: "disk", step: power},
	{name: "disk full", meter: "disk", step: disk(DiskFull), line: "disk write no space left"},
	{name: "disk fails", meter: "disk", step: disk(DiskFails), line: "disk write input/output"},
	{name: "reads fail", meter: "disk", step: disk(ReadsFail), line: "disk read input/output"},
	{name: "writes fail", meter: "disk", step: disk(WritesFail), line: "disk write input/output"},
	{name: "fsync fails", meter: "disk", step: disk(FsyncFails), line: "disk fsync input/output"},
	{name: "disk read-only", meter: "disk", step: disk(DiskReadOnly), line: "disk write read-only"},
	{name: "disk slow", meter: "disk", step: disk(SlowDisk(50 * time.Millisecond)), line: "slow"},
	{name: "fsync slow", meter: "disk", step: disk(SlowFsync(50 * time.Millisecond)), line: "slow fsync"},
	{name: "reads corrupted", meter: "disk", step: disk(CorruptReads(1)), line: "disk read corrupted"},
	{name: "disk recovers", meter: "disk", before: both(disk(WritesFail), settle), step: recovers, line: "disk write ok"},
	{name: "clock jumps", step: jumps, line: "clock"},
	{name: "clock jumps again", before: both(jumps, settle), step: jumps, line: "clock"},
	{name: "clock drifts", step: drifts, line: "clock"},
	{name: "clock right again", before: both(jumps, settle), step: rights, line: "clock"},
}

// BenchmarkEffect measures each harm to a machine from the step's call to when a
// program inside feels it, and to when the step returns, which may prove the
// harm first. The first round of each is thrown away.
func BenchmarkEffect(b *testing.B) {
	if os.Geteuid() != 0 {
		b.Skip("needs root: it runs clusters")
	}
	suite, err := OpenSuite(context.Background(), SuiteOptions{Out: b.TempDir(), Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := suite.Close(context.Background()); err != nil {
			b.Error(err)
		}
	}()
	for _, e := range machineEffects {
		b.Run(e.name, func(b *testing.B) {
			felt, whole, err := e.measure(suite)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(middle(felt), "effect-ms")
			b.ReportMetric(middle(whole), "step-ms")
		})
	}
}

func middle(all []time.Duration) float64 {
	slices.Sort(all)
	return float64(all[len(all)/2].Microseconds()) / 1000
}

// measure runs the step several times, on a cluster of its own.
func (e effect) measure(s *Suite) (felt, whole []time.Duration, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	w, err := s.NewWorld(ctx, Scenario{
		Info:  record.ScenarioInfo{Name: e.name, URI: here("bench.feature")},
		Needs: Needs{Disk: e.meter == "disk"},
	})
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, w.Close(context.WithoutCancel(ctx))) }()
	if err := w.DefineService(ctx, "meter", "name: meter"+fmt.Sprintf(meterYAML, e.meter)); err != nil {
		return nil, nil, err
	}
	if err := w.BuildCluster(ctx, ClusterSpec{Size: 1, Services: []ServiceRef{{Name: "meter"}}}); err != nil {
		return nil, nil, err
	}
	if err := settle(ctx, w, sel.Only("node1")); err != nil {
		return nil, nil, err
	}
	for i := range rounds + 1 {
		took, returned, err := e.once(ctx, w)
		if err != nil {
			return nil, nil, fmt.Errorf("round %d: %w", i, err)
		}
		if i > 0 {
			felt, whole = append(felt, took), append(whole, returned)
		}
		if err := w.HealEverything(ctx); err != nil {
			return nil, nil, err
		}
		if err := w.Ready(ctx, sel.Only("node1"), Bound{Kind: Within, D: 10 * time.Second}); err != nil {
			return nil, nil, err
		}
		if err := settle(ctx, w, sel.Only("node1")); err != nil {
			return nil, nil, err
		}
	}
	return felt, whole, nil
}

func (e effect) once(ctx context.Context, w *World) (felt, whole time.Duration, err error) {
	node := sel.Only("node1")
	if e.before != nil {
		if err := e.before(ctx, w, node); err != nil {
			return 0, 0, err
		}
	}
	box := w.allNodes()[0].services[0].box
	ended := make(chan int64, 1)
	if e.line == "" {
		if err := watchEnd(box.State().PID, ended); err != nil {
			return 0, 0, err
		}
	}
	began := monotonic()
	if err := e.step(ctx, w, node); err != nil {
		return 0, 0, err
	}
	whole = time.Duration(monotonic() - began)
	if e.after != nil {
		if err := e.after(ctx, w, node); err != nil {
			return 0, 0, err
		}
	}
	if e.line == "" {
		select {
		case at := <-ended:
			return time.Duration(at - began), whole, nil
		case <-ctx.Done():
			return 0, 0, ctx.Err()
		}
	}
	log, _ := box.LogPaths()
	err = w.Check(ctx, Bound{Kind: Within, D: 10 * time.Second}, func(context.Context) error {
		text, err := os.ReadFile(log)
		if err != nil {
			return err
		}
		at := toldAfter(string(text), e.line, began)
		if at == 0 {
			return fmt.Errorf("expected the meter to tell %q, got: %s", e.line, lastOf(string(text), 300))
		}
		felt = time.Duration(at - began)
		return nil
	})
	return felt, whole, err
}

// toldAfter finds the moment of the first of the meter's lines that is meant, since
// a moment. A gap counts until its end: the meter may not have had a processor just
// when it began.
func toldAfter(log, line string, since int64) int64 {
	want := strings.Fields(line)
	rest := strings.Join(want[1:], " ")
	for text := range strings.Lines(log) {
		f := strings.Fields(text)
		if len(f) < 2 || f[0] != want[0] && (f[0] != "gap" || want[0] != "end") {
			continue
		}
		at, err := strconv.ParseInt(f[1], 10, 64)
		if f[0] == "gap" {
			long, _ := strconv.ParseInt(f[2], 10, 64)
			switch {
			case at+long < since:
				continue
			case want[0] == "end":
				at += long
			default:
				at = max(at, since)
			}
		}
		if err == nil && at >= since && strings.HasPrefix(strings.Join(f[2:], " "), rest) {
			return at
		}
	}
	return 0
}

func lastOf(s string, n int) string { return s[max(0, len(s)-n):] }

// watchEnd tells when a process ends.
func watchEnd(pid int, ended chan<- int64) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return err
	}
	go func() {
		defer unix.Close(fd) //nolint:errcheck // it was only read
		for {
			_, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1)
			if !errors.Is(err, unix.EINTR) {
				ended <- monotonic()
				return
			}
		}
	}()
	return nil
}

func monotonic() int64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) // cannot fail
	return ts.Nano()
}

// here is a file of this folder, whose module images are built in.
func here(name string) string {
	path, err := filepath.Abs(name)
	if err != nil {
		return name
	}
	return path
}
