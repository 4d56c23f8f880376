package world

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"brine.test/brine/world/random"
	"brine.test/brine/world/record"
)

// RandomFaults says what strikes, as a sentence has it.
type RandomFaults struct {
	Faults        []random.Fault // what may be drawn; none: the usual kinds
	Seed          uint64         // 0: the scenario's
	Every         time.Duration  // one so often; 0: at random
	AllowMajority bool
	// Given is a schedule to follow instead of one that is drawn.
	Given *random.Schedule
	// Do does one fault, as its sentence says.
	Do func(ctx context.Context, fault string) error
}

// horizon is how much of a schedule without an end is drawn, and written down, at a time.
const horizon = time.Minute

// Strike lets faults strike: for a time during which the sentence waits, for the next time, or until they are told to
// stop. The schedule is drawn from the seed and written into the record before it begins. Each strike is a harm of its
// own, which heals when its time is over; what died of it is started again. One that cannot be done is told, and that
// none could be done is an error.
func (w *World) Strike(ctx context.Context, f RandomFaults, l Length) error {
	if blowOf(ctx) != nil {
		return errors.New("random faults cannot be a random fault themselves")
	}
	s, err := w.schedule(ctx, f, &l)
	if err != nil {
		return err
	}
	s.until = l
	s.claimed = l.Kind == ForWait
	a := &active{
		id: w.nextID("harm"), kind: kindRandom, who: s.nodes, what: "random faults",
		undo: func(context.Context) error { return nil }, gauge: s.receipt,
	}
	if err := w.begin(ctx, a, Length{D: l.D}); err != nil {
		return err
	}
	s.whole = a
	w.mu.Lock()
	w.random = append(w.random, s)
	w.mu.Unlock()
	w.background(s.run)
	if l.Kind != ForWait {
		return nil
	}
	select {
	case <-s.done:
		return s.err
	case <-ctx.Done():
		s.stop()
		<-s.done
		return errors.Join(fmt.Errorf("random faults for %s: %w", l.D, context.Cause(ctx)), s.err)
	}
}

// StopFaults ends what strikes at random: all of it heals, and what is down is started.
func (w *World) StopFaults(ctx context.Context) error {
	w.mu.Lock()
	begun := len(w.random)
	w.mu.Unlock()
	if begun == 0 {
		return errors.New("the faults stop: none strikes\nhint: begin with `random faults strike`, or `every 5s a random node is killed`")
	}
	return w.stopRandom(ctx)
}

// stopRandom ends all random faults, if any are on.
func (w *World) stopRandom(ctx context.Context) error {
	if blowOf(ctx) != nil {
		return nil // a fault that heals everything must not wait for its own end
	}
	on := w.striking()
	for _, s := range on {
		s.claim()
		s.stop()
	}
	var errs []error
	for _, s := range on {
		select {
		case <-s.done:
			errs = append(errs, s.err)
		case <-ctx.Done():
			errs = append(errs, fmt.Errorf("wait until the faults stop: %w", context.Cause(ctx)))
		}
	}
	return errors.Join(errs...)
}

// striking lists what strikes now.
func (w *World) striking() []*striking {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.random), func(s *striking) bool { return s.over() })
}

// schedule draws what is to strike, or takes what is given, and writes it into the record.
func (w *World) schedule(ctx context.Context, f RandomFaults, l *Length) (*striking, error) {
	w.mu.Lock()
	part := len(w.random)
	w.mu.Unlock()
	s := &striking{w: w, do: f.Do, seed: f.Seed, stopping: make(chan struct{}), done: make(chan struct{})}
	if s.seed == 0 {
		s.seed = w.seed
	}
	cfg := w.randomConfig(f, s, part)
	if len(s.nodes) == 0 {
		return nil, errors.New("there is no cluster yet for faults to strike\nhint: begin with \"Given a 3-node cluster running etcd\"")
	}
	asked := strings.TrimSuffix(sentenceOf(ctx), ":")
	given, err := w.givenSchedule(f, part)
	switch {
	case err != nil:
		return nil, err
	case given != nil:
		s.plan = *given
		if l.Kind != UntilHealed && given.Length > 0 {
			l.D = given.Length
		}
		s.plan.Strikes = slices.DeleteFunc(slices.Clone(given.Strikes), func(k random.Strike) bool { return l.D > 0 && k.At >= l.D })
	default:
		cfg.Length = l.D
		var left []string
		if s.draw, left, err = random.New(cfg, len(f.Faults) == 0); err != nil {
			return nil, err
		}
		for _, kind := range left {
			w.rec.Note("", "random faults leave out "+kind)
		}
		s.guard = &cfg
		s.more(l.D)
	}
	s.plan.Asked, s.plan.Length, s.plan.Next = asked, l.D, l.Kind == ForNext
	return s, w.writeSchedule(s.plan)
}

// givenSchedule is the schedule of the sentence, or of the file that the whole run replays.
func (w *World) givenSchedule(f RandomFaults, part int) (*random.Schedule, error) {
	file := w.suite.opts.Schedule
	if file == nil {
		return f.Given, nil
	}
	if file.Scenario != "" && file.Scenario != w.scenario.Info.Name {
		return nil, fmt.Errorf("the schedule to replay is that of the scenario %q, not of %q\nhint: BRINE_FEATURES and BRINE_NAME select one scenario", file.Scenario, w.scenario.Info.Name)
	}
	if part >= len(file.Schedules) {
		return nil, fmt.Errorf("the schedule to replay has %d parts, and this is sentence %d that lets faults strike", len(file.Schedules), part+1)
	}
	return &file.Schedules[part], nil
}

// randomConfig tells whom random faults may strike, and what must stay up.
func (w *World) randomConfig(f RandomFaults, s *striking, part int) random.Config {
	cfg := random.Config{Seed: s.seed, Faults: f.Faults, Every: f.Every, AllowMajority: f.AllowMajority}
	if f.Seed == 0 {
		cfg.Stream = fmt.Sprintf("%s, part %d", w.scenario.Info.Name, part+1)
	}
	if len(cfg.Faults) == 0 {
		cfg.Faults = random.Usual()
	}
	for _, e := range w.electorates() {
		var group []string
		for _, v := range w.voters(e) {
			group = append(group, v.node.Name)
		}
		cfg.Groups = append(cfg.Groups, group)
	}
	w.mu.Lock()
	clusters := slices.Clone(w.clusters)
	w.mu.Unlock()
	inClusters := slices.ContainsFunc(clusters, func(c *Cluster) bool { return !c.loose })
	for i, c := range clusters {
		if c.loose && inClusters {
			continue // a node beside a cluster uses it, and is no part of it
		}
		for _, n := range c.nodes {
			disk := slices.ContainsFunc(n.services, func(s *Service) bool { return s.disk != nil })
			cfg.Nodes = append(cfg.Nodes, random.Node{Name: n.Name, Cluster: i, Disk: disk})
			s.nodes = append(s.nodes, n)
		}
		cfg.Groups = append(cfg.Groups, nodeNames(c.nodes))
	}
	return cfg
}

// writeSchedule puts a schedule into the record, and adds it to the scenario's schedule file, which replays it.
func (w *World) writeSchedule(s random.Schedule) error {
	w.rec.AttachText("schedule of the random faults", "text/plain", fmt.Sprintf("# seed: %d\n%s", w.seed, s))
	w.mu.Lock()
	defer w.mu.Unlock()
	flags := os.O_WRONLY | os.O_APPEND
	text := random.Part(s)
	if w.scheduleFile == "" {
		path, rel := w.rec.Artifact(ScheduleFile)
		w.scheduleFile = path
		flags |= os.O_CREATE | os.O_TRUNC
		text = random.File{Scenario: w.scenario.Info.Name, Seed: w.seed}.Head() + text
		w.rec.Attach(record.Attachment{Name: ScheduleFile, MediaType: ScheduleType, File: rel})
	}
	f, err := os.OpenFile(w.scheduleFile, flags, 0o644)
	if err != nil {
		return fmt.Errorf("schedule of the random faults: %w", err)
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// ScheduleFile is the artifact that holds a scenario's schedules, ScheduleType its media type in the record.
const (
	ScheduleFile = "schedule.txt"
	ScheduleType = "text/x-brine-schedule"
)

// unstruck tells of random faults none of which could be done before the scenario ended.
func (w *World) unstruck() error {
	var errs []error
	for _, s := range w.striking() {
		errs = append(errs, s.judge())
	}
	if slices.Contains(w.scenario.Info.Tags, strictTag) {
		w.mu.Lock()
		all := slices.Clone(w.random)
		w.mu.Unlock()
		for _, s := range all {
			errs = append(errs, s.undone())
		}
	}
	return errors.Join(errs...)
}
