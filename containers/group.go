package containers

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"sync"
	"time"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/snapshots"
	"golang.org/x/sync/errgroup"

	"brine.test/brine/containers/cgroup"
)

// Group is the containers of one scenario: they share a shim and a lease, and
// end together.
type Group struct {
	Name string

	rt     *Runtime
	lease  leases.Lease // of the containers' snapshots
	cgroup *cgroup.Group
	anchor anchor

	mu     sync.Mutex
	nodes  map[string]*Node
	serial int
	closed bool
}

// NewGroup makes a group. Its name, the scenario's id, is unique in the run.
func (rt *Runtime) NewGroup(ctx context.Context, name string) (*Group, error) {
	path := cgroupOf(rt.cfg.RunID) + "/" + name
	g := &Group{Name: name, rt: rt, cgroup: rt.tree.Group(path), nodes: map[string]*Node{}}
	labels := map[string]string{labelRun: rt.cfg.RunID, labelGroup: name}
	lease, err := rt.client.LeasesService().Create(rt.sharedCtx(ctx), leases.WithID("brine-"+name), leases.WithLabels(labels))
	if err != nil {
		return nil, fmt.Errorf("group %s: lease: %w", name, err)
	}
	g.lease = lease
	if err := g.beginAnchor(ctx); err != nil {
		ctx, cancel := undo(ctx)
		defer cancel()
		return nil, errors.Join(fmt.Errorf("group %s: %w", name, err), g.Close(ctx))
	}
	rt.mu.Lock()
	defer rt.mu.Unlock()
	rt.groups[name] = g
	return g, nil
}

// snapCtx is for work on snapshots that the group's lease is to keep.
func (g *Group) snapCtx(ctx context.Context) context.Context {
	return leases.WithLease(g.rt.sharedCtx(ctx), g.lease.ID)
}

func (g *Group) snapshots() snapshots.Snapshotter {
	return g.rt.client.SnapshotService(g.rt.snapshotter)
}

// nextID names a container; names of nodes may be too long for containerd.
func (g *Group) nextID() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.serial++
	return fmt.Sprintf("%s-%d", g.Name, g.serial)
}

// Nodes lists the nodes by name.
func (g *Group) Nodes() []*Node {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := make([]*Node, 0, len(g.nodes))
	for _, n := range g.nodes {
		out = append(out, n)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// Close kills what runs and removes all that the group made, but the nodes'
// folders: logs and volumes are the caller's to keep or remove. It goes on
// past errors, tries a second time what it can, and may be called again.
func (g *Group) Close(ctx context.Context) error {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	select { // it would go on making what is removed here
	case <-g.anchor.made:
	case <-ctx.Done():
	}
	errs := []error{g.cgroup.Kill(ctx)}
	var mu sync.Mutex
	var pool errgroup.Group
	pool.SetLimit(width)
	for _, n := range g.Nodes() {
		for _, s := range n.Services() {
			pool.Go(func() error {
				err := s.remove(ctx)
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
				return nil
			})
		}
	}
	_ = pool.Wait() // errors are in errs
	errs = append(errs, g.removeAnchor(ctx))
	errs = append(errs, ignoreGone(g.rt.client.LeasesService().Delete(g.rt.sharedCtx(ctx), g.lease, leases.SynchronousDelete)))
	errs = append(errs, g.cgroup.Remove(ctx))
	if err := joined(errs); err != nil {
		return fmt.Errorf("group %s: close: %w", g.Name, err)
	}
	g.rt.mu.Lock()
	defer g.rt.mu.Unlock()
	delete(g.rt.groups, g.Name)
	return nil
}

// runtimeTime is how long containerd may take to say that a killed process
// ended, before it is taken for gone.
const runtimeTime = 5 * time.Second
