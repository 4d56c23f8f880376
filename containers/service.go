package containers

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"sync"
	"time"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/typeurl/v2"
	"github.com/opencontainers/runtime-spec/specs-go"

	"brine.test/brine/containers/cgroup"
)

// ServiceSpec is what a service is made of.
type ServiceSpec struct {
	Name    string
	Image   *Image
	Command []string          // instead of the image's entrypoint and arguments
	Args    []string          // after the entrypoint or Command
	Env     map[string]string // over the image's
	Files   map[string]string // path in the container → content
	Data    string            // path in the container of the volume; empty: none
	// DataSource is the folder behind the volume, as containerd's mount
	// namespace sees it; for a volume that fails. Default: DataDir().
	DataSource string
	Memory     int64   // bytes; 0: no limit but the node's
	CPU        float64 // CPUs; 0: no limit but the node's
}

// Service is one program of a node, in a container of its own.
type Service struct {
	Name string

	node   *Node
	id     string // the container's
	cgroup *cgroup.Group

	op      sync.Mutex // one change at a time: start, image, wipe, remove
	spec    ServiceSpec
	rootfs  []mount.Mount // of the root file system
	oci     *specs.Spec
	wants32 bool // its image holds 32-bit programs
	disks   int  // snapshots made so far

	mu    sync.Mutex
	cur   *incarnation // nil when no task is there
	state State
	execs int
}

// Add makes a service on the node: its disk, its files and its container. It
// does not start it.
func (n *Node) Add(ctx context.Context, spec ServiceSpec) (_ *Service, err error) {
	s := &Service{Name: spec.Name, node: n, id: n.group.nextID(), spec: spec, state: State{Status: Created}}
	s.cgroup = n.cgroup.Child(spec.Name)
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s: %s: %w", n.Name, spec.Name, err)
		}
	}()
	if spec.Image == nil {
		return nil, errors.New("no image")
	}
	if err := n.claim(s); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			ctx, cancel := undo(ctx)
			defer cancel()
			err = errors.Join(err, s.remove(ctx))
		}
	}()
	if err := os.MkdirAll(s.DataDir(), 0o755); err != nil {
		return nil, err
	}
	sp, err := s.newDisk(ctx)
	if err != nil {
		return nil, err
	}
	rt := n.group.rt
	sandboxID, err := n.group.join(ctx)
	if err != nil {
		return nil, err
	}
	labels := map[string]string{labelRun: rt.cfg.RunID, labelGroup: n.group.Name, labelNode: n.Name, labelService: s.Name}
	rt.events.register(s)
	err = rt.createContainer(rt.runCtx(ctx), containers.Container{ID: s.id, Labels: labels, SandboxID: sandboxID}, sp)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// claim takes the service's name on the node.
func (n *Node) claim(s *Service) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.services[s.Name] != nil {
		return errors.New("there is a service of that name")
	}
	n.services[s.Name] = s
	return nil
}

// newDisk makes a root file system from the image, with the service's files on
// it, and returns the container's specification for it.
func (s *Service) newDisk(ctx context.Context) (*specs.Spec, error) {
	g := s.node.group
	s.disks++
	mounts, err := g.snapshots().Prepare(g.snapCtx(ctx), s.diskKey(), s.spec.Image.chain)
	if err != nil {
		return nil, fmt.Errorf("disk: %w", err)
	}
	s.rootfs = mounts
	var user specs.User
	var owner *folder
	err = g.rt.inRootfs(ctx, mounts, func() error {
		var err error
		if user, err = lookupUser(s.spec.Image.User); err != nil {
			return err
		}
		if err := ensureTmp(); err != nil {
			return err
		}
		if s.spec.Data != "" {
			owner = lookFolder(s.spec.Data)
		}
		s.wants32 = holds32(s.program())
		return placeFiles(s.spec.Files, int(user.UID), int(user.GID))
	})
	if err != nil {
		return nil, fmt.Errorf("disk: %w", err)
	}
	if owner != nil && s.disks == 1 {
		if err := owner.apply(s.DataDir()); err != nil {
			return nil, err
		}
	}
	s.oci = s.ociSpec(newProcess(s.spec.Image, s.spec, user))
	return s.oci, nil
}

func (s *Service) diskKey() string { return fmt.Sprintf("%s-disk%d", s.id, s.disks) }

// SetImage gives a stopped service another image, command and arguments. Its
// volume stays, its root file system is new.
func (s *Service) SetImage(ctx context.Context, img *Image, command, args []string) error {
	s.op.Lock()
	defer s.op.Unlock()
	if s.task() != nil {
		return s.errorf("%w", ErrRunning)
	}
	s.spec.Image, s.spec.Command, s.spec.Args = img, command, args
	return s.replaceDisk(ctx)
}

// replaceDisk swaps the root file system for a new one; s.op is held.
func (s *Service) replaceDisk(ctx context.Context) error {
	g, old := s.node.group, s.diskKey()
	sp, err := s.newDisk(ctx)
	if err != nil {
		return s.errorf("%w", err)
	}
	text, err := typeurl.MarshalAny(sp)
	if err != nil {
		return s.errorf("%w", err)
	}
	c := containers.Container{ID: s.id, Spec: text}
	if _, err := g.rt.client.ContainerService().Update(g.rt.runCtx(ctx), c, "spec"); err != nil {
		return s.errorf("%w", err)
	}
	return s.wrap(ignoreGone(g.snapshots().Remove(g.snapCtx(ctx), old)))
}

// wipe empties the volume and the root file system of a stopped service.
func (s *Service) wipe(ctx context.Context) error {
	s.op.Lock()
	defer s.op.Unlock()
	if s.task() != nil {
		return s.errorf("%w", ErrRunning)
	}
	entries, err := os.ReadDir(s.DataDir())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s.errorf("%w", err)
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(s.DataDir(), e.Name())); err != nil {
			return s.errorf("%w", err)
		}
	}
	return s.replaceDisk(ctx)
}

// remove removes the container and its record. The disk goes with the group's
// lease. Whatever is gone already is no error.
func (s *Service) remove(ctx context.Context) error {
	if s.task() != nil {
		if err := s.cgroup.Kill(ctx); err != nil {
			return s.wrap(err)
		}
		if err := s.awaitExit(ctx); err != nil {
			return err
		}
	}
	s.op.Lock()
	defer s.op.Unlock()
	rt := s.node.group.rt
	rt.events.forget(s)
	if err := ignoreGone(rt.client.ContainerService().Delete(rt.runCtx(ctx), s.id)); err != nil {
		return s.wrap(err)
	}
	s.node.mu.Lock()
	defer s.node.mu.Unlock()
	delete(s.node.services, s.Name)
	return nil
}

func (s *Service) dir() string { return filepath.Join(s.node.spec.Dir, s.Name) }

// DataDir is the folder on the host that holds the service's volume.
func (s *Service) DataDir() string { return filepath.Join(s.dir(), "data") }

func (s *Service) dataSource() string {
	if s.spec.DataSource != "" {
		return s.spec.DataSource
	}
	return s.DataDir()
}

// LogPaths are the files that the program's standard output and standard error
// go to, appended over restarts.
func (s *Service) LogPaths() (stdout, stderr string) {
	return filepath.Join(s.dir(), "stdout.log"), filepath.Join(s.dir(), "stderr.log")
}

// Status is what a service is doing.
type Status string

// The states of a service.
const (
	Created Status = "created" // never started
	Running Status = "running"
	Paused  Status = "paused" // by itself or with its node
	Exited  Status = "exited"
)

// State is a service's state at one moment.
type State struct {
	Status Status
	PID    int       // of the first process, in the host's numbers; 0 when not up
	Since  time.Time // when it came into this state
	Code   int       // exit code of the last run; 128+signal when a signal ended it
	Signal int       // the signal that ended the last run, or 0
	OOM    bool      // the last run was ended by the kernel for lack of memory
	Starts int       // how often it was started
}

// Up tells whether the service has a live process, paused or not.
func (s State) Up() bool { return s.Status == Running || s.Status == Paused }

// State tells the service's state as containerd's events have it.
func (s *Service) State() State {
	paused := s.node.isPaused()
	s.mu.Lock()
	defer s.mu.Unlock()
	if paused && s.state.Status == Running {
		st := s.state
		st.Status = Paused
		return st
	}
	return s.state
}

func (s *Service) errorf(format string, args ...any) error {
	return fmt.Errorf("%s: %s: %w", s.node.Name, s.Name, fmt.Errorf(format, args...))
}

func (s *Service) wrap(err error) error {
	if err == nil {
		return nil
	}
	return s.errorf("%w", err)
}

func sortedKeys(m map[string]string) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}
