package containers

import (
	"context"
	"errors"
	"fmt"
	"strings"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/pkg/namespaces"

	"brine.test/brine/containers/cgroup"
	"brine.test/brine/containers/engine"
)

// Sweep removes what dead runs left: processes, containers, shims, snapshots,
// leases, control groups. It takes the runs of deadRunIDs, and beside them
// those whose containerd namespace is found there. A run that live says is
// living is never touched. Folders of runs are their owner's.
func Sweep(ctx context.Context, cfg Config, deadRunIDs []string, live func(id string) bool) error {
	cfg = cfg.withDefaults()
	tree, err := cgroup.Open()
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	var errs []error
	for _, id := range deadRunIDs {
		if !live(id) {
			errs = append(errs, tree.Group(cgroupOf(id)).Remove(ctx))
		}
	}
	s := &sweeper{tree: tree, live: live}
	address := cfg.Address
	if address == "" {
		running := engine.Running(cfg.StateDir, cfg.CacheDir)
		if running == "" {
			return errors.Join(errs...) // nothing outlives the daemon
		}
		address, s.private = running, true
	}
	if s.client, err = containerd.New(address); err != nil {
		return fmt.Errorf("sweep: %s: %w", address, errors.Join(append(errs, err)...))
	}
	defer s.client.Close() //nolint:errcheck // a connection
	found, err := s.client.NamespaceService().List(ctx)
	errs = append(errs, err)
	for _, ns := range found {
		id, ours := strings.CutPrefix(ns, sharedNS+"-")
		if ours && !live(id) {
			errs = append(errs, s.run(ctx, id))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	return nil
}

type sweeper struct {
	client  *containerd.Client
	tree    *cgroup.Tree
	live    func(string) bool
	private bool
}

// run removes one dead run. Every process is killed first, so that nothing
// waits for a paused one.
func (s *sweeper) run(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*undoTime)
	defer cancel()
	errs := []error{s.tree.Group(cgroupOf(id)).Kill(ctx)}
	runCtx := namespaces.WithNamespace(ctx, namespaceOf(id))
	errs = append(errs, s.containers(runCtx))
	if s.private {
		errs = append(errs, endShims(ctx, namespaceOf(id), ""))
	}
	shared := namespaces.WithNamespace(ctx, sharedNS)
	held, err := s.client.LeasesService().List(shared, fmt.Sprintf("labels.%q==%s", labelRun, id))
	errs = append(errs, err)
	for i, l := range held {
		var opts []leases.DeleteOpt
		if i == len(held)-1 {
			opts = append(opts, leases.SynchronousDelete) // collects the snapshots of all
		}
		errs = append(errs, ignoreGone(s.client.LeasesService().Delete(shared, l, opts...)))
	}
	errs = append(errs, s.tree.Group(cgroupOf(id)).Remove(ctx))
	errs = append(errs, ignoreGone(s.client.NamespaceService().Delete(ctx, namespaceOf(id))))
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("run %s: %w", id, err)
	}
	return nil
}

// containers removes the tasks, records and sandboxes of a namespace.
func (s *sweeper) containers(ctx context.Context) error {
	records, err := s.client.ContainerService().List(ctx)
	errs := []error{err}
	for _, c := range records {
		errs = append(errs, deleteTask(ctx, s.client.TaskService(), c.ID))
		errs = append(errs, ignoreGone(s.client.ContainerService().Delete(ctx, c.ID)))
	}
	sandboxes, err := s.client.SandboxStore().List(ctx)
	errs = append(errs, err)
	for _, sb := range sandboxes {
		errs = append(errs, ignoreGone(s.client.SandboxStore().Delete(ctx, sb.ID)))
	}
	return errors.Join(errs...)
}
