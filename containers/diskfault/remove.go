package diskfault

import (
	"context"
	"errors"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"golang.org/x/sys/unix"
)

// Unlink takes a name from a file.
func (n *node) Unlink(ctx context.Context, name string) syscall.Errno {
	return n.remove(ctx, OpUnlink, name, 0)
}

// Rmdir removes an empty directory.
func (n *node) Rmdir(ctx context.Context, name string) syscall.Errno {
	return n.remove(ctx, OpRmdir, name, unix.AT_REMOVEDIR)
}

func (n *node) remove(ctx context.Context, op Op, name string, flags int) syscall.Errno {
	if v := n.s.judge(ctx, op, 0, n.pathOf(name)); v.errno != 0 {
		return v.errno
	}
	dir, err := n.dir()
	if err != nil {
		return errnoOf(err)
	}
	return errnoOf(n.s.undo.rename(func(e *entries) error {
		if e == nil {
			return unix.Unlinkat(dir, name, flags)
		}
		at, err := e.log(n.StableAttr().Ino, dir)
		if err != nil {
			return err
		}
		c := &change{kind: removed, at: at, name: name}
		if err := e.toGrave(c, dir, name); err != nil {
			e.release(at)
			return err
		}
		e.add(c)
		return nil
	}))
}

// toGrave moves what a name is of into the grave: a file, or a directory that is
// empty, and notes it in c.
func (e *entries) toGrave(c *change, dir int, name string) error {
	x, err := statAt(dir, name)
	if err != nil {
		return err
	}
	if x.Mode&unix.S_IFMT == unix.S_IFDIR {
		if err := e.emptied(c, dir, name, x.Ino); err != nil {
			return err
		}
	}
	grave := e.newGrave()
	if err := unix.Renameat2(dir, name, e.grave, grave, unix.RENAME_NOREPLACE); err != nil {
		return err
	}
	c.grave = grave
	if c.kind == removed {
		c.ino = x.Ino
	} else {
		c.other = x.Ino
	}
	return nil
}

// emptied notes that a directory goes, if it may.
func (e *entries) emptied(c *change, dir int, name string, ino uint64) error {
	empty, err := isEmpty(dir, name)
	if err != nil {
		return err
	}
	if !empty {
		return unix.ENOTEMPTY
	}
	c.isDir, c.inside = true, e.dirs[ino]
	return nil
}

// Rename renames; flags are those of renameat2.
func (n *node) Rename(ctx context.Context, name string, newParent fs.InodeEmbedder, newName string, flags uint32) syscall.Errno {
	to, ok := newParent.(*node)
	if !ok {
		return unix.EXDEV
	}
	if flags&unix.RENAME_WHITEOUT != 0 {
		return unix.EINVAL
	}
	if v := n.s.judge(ctx, OpRename, 0, n.pathOf(name), to.pathOf(newName)); v.errno != 0 {
		return v.errno
	}
	dir, err := n.dir()
	if err != nil {
		return errnoOf(err)
	}
	toDir, err := to.dir()
	if err != nil {
		return errnoOf(err)
	}
	return errnoOf(n.s.undo.rename(func(e *entries) error {
		if e == nil {
			return unix.Renameat2(dir, name, toDir, newName, uint(flags))
		}
		c := &change{kind: moved, name: name, toName: newName}
		if c.at, err = e.log(n.StableAttr().Ino, dir); err != nil {
			return err
		}
		if c.to, err = e.log(to.StableAttr().Ino, toDir); err != nil {
			e.release(c.at)
			return err
		}
		if err := e.rename(c, dir, toDir, uint(flags)); err != nil {
			e.release(c.at)
			e.release(c.to)
			return err
		}
		e.add(c)
		return nil
	}))
}

// rename carries a renaming out so that what it replaces is in the grave.
func (e *entries) rename(c *change, dir, toDir int, flags uint) error {
	x, err := statAt(dir, c.name)
	if err != nil {
		return err
	}
	c.ino = x.Ino
	there, err := statAt(toDir, c.toName)
	if err != nil && !errors.Is(err, unix.ENOENT) {
		return err
	}
	switch {
	case flags != 0 || err != nil:
		if flags&unix.RENAME_EXCHANGE != 0 && err == nil {
			c.kind, c.other = swapped, there.Ino
		}
	case there.Mode&unix.S_IFMT == unix.S_IFDIR:
		// No two names at once for a directory: it is out of sight for a moment.
		if err := e.toGrave(c, toDir, c.toName); err != nil {
			return err
		}
	default:
		grave := e.newGrave()
		if err := unix.Linkat(toDir, c.toName, e.grave, grave, 0); err != nil {
			return err
		}
		c.grave, c.other = grave, there.Ino
	}
	err = unix.Renameat2(dir, c.name, toDir, c.toName, flags)
	if err == nil || c.grave == "" {
		return err
	}
	if c.isDir {
		return errors.Join(err, unix.Renameat(e.grave, c.grave, toDir, c.toName))
	}
	return errors.Join(err, unix.Unlinkat(e.grave, c.grave, 0))
}
