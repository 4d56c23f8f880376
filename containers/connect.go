package containers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/containerd/containerd/api/services/tasks/v1"
	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/errdefs"

	"brine.test/brine/containers/cgroup"
	"brine.test/brine/containers/engine"
)

const (
	// sharedNS is the containerd namespace of images and snapshots.
	sharedNS = "brine"
	// imagesLease keeps unpacked images in the private daemon between runs.
	imagesLease = "brine-images"

	labelRun     = "brine.run"
	labelGroup   = "brine.group"
	labelNode    = "brine.node"
	labelService = "brine.service"

	// width is how many calls to containerd a bulk operation makes at a time.
	width = 8
	// undoTime is how long one clean-up may take when its caller has given up.
	undoTime = 10 * time.Second
)

// Config says which run this is and where things are kept.
type Config struct {
	RunID    string // 8 letters and digits, unique on this machine
	StateDir string // default $BRINE_STATE, else /run/brine
	CacheDir string // default $BRINE_CACHE, else /var/cache/brine
	// Address is the socket of a containerd (2.0 or newer) to use instead of
	// the private one. Default $CONTAINERD_ADDRESS.
	Address string
	// Room bounds the file systems of all containers of the private daemon together,
	// in bytes, but for their data. 0 takes half of the machine's memory.
	Room     int64
	Progress func(string) // told what takes long; may be nil
}

func (c Config) withDefaults() Config {
	first := func(values ...string) string {
		for _, v := range values {
			if v != "" {
				return v
			}
		}
		return ""
	}
	c.StateDir = first(c.StateDir, os.Getenv("BRINE_STATE"), engine.DefaultStateDir)
	c.CacheDir = first(c.CacheDir, os.Getenv("BRINE_CACHE"), engine.DefaultCacheDir)
	c.Address = first(c.Address, os.Getenv("CONTAINERD_ADDRESS"))
	return c
}

// namespaceOf is the containerd namespace of a run's containers.
func namespaceOf(run string) string { return sharedNS + "-" + run }

// cgroupOf is the control group of all processes of a run.
func cgroupOf(run string) string { return "/brine/" + run }

// Runtime is a run's connection to containerd.
type Runtime struct {
	cfg         Config
	engine      *engine.Engine // nil when the user named a containerd
	client      *containerd.Client
	tree        *cgroup.Tree
	snapshotter string // "overlayfs", or "native" where the kernel or file system lacks it
	daemonPID   int
	seccomp     bool
	lease       leases.Lease // of the images this run uses
	hold        string       // folder that anchors see as their root

	events *dispatcher
	tails  *tailer

	mu     sync.Mutex
	groups map[string]*Group
	images map[string]*imageEntry
}

// Connect starts the private containerd, or joins the one that runs, or
// connects to the one that is named. Needs root.
func Connect(ctx context.Context, cfg Config) (_ *Runtime, err error) {
	cfg = cfg.withDefaults()
	if cfg.RunID == "" {
		return nil, errors.New("containers: no run id")
	}
	if os.Geteuid() != 0 {
		return nil, errors.New("containers: needs root\nhint: run with sudo")
	}
	rt := &Runtime{cfg: cfg, seccomp: true, groups: map[string]*Group{}, images: map[string]*imageEntry{}}
	defer func() {
		if err != nil {
			rt.disconnect()
		}
	}()
	if rt.tree, err = cgroup.Open(); err != nil {
		return nil, fmt.Errorf("containers: %w", err)
	}
	if err := rt.dial(ctx); err != nil {
		return nil, fmt.Errorf("containers: %w", err)
	}
	if err := rt.prepare(ctx); err != nil {
		return nil, fmt.Errorf("containers: %w", err)
	}
	return rt, nil
}

// dial finds or starts the daemon and connects to it.
func (rt *Runtime) dial(ctx context.Context) error {
	address := rt.cfg.Address
	if address == "" {
		e, err := engine.Start(ctx, engine.Config{StateDir: rt.cfg.StateDir, CacheDir: rt.cfg.CacheDir, Size: rt.cfg.Room, Progress: rt.cfg.Progress})
		if err != nil {
			return err
		}
		rt.engine, rt.daemonPID, address = e, e.PID, e.Address
	}
	client, err := containerd.New(address, containerd.WithTimeout(10*time.Second))
	if err != nil {
		return fmt.Errorf("%s: %w\nhint: CONTAINERD_ADDRESS must name the socket of a running containerd, or be unset", address, err)
	}
	rt.client = client
	if rt.engine == nil {
		return rt.inspectNamed(ctx)
	}
	return nil
}

// inspectNamed learns of a containerd that we did not start what we know of
// our own.
func (rt *Runtime) inspectNamed(ctx context.Context) error {
	server, err := rt.client.IntrospectionService().Server(ctx)
	if err != nil {
		return fmt.Errorf("containerd at %s: %w", rt.cfg.Address, err)
	}
	rt.daemonPID = int(server.Pid)
	info, err := rt.client.RuntimeInfo(rt.runCtx(ctx), runtimeName, nil)
	if err != nil {
		return nil //nolint:nilerr // an old runc does not tell; the default profile is then tried
	}
	if f := info.Features; f != nil {
		rt.seccomp = seccompEnabled(f)
	}
	return nil
}

// prepare makes what a run has once.
func (rt *Runtime) prepare(ctx context.Context) error {
	var err error
	if rt.snapshotter, err = rt.chooseSnapshotter(ctx); err != nil {
		return err
	}
	if rt.hold, err = makeHold(rt.cfg.StateDir); err != nil {
		return err
	}
	if err := rt.tree.Hold(cgroupOf(rt.cfg.RunID)); err != nil {
		return err
	}
	labels := map[string]string{labelRun: rt.cfg.RunID}
	shared := rt.sharedCtx(ctx)
	rt.lease, err = rt.client.LeasesService().Create(shared, leases.WithID("brine-"+rt.cfg.RunID), leases.WithLabels(labels))
	if err != nil {
		return fmt.Errorf("lease of run %s: %w", rt.cfg.RunID, err)
	}
	if rt.engine != nil {
		_, err := rt.client.LeasesService().Create(shared, leases.WithID(imagesLease))
		if err != nil && !errdefs.IsAlreadyExists(err) {
			return fmt.Errorf("lease of images: %w", err)
		}
	}
	if err := rt.client.NamespaceService().Create(ctx, namespaceOf(rt.cfg.RunID), labels); err != nil {
		return fmt.Errorf("namespace of run %s: %w", rt.cfg.RunID, err)
	}
	if rt.tails, err = newTailer(); err != nil {
		return err
	}
	rt.events, err = startDispatcher(rt)
	return err
}

// chooseSnapshotter takes overlayfs where containerd has it working.
func (rt *Runtime) chooseSnapshotter(ctx context.Context) (string, error) {
	plugins, err := rt.client.IntrospectionService().Plugins(ctx, "type==io.containerd.snapshotter.v1")
	if err != nil {
		return "", fmt.Errorf("containerd: list snapshotters: %w", err)
	}
	working := map[string]bool{}
	for _, p := range plugins.Plugins {
		working[p.ID] = p.InitErr == nil
	}
	for _, name := range []string{"overlayfs", "native"} {
		if working[name] {
			return name, nil
		}
	}
	return "", errors.New("containerd has neither the overlayfs nor the native snapshotter")
}

// makeHold makes the folder that the anchors' processes have as their root.
// The program there is looked for, and never run.
func makeHold(stateDir string) (string, error) {
	dir := filepath.Join(stateDir, "hold")
	if err := os.MkdirAll(filepath.Join(dir, "proc"), 0o755); err != nil {
		return "", err
	}
	return dir, os.WriteFile(filepath.Join(dir, "hold"), nil, 0o755)
}

// MountNamespace is the path of the mount namespace in which containers' root
// file systems are assembled. What is to appear in a container as a volume must
// be mounted there.
func (rt *Runtime) MountNamespace() string { return fmt.Sprintf("/proc/%d/ns/mnt", rt.daemonPID) }

// Daemon is containerd's process, 0 when it is not our own.
func (rt *Runtime) Daemon() int {
	if rt.engine == nil {
		return 0
	}
	return rt.daemonPID
}

// Ended says that containerd has ended, nil while it has not. Containers run on
// without it; nobody learns of their ends, and no other can be started.
func (rt *Runtime) Ended() error {
	select {
	case <-rt.events.ended:
		return ErrEngineGone
	default:
		return nil
	}
}

// Close closes what groups are left, gives the run's images and namespace up,
// and lets the daemon go.
func (rt *Runtime) Close(ctx context.Context) error {
	var errs []error
	rt.mu.Lock()
	var open []*Group
	for _, g := range rt.groups {
		open = append(open, g)
	}
	rt.mu.Unlock()
	for _, g := range open {
		errs = append(errs, g.Close(ctx))
	}
	errs = append(errs, rt.tree.Group(cgroupOf(rt.cfg.RunID)).Remove(ctx))
	rt.events.stop()
	errs = append(errs, ignoreGone(rt.client.LeasesService().Delete(rt.sharedCtx(ctx), rt.lease)))
	errs = append(errs, ignoreGone(rt.client.NamespaceService().Delete(ctx, namespaceOf(rt.cfg.RunID))))
	rt.disconnect()
	if err := joined(errs); err != nil {
		return fmt.Errorf("containers: close run %s: %w", rt.cfg.RunID, err)
	}
	return nil
}

func (rt *Runtime) disconnect() {
	if rt.tails != nil {
		rt.tails.stop()
	}
	if rt.client != nil {
		_ = rt.client.Close()
	}
	if rt.engine != nil {
		_ = rt.engine.Close()
	}
}

func (rt *Runtime) sharedCtx(ctx context.Context) context.Context {
	return namespaces.WithNamespace(ctx, sharedNS)
}

func (rt *Runtime) runCtx(ctx context.Context) context.Context {
	return namespaces.WithNamespace(ctx, namespaceOf(rt.cfg.RunID))
}

func (rt *Runtime) tasks() tasks.TasksClient { return rt.client.TaskService() }

// undo gives a clean-up a time of its own, which its caller's end does not cut.
func undo(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), undoTime)
}
