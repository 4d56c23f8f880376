package diskfault

import (
	"context"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// Getattr of the volume's root is never harmed: a container must be able to
// mount a disk that fails.
func (n *node) Getattr(ctx context.Context, h fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	if !n.IsRoot() {
		if v := n.s.judge(ctx, OpGetattr, 0, n.path); v.errno != 0 {
			return v.errno
		}
	}
	return n.getattr(h, out)
}

func (n *node) getattr(h fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	if h == nil && !n.IsDir() {
		// Without a descriptor for it, as nearly all files have a name.
		err := n.reach(func(dir int, name string) error {
			x, err := statAt(dir, name)
			if err == nil && x.Ino != n.StableAttr().Ino {
				err = unix.ESTALE
			}
			if err == nil {
				n.s.fill(&out.Attr, x)
			}
			return err
		})
		if err == nil {
			return 0
		}
	}
	return errnoOf(n.with(h, func(fd int) error {
		x, err := statAt(fd, "")
		if err == nil {
			n.s.fill(&out.Attr, x)
		}
		return err
	}))
}

// Setattr changes the size, or owner, mode and times.
func (n *node) Setattr(ctx context.Context, h fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	op := OpSetattr
	size, sized := in.GetSize()
	if sized {
		op = OpTruncate
	}
	if v := n.s.judge(ctx, op, 0, n.path); v.errno != 0 {
		return v.errno
	}
	err := n.with(h, func(fd int) error {
		if sized {
			if err := n.truncate(fd, int64(size)); err != nil {
				return err
			}
		}
		return setMeta(fd, in)
	})
	if err != nil {
		return errnoOf(err)
	}
	return n.getattr(h, out)
}

// truncate sets the size of the file that fd is open on.
func (n *node) truncate(fd int, size int64) error {
	var c *content
	if u := n.s.undo; u != nil {
		c = u.files.open(n.StableAttr().Ino)
		defer u.files.close(c)
	}
	return n.s.undo.change(c, fd, size, -1, func() error { return unix.Truncate(procPath(fd), size) })
}

// setMeta sets owner, mode and times: in this order, since a change of owner
// takes set-user-ID bits off, and last the times, that nothing else changes them.
func setMeta(fd int, in *fuse.SetAttrIn) error {
	uid, uok := in.GetUID()
	gid, gok := in.GetGID()
	if uok || gok {
		u, g := -1, -1
		if uok {
			u = int(uid)
		}
		if gok {
			g = int(gid)
		}
		if err := unix.Fchownat(fd, "", u, g, unix.AT_EMPTY_PATH|unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return err
		}
	}
	if mode, ok := in.GetMode(); ok {
		if err := unix.Chmod(procPath(fd), mode); err != nil {
			return err
		}
	}
	atime, aok := in.GetATime()
	mtime, mok := in.GetMTime()
	if !aok && !mok {
		return nil
	}
	ts := []unix.Timespec{timeOr(atime, aok), timeOr(mtime, mok)}
	return unix.UtimesNanoAt(unix.AT_FDCWD, procPath(fd), ts, 0)
}

func timeOr(t time.Time, ok bool) unix.Timespec {
	if !ok {
		return unix.Timespec{Nsec: unix.UTIME_OMIT}
	}
	return unix.NsecToTimespec(t.UnixNano())
}

// Statfs says what the backing file system says; of a full disk that it is full.
func (n *node) Statfs(ctx context.Context, out *fuse.StatfsOut) syscall.Errno {
	if !n.IsRoot() {
		if v := n.s.judge(ctx, OpStatfs, 0, n.path); v.errno != 0 {
			return v.errno
		}
	}
	var st syscall.Statfs_t
	if err := syscall.Fstatfs(n.s.root, &st); err != nil {
		return errnoOf(err)
	}
	out.FromStatfsT(&st)
	if n.s.full() {
		out.Bfree, out.Bavail, out.Ffree = 0, 0, 0
	}
	return 0
}

// Getxattr reads an extended attribute.
func (n *node) Getxattr(ctx context.Context, attr string, dest []byte) (uint32, syscall.Errno) {
	return n.xattr(ctx, OpGetxattr, func(path string) (int, error) { return unix.Getxattr(path, attr, dest) })
}

// Listxattr lists the names of extended attributes.
func (n *node) Listxattr(ctx context.Context, dest []byte) (uint32, syscall.Errno) {
	return n.xattr(ctx, OpListxattr, func(path string) (int, error) { return unix.Listxattr(path, dest) })
}

// Setxattr sets an extended attribute.
func (n *node) Setxattr(ctx context.Context, attr string, data []byte, flags uint32) syscall.Errno {
	_, errno := n.xattr(ctx, OpSetxattr, func(path string) (int, error) {
		return 0, unix.Setxattr(path, attr, data, int(flags))
	})
	return errno
}

// Removexattr removes an extended attribute.
func (n *node) Removexattr(ctx context.Context, attr string) syscall.Errno {
	_, errno := n.xattr(ctx, OpRemovexattr, func(path string) (int, error) { return 0, unix.Removexattr(path, attr) })
	return errno
}

func (n *node) xattr(ctx context.Context, op Op, do func(path string) (int, error)) (uint32, syscall.Errno) {
	if v := n.s.judge(ctx, op, 0, n.path); v.errno != 0 {
		return 0, v.errno
	}
	var size int
	err := n.with(nil, func(fd int) (err error) {
		size, err = do(procPath(fd))
		return err
	})
	return uint32(max(size, 0)), errnoOf(err)
}
