package diskfault

import (
	"context"
	"errors"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// Mkdir makes a directory.
func (n *node) Mkdir(ctx context.Context, name string, mode uint32, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	return n.make(ctx, OpMkdir, name, out, func(dir int) error { return unix.Mkdirat(dir, name, mode) })
}

// Mknod makes a file, a socket, a pipe.
func (n *node) Mknod(ctx context.Context, name string, mode, rdev uint32, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	return n.make(ctx, OpMknod, name, out, func(dir int) error { return unix.Mknodat(dir, name, mode, int(rdev)) })
}

// Symlink makes a symbolic link.
func (n *node) Symlink(ctx context.Context, target, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	return n.make(ctx, OpSymlink, name, out, func(dir int) error { return unix.Symlinkat(target, dir, name) })
}

// Readlink reads a symbolic link.
func (n *node) Readlink(ctx context.Context) ([]byte, syscall.Errno) {
	if v := n.s.judge(ctx, OpReadlink, 0, n.path); v.errno != 0 {
		return nil, v.errno
	}
	buf := make([]byte, unix.PathMax)
	size := 0
	err := n.with(nil, func(fd int) (err error) {
		size, err = unix.Readlinkat(fd, "", buf)
		return err
	})
	return buf[:max(size, 0)], errnoOf(err)
}

// make makes a name for something new, which is the caller's.
func (n *node) make(ctx context.Context, op Op, name string, out *fuse.EntryOut, do func(dir int) error) (*fs.Inode, syscall.Errno) {
	if v := n.s.judge(ctx, op, 0, n.pathOf(name)); v.errno != 0 {
		return nil, v.errno
	}
	dir, err := n.dir()
	if err != nil {
		return nil, errnoOf(err)
	}
	var x *unix.Statx_t
	err = n.s.undo.rename(func(e *entries) error {
		if err := do(dir); err != nil {
			return err
		}
		if x, err = own(ctx, dir, name); err != nil {
			return err
		}
		return n.noteMade(e, dir, name, x.Ino)
	})
	if err != nil {
		return nil, errnoOf(err)
	}
	n.s.fill(&out.Attr, x)
	return n.child(ctx, x), 0
}

// own gives a new file to the caller, and its group unless the directory's
// set-group-ID bit has decided on that.
func own(ctx context.Context, dir int, name string) (*unix.Statx_t, error) {
	if caller, ok := fuse.FromContext(ctx); ok && (caller.Uid != 0 || caller.Gid != 0) {
		parent, err := statAt(dir, "")
		if err != nil {
			return nil, err
		}
		gid := int(caller.Gid)
		if parent.Mode&unix.S_ISGID != 0 {
			gid = -1
		}
		if err := unix.Fchownat(dir, name, int(caller.Uid), gid, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return nil, err
		}
	}
	return statAt(dir, name)
}

func (n *node) noteMade(e *entries, dir int, name string, ino uint64) error {
	if e == nil {
		return nil
	}
	at, err := e.log(n.StableAttr().Ino, dir)
	if err != nil {
		return err
	}
	e.add(&change{kind: made, at: at, name: name, ino: ino})
	return nil
}

// Create makes a file and opens it.
func (n *node) Create(ctx context.Context, name string, flags, mode uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	if v := n.s.judge(ctx, OpCreate, 0, n.pathOf(name)); v.errno != 0 {
		return nil, nil, 0, v.errno
	}
	dir, err := n.dir()
	if err != nil {
		return nil, nil, 0, errnoOf(err)
	}
	var x *unix.Statx_t
	f := &file{durable: flags&unix.O_DSYNC != 0}
	err = n.s.undo.rename(func(e *entries) error {
		how := int(flags)&^notPassed | unix.O_CREAT | unix.O_EXCL | unix.O_NOFOLLOW | unix.O_CLOEXEC
		if f.fd, err = unix.Openat(dir, name, how, mode); err != nil {
			return err
		}
		if x, err = own(ctx, dir, name); err == nil {
			err = n.noteMade(e, dir, name, x.Ino)
		}
		if err != nil {
			return errors.Join(err, unix.Close(f.fd))
		}
		if u := n.s.undo; u != nil {
			f.content = u.files.created(x.Ino)
		}
		return nil
	})
	if err != nil {
		return nil, nil, 0, errnoOf(err)
	}
	n.s.fill(&out.Attr, x)
	child := n.child(ctx, x)
	f.n, _ = child.Operations().(*node)
	return child, n.s.opened(f), fuse.FOPEN_KEEP_CACHE, 0
}

// Link makes another name for a file.
func (n *node) Link(ctx context.Context, target fs.InodeEmbedder, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	old, ok := target.(*node)
	if !ok {
		return nil, unix.EXDEV
	}
	if v := n.s.judge(ctx, OpLink, 0, n.pathOf(name)); v.errno != 0 {
		return nil, v.errno
	}
	dir, err := n.dir()
	if err != nil {
		return nil, errnoOf(err)
	}
	var x *unix.Statx_t
	err = n.s.undo.rename(func(e *entries) error {
		err := old.reach(func(from int, oldName string) error {
			return unix.Linkat(from, oldName, dir, name, 0)
		})
		if err != nil {
			return err
		}
		if x, err = statAt(dir, name); err != nil {
			return err
		}
		return n.noteMade(e, dir, name, x.Ino)
	})
	if err != nil {
		return nil, errnoOf(err)
	}
	n.s.fill(&out.Attr, x)
	return old.EmbeddedInode(), 0
}
