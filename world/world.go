package world

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"brine.test/brine/containers"
	"brine.test/brine/netfab"
	"brine.test/brine/world/catalogue"
	"brine.test/brine/world/cleanup"
	"brine.test/brine/world/record"
	"brine.test/brine/xdpfault"
)

// Needs is what a scenario's sentences ask for before its cluster starts.
type Needs struct {
	Disk, Clock, Observe, Capture bool
	Traffic                       bool // counters are read when a harm begins and ends

	// Secrets are the paths in JSON of responses whose values a later sentence remembers under a name that looks secret:
	// by then the response has been recorded.
	Secrets []string
}

// Scenario says which scenario a World is for.
type Scenario struct {
	Info  record.ScenarioInfo // Seed and Slug are filled in when empty
	Needs Needs
}

// World is one scenario: what it built, what was done to it, and how to undo it.
type World struct {
	suite    *Suite
	scenario Scenario
	id       string
	seed     uint64
	dir      string // state: logs and volumes of the nodes, gone at the end
	baseDir  string // folder of the feature file
	rec      *record.Scenario
	undo     cleanup.Stack

	rt     *containers.Runtime
	group  *containers.Group
	net    *netfab.Network
	faults *xdpfault.Engine
	lookup *catalogue.Catalogue

	bgCtx  context.Context
	bgStop context.CancelFunc
	bg     sync.WaitGroup
	seq    atomic.Int64

	mu        sync.Mutex
	rng       *rand.Rand
	clusters  []*Cluster
	harms     []*active
	triggers  []*trigger
	random    []*striking // what sentences let strike at random
	captures  []*capture
	sight     sight
	bgErrs    []error
	surprises []string // services that died by themselves, not told yet
	lastNamed map[*Node]bool
	last      map[string][]*Node // last isolated, killed, paused
	leaders   map[electorate]*leadership
	memo      map[string]string
	memoWho   map[string][]*Node
	aliases   map[string][]string
	left      map[string]bool // names of nodes that left
	claimed   map[string]claimed
	response  *response
	command   *command
	query     *query
	internet  bool
	closed    bool
	onClose   []func()

	scheduleFile string // that replays the random faults; "" before the first

	work works
}

type worldKey struct{}

// Into puts the world into a context; From takes it out.
func Into(ctx context.Context, w *World) context.Context {
	return context.WithValue(ctx, worldKey{}, w)
}

// From gives the world of the scenario that ctx belongs to.
func From(ctx context.Context) (*World, error) {
	if w, ok := ctx.Value(worldKey{}).(*World); ok {
		return w, nil
	}
	return nil, errors.New("no scenario runs in this context\nhint: register the hooks with steps.InitializeScenario")
}

// NewWorld begins a scenario. Nothing is made in the kernel until the first
// sentence that builds.
func (s *Suite) NewWorld(_ context.Context, sc Scenario) (*World, error) {
	s.mu.Lock()
	s.count++
	id := fmt.Sprintf("%s-%d", s.run.ID, s.count)
	s.mu.Unlock()
	if sc.Info.Seed == 0 {
		sc.Info.Seed = s.opts.Seed
	}
	sc.Info.ID = id
	w := &World{
		suite: s, scenario: sc, id: id, seed: sc.Info.Seed,
		dir: filepath.Join(s.run.Dir, id), baseDir: filepath.Dir(sc.Info.URI),
		rng:  newRand(sc.Info.Seed, filepath.Base(sc.Info.URI)+":"+sc.Info.Name),
		last: map[string][]*Node{}, leaders: map[electorate]*leadership{},
		memo: map[string]string{}, memoWho: map[string][]*Node{}, aliases: map[string][]string{}, left: map[string]bool{}, claimed: map[string]claimed{},
	}
	w.lookup = catalogue.New(sc.Info.URI)
	w.bgCtx, w.bgStop = context.WithCancel(context.Background())
	w.rec = s.rec.Scenario(sc.Info)
	if err := os.MkdirAll(w.dir, 0o700); err != nil {
		return nil, err
	}
	w.undo.Push("folder "+w.dir, 30*time.Second, func(context.Context) error { return os.RemoveAll(w.dir) })
	s.mu.Lock()
	s.worlds[id] = w
	s.mu.Unlock()
	return w, nil
}

// Record is the scenario's part of the run's record.
func (w *World) Record() *record.Scenario { return w.rec }

// ID is the scenario's id: RUN-N.
func (w *World) ID() string { return w.id }

// BaseDir is the folder that relative paths of sentences start at.
func (w *World) BaseDir() string { return w.baseDir }

// begun makes what the first building sentence needs: the container runtime,
// the network with its first nodes, the fault engine and the scenario's
// container group.
func (w *World) begun(ctx context.Context, nodes ...string) error {
	if w.group != nil {
		return nil
	}
	rt, err := w.suite.runtime(ctx)
	if err != nil {
		return err
	}
	if err := rt.Ended(); err != nil {
		return fmt.Errorf("%w\nhint: run again; what is left of this run is removed then", err)
	}
	w.rt = rt
	group, err := rt.NewGroup(ctx, w.id) // first: its shim is on its way while the network is made
	if err != nil {
		return fmt.Errorf("make the containers' group: %w", err)
	}
	defer func() { w.undo.Push("containers", 60*time.Second, group.Close) }() // before the network's
	w.net, err = netfab.New(ctx, netfab.Config{Name: "brine-" + w.id, Nodes: nodes, Switch: w.openFaults})
	if err != nil {
		return fmt.Errorf("make the network: %w", err)
	}
	w.undo.Push("network", 20*time.Second, func(context.Context) error { return w.net.Close() })
	w.group = group
	return nil
}

// background runs f beside the scenario's steps until it returns or the
// scenario ends; its error fails the scenario.
func (w *World) background(f func(context.Context) error) {
	w.bg.Add(1)
	go func() {
		defer w.bg.Done()
		err := protect(func() error { return f(w.bgCtx) })
		if err == nil || w.bgCtx.Err() != nil {
			return
		}
		w.mu.Lock()
		w.bgErrs = append(w.bgErrs, err)
		w.mu.Unlock()
	}()
}

// protect turns a panic into an error.
func protect(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return f()
}

// nextID numbers things of this scenario.
func (w *World) nextID(kind string) string {
	return fmt.Sprintf("%s.%s%d", w.id, kind, w.seq.Add(1))
}

// Trouble tells what went wrong beside the steps since it was last asked, and which
// of the processes that keep harm up do not.
func (w *World) Trouble() error {
	w.mu.Lock()
	beside := w.bgErrs
	w.bgErrs = nil
	w.mu.Unlock()
	return errors.Join(errors.Join(beside...), w.brokenError())
}

// OnClose runs f at the very end of Close.
func (w *World) OnClose(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.onClose = append(w.onClose, f)
}
