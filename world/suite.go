package world

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"brine.test/brine/containers"
	"brine.test/brine/containers/engine"
	"brine.test/brine/world/cleanup"
	"brine.test/brine/world/random"
	"brine.test/brine/world/record"
	"brine.test/brine/world/run"
	"brine.test/brine/xdpfault"
)

// Folders outside the project that the framework writes to; the environment's
// BRINE_STATE and BRINE_CACHE replace them.
const (
	defaultState = "/run/brine"
	defaultCache = "/var/cache/brine"
)

// SuiteOptions say where a suite keeps its things, and its seed.
type SuiteOptions struct {
	StateDir, CacheDir string // "" for BRINE_STATE, BRINE_CACHE, or their defaults
	Out                string // folder of the record and the artifacts
	Seed               uint64
	Again              string // the command that runs the same again
	Selection          record.Selection
	Schedule           *random.File // of random faults to replay, instead of drawing them
}

// Suite is what the scenarios of one process share: the run with its lock and
// its reaper, the record, and the container runtime, which is connected when
// the first scenario needs it.
type Suite struct {
	opts SuiteOptions
	run  *run.Run
	rec  *record.Recorder
	undo cleanup.Stack

	mu     sync.Mutex
	rt     *containers.Runtime
	rtErr  error
	worlds map[string]*World // by group name, for the events
	count  int
	closed bool
}

// OpenSuite starts a run: its folder, lock and reaper, its record; and sweeps
// what dead runs left.
func OpenSuite(ctx context.Context, o SuiteOptions) (_ *Suite, err error) {
	o.StateDir = orEnv(o.StateDir, "BRINE_STATE", defaultState)
	o.CacheDir = orEnv(o.CacheDir, "BRINE_CACHE", defaultCache)
	s := &Suite{opts: o, worlds: map[string]*World{}}
	defer s.undo.CloseOnError(ctx, &err)

	s.run, err = run.Start(ctx, run.Options{StateDir: o.StateDir})
	if err != nil {
		return nil, fmt.Errorf("start a run: %w", err)
	}
	s.undo.Push("run "+s.run.ID, 20*time.Second, func(context.Context) error { return s.run.Close() })
	if err := os.MkdirAll(o.Out, 0o755); err != nil {
		return nil, err
	}
	// Those of the run before would be taken for this one's.
	if err := os.RemoveAll(filepath.Join(o.Out, "artifacts")); err != nil {
		return nil, err
	}
	s.rec, err = record.Open(filepath.Join(o.Out, "events.jsonl"), record.RunInfo{
		ID: s.run.ID, Seed: o.Seed, Again: o.Again, Selection: o.Selection,
		FaultHook: orEnv("", "BRINE_HOOK", xdpfault.HookTC.String()), Versions: versions(),
	})
	if err != nil {
		return nil, err
	}
	s.undo.Push("record", 20*time.Second, func(context.Context) error { return s.rec.Close() })
	if err := s.sweep(ctx); err != nil {
		// What cannot be swept now is swept by a later run; it does no harm to this one.
		s.rec.Note(record.LevelWarning, "sweep of dead runs: "+err.Error())
	}
	return s, nil
}

// versions lists the programs that this run depends on.
func versions() []record.Version {
	var out []record.Version
	for name, version := range engine.Versions() {
		out = append(out, record.Version{Name: name, Version: version})
	}
	// One engine serves all kernels: netem and fq are not used where they exist.
	out = append(out, record.Version{Name: "delay and bandwidth", Version: "delay line in user space"})
	slices.SortFunc(out, func(a, b record.Version) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func orEnv(v, name, otherwise string) string {
	if v != "" {
		return v
	}
	if v = os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

// Record is the run's record.
func (s *Suite) Record() *record.Recorder { return s.rec }

// Out is the folder of the record and the artifacts.
func (s *Suite) Out() string { return s.opts.Out }

// ID is the run's id.
func (s *Suite) ID() string { return s.run.ID }

func (s *Suite) tell(text string) {
	s.rec.Stage(record.Stage{Name: text})
}

// runtimeConfig is how this run reaches its container engine.
func (s *Suite) runtimeConfig() containers.Config {
	return containers.Config{
		RunID: s.run.ID, StateDir: s.opts.StateDir, CacheDir: s.opts.CacheDir,
		Address: os.Getenv("CONTAINERD_ADDRESS"), Progress: s.tell,
	}
}

// sweep removes what dead runs left: containers first, then cgroups, mounts and
// files. It never touches a living run.
func (s *Suite) sweep(ctx context.Context) error {
	return s.run.Sweep(ctx, func(ctx context.Context, id string) error {
		return containers.Sweep(ctx, s.runtimeConfig(), []string{id}, s.run.Alive)
	})
}

// runtime connects to the container engine, once.
func (s *Suite) runtime(ctx context.Context) (*containers.Runtime, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rt != nil || s.rtErr != nil {
		return s.rt, s.rtErr
	}
	s.rt, s.rtErr = containers.Connect(context.WithoutCancel(ctx), s.runtimeConfig())
	if s.rtErr != nil {
		return nil, s.rtErr
	}
	events, stop := context.WithCancel(context.WithoutCancel(ctx))
	ch := s.rt.Subscribe(events)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for e := range ch {
			s.deliver(e)
		}
	}()
	rt := s.rt
	s.undo.Push("container runtime", 60*time.Second, func(ctx context.Context) error {
		stop()
		err := rt.Close(ctx)
		select {
		case <-done:
		case <-ctx.Done():
		}
		return err
	})
	return s.rt, nil
}

// deliver hands a container's event to the scenario that it belongs to.
func (s *Suite) deliver(e containers.Event) {
	s.mu.Lock()
	w := s.worlds[e.Group]
	s.mu.Unlock()
	if w != nil {
		w.containerEvent(e)
	}
}

// Worlds lists the scenarios that are not closed, for an early end.
func (s *Suite) Worlds() []*World {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*World, 0, len(s.worlds))
	for _, w := range s.worlds {
		out = append(out, w)
	}
	return out
}

// Close tears down what is still open and ends the run.
func (s *Suite) Close(ctx context.Context) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	var errs []error
	for _, w := range s.Worlds() {
		errs = append(errs, w.Close(ctx))
	}
	s.rec.End(nil)
	errs = append(errs, s.undo.Close(ctx))
	return errors.Join(errs...)
}
