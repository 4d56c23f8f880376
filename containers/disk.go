package containers

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/typeurl/v2"
	"github.com/opencontainers/runtime-spec/specs-go"
)

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
	err = g.rt.inRootfs(ctx, s.dir(), mounts, func() error {
		var err error
		if user, err = lookupUser(s.userName()); err != nil {
			return err
		}
		if err := ensureTmp(); err != nil {
			return err
		}
		if s.spec.Data != "" {
			owner = lookFolder(s.spec.Data)
		}
		if owner == nil && s.spec.Data != "" && user.UID != 0 {
			owner = &folder{uid: int(user.UID), gid: int(user.GID), mode: 0o755} // else it could not write there
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

// userName is the user that the service's programs run as, as an image says it.
func (s *Service) userName() string {
	if s.spec.User != "" {
		return s.spec.User
	}
	return s.spec.Image.User
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
