package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"brine.test/brine/steps"
	"brine.test/brine/world"
	"brine.test/brine/world/random"
	"brine.test/brine/world/record"
)

// failure is what a scenario failed of: its step, or the first words of what the end of the scenario told.
type failure struct {
	any  bool
	step string
}

// ran is one run of a scenario.
type ran struct {
	number   int
	failed   failure
	schedule random.File // what struck
	took     time.Duration
}

type counter struct{ n atomic.Int64 }

func (c *counter) next() int  { return int(c.n.Add(1)) }
func (c *counter) value() int { return int(c.n.Load()) }

// run runs a scenario in a process of its own, with a schedule to replay or, without one, as it is. Its report is kept.
func (s *shrinking) run(ctx context.Context, place string, replay *random.File) (ran, error) {
	r := ran{number: s.count.next()}
	dir := filepath.Join(s.dir, fmt.Sprintf("run-%02d", r.number))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return r, err
	}
	self, err := os.Executable()
	if err != nil {
		return r, err
	}
	cmd := exec.CommandContext(ctx, self, "run", place, "--seed", fmt.Sprint(s.seed), "--out", dir)
	cmd.Args[0] = os.Args[0]
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		switch name {
		case "BRINE_FEATURES", "BRINE_TAGS", "BRINE_NAME", "BRINE_SEED", "BRINE_OUT", "BRINE_SCHEDULE", "BRINE_CONCURRENCY":
		default:
			cmd.Env = append(cmd.Env, v)
		}
	}
	if replay != nil {
		file := filepath.Join(dir, "replay.txt")
		if err := os.WriteFile(file, []byte(replay.String()), 0o644); err != nil {
			return r, err
		}
		cmd.Env = append(cmd.Env, "BRINE_SCHEDULE="+file)
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(unix.SIGINT) } // it heals and tears down
	cmd.WaitDelay = time.Minute
	began := time.Now()
	said, runErr := cmd.CombinedOutput()
	r.took = time.Since(began)
	if err := os.WriteFile(filepath.Join(dir, "log.txt"), said, 0o644); err != nil {
		return r, err
	}
	if ctx.Err() != nil {
		return r, context.Cause(ctx)
	}
	if err := r.read(dir); err != nil {
		return r, fmt.Errorf("run %d: %w\n%s", r.number, errors.Join(runErr, err), lastOf(said))
	}
	return r, nil
}

// read takes what happened from the run's record.
func (r *ran) read(dir string) error {
	run, err := record.Read(filepath.Join(dir, "events.jsonl"))
	if err != nil {
		return err
	}
	if len(run.Scenarios) != 1 {
		return fmt.Errorf("%d scenarios ran, expected one", len(run.Scenarios))
	}
	sc := run.Scenarios[0]
	r.failed.any = !sc.Status.OK()
	if st := sc.FailedStep(); st != nil && st.Status != record.Skipped {
		r.failed.step = st.Text
	} else if r.failed.any {
		r.failed.step = strings.SplitN(sc.Error, "\n", 2)[0]
	}
	for _, a := range sc.Attachments {
		if a.MediaType == world.ScheduleType {
			if r.schedule, err = steps.ReadSchedule(filepath.Join(dir, a.File)); err != nil {
				return err
			}
		}
	}
	return nil
}

// runsFor is how many runs show a failure that comes so often with nine chances in ten.
func runsFor(failed, of int) int {
	if failed >= of {
		return 1
	}
	share := float64(failed) / float64(of)
	return min(mostRuns, int(math.Ceil(math.Log(0.1)/math.Log(1-share))))
}

// lastOf is the end of what a process said.
func lastOf(said []byte) string {
	lines := bytes.Split(bytes.TrimSpace(said), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-8):], []byte("\n")))
}
