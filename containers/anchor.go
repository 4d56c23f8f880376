package containers

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/containerd/containerd/api/services/tasks/v1"
	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/sandbox"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"github.com/containerd/typeurl/v2"
	"github.com/opencontainers/runtime-spec/specs-go"
)

const runtimeName = "io.containerd.runc.v2"

// anchorTime is how long the making of an anchor may take, which no caller's
// context cuts: half of a shim would be left.
const anchorTime = time.Minute

// anchor is a container that is created and never started. The group's shim
// serves it, so that the shim stays while other containers come and go, and
// every other container joins that shim: no process of its own, no fork of one
// at its start. containerd calls such a group of containers a sandbox.
//
// It is made beside all that is done until the first of the others starts.
type anchor struct {
	id      string
	shim    atomic.Int64
	sandbox string        // what containers join; empty: each has a shim of its own
	made    chan struct{} // closed when it is there, or err says why not
	err     error
}

// beginAnchor reserves the sandbox and begins to make the anchor.
func (g *Group) beginAnchor(ctx context.Context) error {
	rt, id := g.rt, g.Name+"-anchor"
	g.anchor.id, g.anchor.made = id, make(chan struct{})
	_, err := rt.client.SandboxStore().Create(rt.runCtx(ctx), sandbox.Sandbox{
		ID: id, Sandboxer: "shim",
		Runtime: sandbox.RuntimeOpts{Name: runtimeName},
		Labels:  map[string]string{labelRun: rt.cfg.RunID, labelGroup: g.Name},
	})
	if err != nil {
		close(g.anchor.made)
		if errdefs.IsNotImplemented(err) {
			return nil // a containerd without sandboxes: a shim for each
		}
		return fmt.Errorf("sandbox: %w", err)
	}
	g.anchor.sandbox = id
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), anchorTime)
	go func() {
		defer cancel()
		defer close(g.anchor.made)
		g.anchor.err = g.makeAnchor(ctx)
	}()
	return nil
}

// awaitAnchor returns when containers can be started.
func (g *Group) awaitAnchor(ctx context.Context) error {
	select {
	case <-g.anchor.made:
		return g.anchor.err
	case <-ctx.Done():
		return fmt.Errorf("group %s: anchor: %w", g.Name, ctx.Err())
	}
}

func (g *Group) makeAnchor(ctx context.Context) error {
	rt, id := g.rt, g.anchor.id
	ctx = rt.runCtx(ctx)
	spec := &specs.Spec{
		Version: specs.Version,
		Root:    &specs.Root{Path: rt.hold, Readonly: true},
		Process: &specs.Process{Args: []string{"/hold"}, Cwd: "/", NoNewPrivileges: true},
		Mounts: []specs.Mount{
			{Destination: "/proc", Type: "proc", Source: "proc"},
			// Its own /dev: runc makes links there, which two anchors at once must not share.
			{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "size=64k", "mode=755"}},
		},
		Linux: &specs.Linux{
			CgroupsPath: g.cgroup.Path + "/_anchor",
			Namespaces:  []specs.LinuxNamespace{{Type: specs.PIDNamespace}, {Type: specs.MountNamespace}},
		},
	}
	labels := map[string]string{labelRun: rt.cfg.RunID, labelGroup: g.Name}
	if err := rt.createContainer(ctx, containers.Container{ID: id, Labels: labels}, spec); err != nil {
		return fmt.Errorf("group %s: anchor: %w", g.Name, err)
	}
	task, err := rt.tasks().Create(ctx, &tasks.CreateTaskRequest{ContainerID: id})
	if err != nil {
		return fmt.Errorf("group %s: anchor: %w", g.Name, errgrpc.ToNative(err))
	}
	// runc has ended by now, and left the shim its child.
	shim, err := parentOf(int(task.Pid))
	if err != nil {
		return fmt.Errorf("group %s: anchor: %w", g.Name, err)
	}
	g.anchor.shim.Store(int64(shim))
	return nil
}

// removeAnchor ends the group's shim.
func (g *Group) removeAnchor(ctx context.Context) error {
	id := g.anchor.id
	if g.anchor.sandbox == "" {
		return nil
	}
	ctx, cancel := undo(g.rt.runCtx(ctx))
	defer cancel()
	g.anchor.shim.Store(0)
	return errors.Join(
		deleteTask(ctx, g.rt.tasks(), id),
		ignoreGone(g.rt.client.ContainerService().Delete(ctx, id)),
		ignoreGone(g.rt.client.SandboxStore().Delete(ctx, id)),
		endShims(ctx, namespaceOf(g.rt.cfg.RunID), id))
}

// createContainer makes a container's record, for runc at the paths of our own.
func (rt *Runtime) createContainer(ctx context.Context, c containers.Container, spec *specs.Spec) error {
	c.Runtime.Name = runtimeName
	if rt.engine != nil {
		opts, err := typeurl.MarshalAny(&options.Options{
			BinaryName: rt.engine.Programs.Runc,
			Root:       rt.engine.RuncRoot(),
		})
		if err != nil {
			return err
		}
		c.Runtime.Options = opts
	}
	text, err := typeurl.MarshalAny(spec)
	if err != nil {
		return err
	}
	c.Spec = text
	_, err = rt.client.ContainerService().Create(ctx, c)
	return err
}
