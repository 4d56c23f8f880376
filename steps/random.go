package steps

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"brine.test/brine/world"
	"brine.test/brine/world/random"
	"brine.test/brine/world/source"
)

// randomHarm states the sentences that let faults strike by themselves.
func randomHarm(sc Registrar) {
	sc.Step(`^random faults strike( [^":]+)?:?$`, randomFaults)
	sc.Step(`^[Ee]very (\d[\d.]* ?(?:ms|milliseconds?|s|sec|seconds?|m|min|minutes?|h|hours?)(?: ?\d[\d.]* ?(?:ms|milliseconds?|s|sec|seconds?|m|min|minutes?))*),? (.+?):?$`, everySoOften)
	sc.Step(`^these faults strike( [^":]+)?:$`, theseFaults)
	sc.Step(`^the faults (?:of|in) "((?:[^"]|"")*)" strike( [^":]+)?$`, faultsOfFile)
	sc.Step(`^the faults stop( (?:within|for|while) .+)?$`, faultsStop)
}

// randomFaults lets faults strike that are drawn with the scenario's seed, or one of their own: for a time that the
// sentence waits, for the next time, or until the faults stop. The same seed gives the same schedule. Each fault lasts 1
// to 5 s, a node has one at a time, and never is a majority down. At the end all heal, and what is down is started. A
// table under it names what may strike (fault) and how often beside the others (weight): partition, isolate, kill, pause,
// delay, loss, clock and disk, which is what strikes without a table; also stop, power, memory, cpu, bandwidth,
// corruption, duplication, reordering, reset and names; or a sentence that harms, such as `2 random nodes are paused`. It
// may have the columns min and max, how long a fault lasts, and a row `allow majority`. The schedule is in the report,
// and BRINE_SCHEDULE=…/schedule.txt runs it again; `brine shrink` finds the faults that matter.
//
//	random faults strike for 60s
//	random faults strike for the next 60s with seed 42
//	random faults strike
//	random faults strike for 60s:
//	random faults strike for 60s with seed 42:
func randomFaults(ctx context.Context, tail string) error {
	s := read(ctx)
	faults := world.RandomFaults{}
	length := s.strikeTail(tail, &faults)
	s.weights(&faults)
	return s.strike(ctx, faults, length)
}

// everySoOften does a harm at once and then every so often, until the faults stop. Of a random node, each time one is
// drawn that has no fault. Each lasts 1 to 5 s, or what is left until the next one if that is less, or as long as the
// sentence says; then it heals, and what is down is started. Never is a majority down, but for a sentence that asks for
// one. A table under it may have columns min and max, and a row `allow majority`.
//
//	every 5s a random node is killed
//	every 5s a random node is isolated for 2s
//	every 10 seconds, 2 random nodes are paused
//	every 1m30s the leader is killed
func everySoOften(ctx context.Context, every, sentence string) error {
	s := read(ctx)
	faults := world.RandomFaults{Every: s.duration(every)}
	if s.err == nil && faults.Every <= 0 {
		s.keep(fmt.Errorf("every %s: a length of time above zero is expected", every))
	}
	s.weights(&faults)
	if len(faults.Faults) > 0 && faults.Faults[0].Name != "" {
		s.keep(errors.New("a table under `every …` has no faults: the sentence is the fault\nhint: its columns are min and max"))
	}
	fault := s.fault(ctx, random.Fault{Name: sentence, Weight: 1})
	if len(faults.Faults) > 0 {
		fault.Min, fault.Max = faults.Faults[0].Min, faults.Faults[0].Max
	}
	faults.Faults = []random.Fault{fault}
	return s.strike(ctx, faults, world.Length{})
}

// theseFaults lets the faults of a table strike, each so long after the beginning (at), and for so long (for), as a
// schedule in a report has them. A fault is any sentence that harms; one without "for" lasts until the faults stop.
//
//	these faults strike for 30s:
//	these faults strike for the next 30s:
//	these faults strike:
func theseFaults(ctx context.Context, tail string) error {
	s := read(ctx)
	faults, length := world.RandomFaults{}, s.strikeTail(tail, nil)
	strikes, err := random.ParseRows(s.arg.Table)
	s.keep(err)
	faults.Given = &random.Schedule{Strikes: strikes, Length: length.D}
	return s.strike(ctx, faults, length)
}

// faultsOfFile lets the faults of a schedule file strike, as a run leaves one among a scenario's artifacts, for as long as
// the file says, or the sentence.
//
//	the faults in "schedule.txt" strike
//	the faults in "schedule.txt" strike for the next 30s
func faultsOfFile(ctx context.Context, file, tail string) error {
	s := read(ctx)
	length := s.strikeTail(tail, nil)
	schedule, err := scheduleOf(s.world.BaseDir(), s.data(file))
	s.keep(err)
	if s.err == nil && tail == "" && schedule.Length > 0 {
		length = world.Length{Kind: world.ForWait, D: schedule.Length}
		if schedule.Next {
			length.Kind = world.ForNext
		}
	}
	schedule.Length = length.D
	return s.strike(ctx, world.RandomFaults{Given: &schedule}, length)
}

// faultsStop ends random faults, and those of `every …`: all heal, and what is down is started.
//
//	the faults stop
func faultsStop(ctx context.Context, tail string) error {
	s := read(ctx)
	s.none(tail, "the faults stop now, and for good")
	return s.do(func(w *world.World) error { return w.StopFaults(ctx) })
}

// strike checks the sentences that are to strike, and lets them.
func (s *words) strike(ctx context.Context, faults world.RandomFaults, l world.Length) error {
	if s.err == nil && faults.Given != nil {
		for i, k := range faults.Given.Strikes {
			f := s.fault(ctx, random.Fault{Name: k.Fault})
			if f.Max > 0 && k.For > 0 {
				s.keep(fmt.Errorf("`%s`: has a length, and so has its row\nhint: leave one of them away", k.Fault))
			}
			faults.Given.Strikes[i].Fault, faults.Given.Strikes[i].For = f.Name, max(k.For, f.Max)
		}
	}
	for i, f := range faults.Faults {
		if s.err == nil && !f.IsKind() && strings.Contains(f.Name, " ") {
			faults.Faults[i] = s.fault(ctx, f)
		}
	}
	faults.Do = func(ctx context.Context, fault string) error { return Dispatch(ctx, fault, Argument{}) }
	return s.do(func(w *world.World) error { return w.Strike(ctx, faults, l) })
}

// fault reads a sentence that is to strike: it harms, names what is there, and its length is taken off.
func (s *words) fault(ctx context.Context, f random.Fault) random.Fault {
	m, err := only(f.Name)
	switch {
	case err != nil:
		s.keep(err)
	case !m.Sentence.Harms || slices.Contains(strikers, m.Sentence.Name):
		s.keep(fmt.Errorf("`%s`: cannot strike\nhint: what strikes is a harm, such as `a random node is killed`", f.Name))
	}
	body, tail := cutTail(f.Name)
	if tail != "" {
		l := s.length(tail)
		f.Name = body
		if f.Max == 0 {
			f.Min, f.Max = l.D, l.D
		}
	}
	if s.err == nil {
		s.keep(rehearse(ctx, f.Name))
	}
	return f
}

// strikers are the step functions whose sentences let others strike.
var strikers = []string{"randomFaults", "everySoOften", "theseFaults", "faultsOfFile", "faultsStop"}

var withSeed = regexp.MustCompile(`^with seed (\d+)(?: |$)`)

// strikeTail reads how long faults strike, and with which seed where they are drawn, in any order.
func (s *words) strikeTail(tail string, faults *world.RandomFaults) world.Length {
	length, given := world.Length{}, false
	rest := strings.TrimSpace(tail)
	for rest != "" && s.err == nil {
		m := withSeed.FindStringSubmatch(rest)
		if m != nil && faults != nil {
			seed, err := strconv.ParseUint(m[1], 10, 64)
			if err != nil || seed == 0 {
				s.keep(fmt.Errorf("seed %s: expected a whole number from 1 on", m[1]))
			}
			faults.Seed = seed
		} else if m = workLength.FindStringSubmatch(rest); m != nil && !given {
			if given = true; m[1] != "continuously" {
				length = s.length(" " + m[1])
			}
		} else {
			s.keep(fmt.Errorf("%q: expected how long the faults strike, or their seed\nhint: write `for 60s`, `for the next 60s`, or `for 60s with seed 42`", rest))
			break
		}
		rest = strings.TrimSpace(rest[len(m[0]):])
	}
	return length
}

// scheduleOf reads a schedule file with one schedule.
func scheduleOf(dir, file string) (random.Schedule, error) {
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	f, err := ReadSchedule(file)
	if err != nil {
		return random.Schedule{}, err
	}
	if len(f.Schedules) != 1 {
		return random.Schedule{}, fmt.Errorf("%s: holds %d schedules, of as many sentences\nhint: BRINE_SCHEDULE replays them all, each in its sentence's place", file, len(f.Schedules))
	}
	return f.Schedules[0], nil
}

// ReadSchedule reads a file of schedules, as a run leaves it.
func ReadSchedule(file string) (random.File, error) {
	text, err := source.Read("schedule", file)
	if err != nil {
		return random.File{}, fmt.Errorf("%w; a run leaves one among a scenario's artifacts: %s", err, world.ScheduleFile)
	}
	return random.ParseFile(file, string(text))
}
