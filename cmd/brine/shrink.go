package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"brine.test/brine/steps"
	"brine.test/brine/world/random"
	"brine.test/brine/world/shrink"
)

// How often is tried what may come out one way or the other.
const (
	seedsTried = 10 // seeds, until one lets the scenario fail
	replays    = 3  // of the schedule that failed, which tell how surely it does
	mostRuns   = 10 // of one candidate
)

// shrinkFaults finds the smallest schedule of random faults with which a scenario fails.
func shrinkFaults(ctx context.Context, flags *pflag.FlagSet, args []string) int {
	sel, err := steps.SelectionFromEnv()
	if err != nil {
		complain("%v", err)
		return exitUsage
	}
	seed := flags.Uint64("seed", sel.Seed, "seed with which it fails, as a report shows it (default: up to 10 are tried)")
	runs := flags.Int("runs", 0, "how often a candidate is run until it fails (default: told by how often the whole does)")
	parallel := flags.Int("parallel", max(2, runtime.NumCPU()), "runs at the same time")
	out := flags.String("out", or(sel.Out, "out"), "folder for the feature that is found, and the runs' reports")
	if code, goOn := parse(named("shrink"), flags, args); !goOn {
		return code
	}
	if flags.NArg() != 1 || *runs < 0 || *parallel < 1 {
		complain("shrink: expected one scenario, as features/x.feature:12, and numbers from 1 on")
		return exitUsage
	}
	chosen, err := steps.ChooseOne(flags.Arg(0))
	if err == nil && chosen.LetsStrike() == 0 {
		err = fmt.Errorf("%s: lets no faults strike\nhint: `random faults strike for 30s` does, and what fails with it can be shrunk", chosen.Place())
	}
	if err != nil {
		complain("shrink: %v", err)
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, unix.SIGTERM)
	defer stop()
	s := &shrinking{chosen: chosen, dir: filepath.Join(*out, "shrink"), seed: *seed, runs: *runs, parallel: *parallel, began: time.Now()}
	if err := s.find(ctx); err != nil {
		complain("shrink: %v", err)
		return exitFail
	}
	return exitOK
}

// shrinking is one search.
type shrinking struct {
	chosen   steps.Chosen
	dir      string
	seed     uint64
	runs     int // of each candidate; 0: not known yet
	parallel int
	began    time.Time
	count    counter
	want     failure // what the whole fails of
}

// find lets the scenario fail, finds the smallest schedule with which it still does, and shows it.
func (s *shrinking) find(ctx context.Context) error {
	if err := os.RemoveAll(s.dir); err != nil {
		return err
	}
	full, err := s.whole(ctx)
	if err != nil {
		return err
	}
	if full.Strikes() == 0 {
		return fmt.Errorf("%s: fails before any fault was to strike: %s", s.chosen.Place(), s.want.step)
	}
	showFull(os.Stdout, full, s.want)
	if s.runs == 0 {
		if s.runs, err = s.needed(ctx, full); err != nil {
			return err
		}
	}
	small, err := shrink.Smallest(ctx, full, s.try, shrink.Options{Parallel: s.parallel, Tell: tellCandidates})
	if err != nil {
		if small.Strikes() > 0 && small.Strikes() < full.Strikes() {
			showSchedule(os.Stdout, "the smallest so far:", small)
		}
		return err
	}
	if small.Strikes() == 0 {
		return fmt.Errorf("%s: fails without any fault: they do not matter\nfails of: %s", s.chosen.Place(), s.want.step)
	}
	return s.write(ctx, full, small)
}

// whole runs the scenario as it is until it fails: with the seed that was given, or with one after the other.
func (s *shrinking) whole(ctx context.Context) (random.File, error) {
	given, tries := s.seed != 0, seedsTried
	if given {
		tries = max(replays, s.runs)
	}
	for range tries {
		if !given {
			s.seed = uint64(rand.Uint32()) + 1
		}
		r, err := s.run(ctx, s.chosen.Place(), nil)
		if err != nil {
			return random.File{}, err
		}
		showRun(os.Stdout, r, fmt.Sprintf("with seed %d", s.seed), failure{})
		if r.failed.any {
			s.want = r.failed
			return r.schedule, nil
		}
	}
	if given {
		return random.File{}, fmt.Errorf("%s: passes with seed %d, %d times\nhint: --runs=20 (RUNS=20) tries more often", s.chosen.Place(), s.seed, tries)
	}
	return random.File{}, fmt.Errorf("%s: passes with %d seeds\nhint: --seed (SEED=…) takes one with which a report shows it failing", s.chosen.Place(), tries)
}

// needed replays the whole schedule and tells how often a candidate is to be run, so that one which fails as often as the
// whole is seen to fail nine times in ten.
func (s *shrinking) needed(ctx context.Context, full random.File) (int, error) {
	var failed atomic.Int64
	failed.Add(1) // the run that is replayed
	again := errgroup.Group{}
	again.SetLimit(s.parallel)
	for range replays - 1 {
		again.Go(func() error {
			r, err := s.run(ctx, s.chosen.Place(), &full)
			if err != nil {
				return err
			}
			showRun(os.Stdout, r, "replayed", s.want)
			if r.failed == s.want {
				failed.Add(1)
			}
			return nil
		})
	}
	if err := again.Wait(); err != nil {
		return 0, err
	}
	n := runsFor(int(failed.Load()), replays)
	if n > 1 {
		fmt.Printf("it fails %d times in %d: each candidate is run until it fails, up to %d times\n", failed.Load(), replays, n)
	}
	return n, nil
}

// try tells whether a candidate fails as the whole does.
func (s *shrinking) try(ctx context.Context, f random.File) (bool, error) {
	for range s.runs {
		r, err := s.run(ctx, s.chosen.Place(), &f)
		if err != nil {
			return false, err
		}
		showRun(os.Stdout, r, candidate(f), s.want)
		if r.failed == s.want {
			return true, nil
		}
	}
	return false, nil
}

// write saves what was found as a feature, in plain sentences if it fails so too, and prints it.
func (s *shrinking) write(ctx context.Context, full, small random.File) error {
	schedule := filepath.Join(s.dir, "schedule.txt")
	if err := os.WriteFile(schedule, []byte(small.String()), 0o644); err != nil {
		return err
	}
	var file, text string
	sure := false
	for _, plain := range []bool{true, false} {
		var err error
		text = s.chosen.With(small.Schedules, plain)
		if file, err = s.chosen.Save(filepath.Join(s.dir, "feature"), text); err != nil {
			return err
		}
		for i := 0; i < max(s.runs, replays) && !sure; i++ {
			r, err := s.run(ctx, file, nil)
			if err != nil {
				return err
			}
			showRun(os.Stdout, r, "the feature that is printed", s.want)
			sure = r.failed == s.want
		}
		if sure {
			break
		}
	}
	showFound(os.Stdout, found{
		full: full, small: small, want: s.want, text: text, file: file, schedule: schedule, sure: sure,
		runs: s.count.value(), took: time.Since(s.began), again: fmt.Sprintf("BRINE_SEED=%d brine run %s", s.seed, file),
	})
	return nil
}
