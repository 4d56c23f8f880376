package world

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"brine.test/brine/containers"
	"brine.test/brine/containers/diskfault"
)

// mountDisks puts a disk that can fail behind the data of every service of the
// nodes, before their containers are made. Scenarios without a sentence about
// disks have plain folders.
func (w *World) mountDisks(ctx context.Context, nodes []*Node) error {
	if !w.scenario.Needs.Disk {
		return nil
	}
	return each(nodes, func(n *Node) error {
		for _, s := range n.services {
			if s.inst.Volume == "" {
				continue
			}
			if err := w.mountDisk(ctx, s); err != nil {
				return fmt.Errorf("%s: %w", s.label(), err)
			}
		}
		return nil
	})
}

func (w *World) mountDisk(ctx context.Context, s *Service) error {
	data := containers.DataDir(s.node.dir, s.Name)
	if err := os.MkdirAll(data, 0o755); err != nil {
		return err
	}
	dir := filepath.Dir(data)
	v, err := diskfault.Start(ctx, diskfault.Config{
		Backing: data, Mountpoint: data, MountNS: w.rt.MountNamespace(),
		LogFile: filepath.Join(dir, "disk.log"), Socket: filepath.Join(dir, "disk.sock"),
	})
	if err != nil {
		return err
	}
	s.disk = v
	// Above the containers on the stack: the node is killed and the volume
	// unmounted before they are removed, for a server that is gone or does not
	// answer must not hold that up.
	w.undo.Push("disk of "+s.label(), 20*time.Second, func(ctx context.Context) error {
		if s.node.box != nil {
			for _, other := range s.node.services {
				other.expectDown()
			}
			soon, cancel := context.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			_ = s.node.box.Kill(soon) // one that hangs in a call is freed by closing; the containers' removal tells
		}
		return s.closeDisk(ctx)
	})
	return w.suite.run.Adopt("disk of "+s.label(), v.PID())
}

// closeDisk unmounts the service's disk. Its data stays in the folder behind it.
func (s *Service) closeDisk(ctx context.Context) error {
	if s.disk == nil {
		return nil
	}
	return errors.Join(s.disk.Close(ctx), s.node.cluster.w.suite.run.Disown(s.disk.PID()))
}

// settleDisk tells the disk that its folder was changed from outside.
func (s *Service) settleDisk(ctx context.Context) error {
	if s.disk == nil {
		return nil
	}
	return s.disk.Sync(ctx)
}

// closeMachine takes away what a node has beside its containers.
func (n *Node) closeMachine(ctx context.Context) error {
	errs := []error{n.clock.close(ctx)}
	for _, s := range n.services {
		errs = append(errs, s.closeDisk(ctx))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%s: %w", n.Name, err)
	}
	return nil
}
