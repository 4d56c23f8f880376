package containers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"sync"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/mount"
	"github.com/opencontainers/runtime-spec/specs-go"

	"brine.test/brine/containers/cgroup"
)

// ServiceSpec is what a service is made of.
type ServiceSpec struct {
	Name    string
	Image   *Image
	User    string            // as an image says it; empty: the image's own
	Command []string          // instead of the image's entrypoint and arguments
	Args    []string          // after the entrypoint or Command
	Env     map[string]string // over the image's
	Files   map[string]string // path in the container → content
	Data    string            // path in the container of the volume; empty: none
	// DataSource is the folder behind the volume, as containerd's mount
	// namespace sees it; for a volume that fails. Default: DataDir().
	DataSource string
	Binds      []Bind  // further folders and files, parents before what is in them
	Memory     int64   // bytes; 0: no limit but the node's
	CPU        float64 // CPUs; 0: no limit but the node's
}

// Bind shows a folder or file of the host at a path of the container. Its
// content is the host's: it stays when the container is gone.
type Bind struct {
	Source, Target string // absolute paths
	ReadOnly       bool
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

	logs    journal
	watches []int32 // inotify's, of both logs

	mu    sync.Mutex
	cur   *incarnation // nil when no task is there
	state State
	execs int
}

// Add makes a service on the node: its disk, its files and its container. It
// does not start it.
func (n *Node) Add(ctx context.Context, spec ServiceSpec) (_ *Service, err error) {
	s := &Service{Name: spec.Name, node: n, id: n.group.nextID(), spec: spec, state: State{Status: Created},
		logs: journal{queues: map[*queue[Line]]bool{}}}
	s.cgroup = n.cgroup.Child(spec.Name)
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s: %s: %w", n.Name, spec.Name, n.group.rt.explainFull(err))
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
	labels := map[string]string{labelRun: rt.cfg.RunID, labelGroup: n.group.Name, labelNode: n.Name, labelService: s.Name}
	rt.events.register(s)
	err = rt.createContainer(rt.runCtx(ctx), containers.Container{ID: s.id, Labels: labels, SandboxID: n.group.anchor.sandbox}, sp)
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
	s.unlisten()
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
func (s *Service) DataDir() string { return DataDir(s.node.spec.Dir, s.Name) }

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

func (s *Service) errorf(format string, args ...any) error {
	return fmt.Errorf("%s: %s: %w", s.node.Name, s.Name, fmt.Errorf(format, args...))
}

func (s *Service) wrap(err error) error {
	if err == nil {
		return nil
	}
	return s.errorf("%w", s.node.group.rt.explainFull(err))
}

func sortedKeys(m map[string]string) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}
