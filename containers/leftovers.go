package containers

import (
	"context"
	"fmt"

	"github.com/containerd/containerd/api/services/tasks/v1"
	"github.com/containerd/containerd/v2/core/snapshots"
)

// Leftovers lists what of the group is still there; after Close, nothing.
func (g *Group) Leftovers(ctx context.Context) ([]string, error) {
	rt := g.rt
	var out []string
	add := func(kind, name string) { out = append(out, kind+" "+name) }
	byGroup := fmt.Sprintf("labels.%q==%q", labelGroup, g.Name)

	records, err := rt.client.ContainerService().List(rt.runCtx(ctx), byGroup)
	errs := []error{err}
	for _, c := range records {
		add("container", c.ID)
	}
	running, err := rt.tasks().List(rt.runCtx(ctx), &tasks.ListTasksRequest{})
	errs = append(errs, err)
	for _, p := range running.GetTasks() {
		if len(p.ID) > len(g.Name) && p.ID[:len(g.Name)+1] == g.Name+"-" {
			add("task", p.ID)
		}
	}
	sandboxes, err := rt.client.SandboxStore().List(rt.runCtx(ctx), byGroup)
	errs = append(errs, err)
	for _, s := range sandboxes {
		add("sandbox", s.ID)
	}
	held, err := rt.client.LeasesService().List(rt.sharedCtx(ctx), byGroup)
	errs = append(errs, err)
	for _, l := range held {
		add("lease", l.ID)
	}
	errs = append(errs, g.snapshots().Walk(rt.sharedCtx(ctx), func(_ context.Context, info snapshots.Info) error {
		add("snapshot", info.Name)
		return nil
	}, byGroup))
	shims, err := shimsOf(namespaceOf(rt.cfg.RunID), g.Name+"-anchor")
	errs = append(errs, err)
	for pid := range shims {
		add("shim", fmt.Sprint(pid))
	}
	if g.cgroup.Exists() {
		add("cgroup", g.cgroup.Path)
	}
	if err := joined(errs); err != nil {
		return out, fmt.Errorf("group %s: look for what is left: %w", g.Name, err)
	}
	return out, nil
}
