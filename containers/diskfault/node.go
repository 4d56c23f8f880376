package diskfault

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// node is a file or directory of the volume. It reaches its backing file through
// its parent's descriptor and its name; directories, which are few, have a
// descriptor of their own from their first use on, so that nothing renamed above
// them matters.
type node struct {
	fs.Inode
	s *server

	mu sync.Mutex
	fd int // of a directory, O_PATH; -1 until needed
}

var _ interface {
	fs.NodeLookuper
	fs.NodeGetattrer
	fs.NodeSetattrer
	fs.NodeOpener
	fs.NodeCreater
	fs.NodeOpendirHandler
	fs.NodeMkdirer
	fs.NodeMknoder
	fs.NodeSymlinker
	fs.NodeLinker
	fs.NodeUnlinker
	fs.NodeRmdirer
	fs.NodeRenamer
	fs.NodeReadlinker
	fs.NodeStatfser
	fs.NodeGetxattrer
	fs.NodeListxattrer
	fs.NodeSetxattrer
	fs.NodeRemovexattrer
	fs.NodeOnForgetter
} = (*node)(nil)

// procPath is a path to what a descriptor is open on, in the server alone.
func procPath(fd int) string { return fmt.Sprintf("/proc/self/fd/%d", fd) }

// statAt looks at a name in a directory, or with the empty name at fd itself.
func statAt(fd int, name string) (*unix.Statx_t, error) {
	var x unix.Statx_t
	err := unix.Statx(fd, name, unix.AT_SYMLINK_NOFOLLOW|unix.AT_EMPTY_PATH, unix.STATX_BASIC_STATS|unix.STATX_BTIME, &x)
	return &x, err
}

// stable is what tells a file from all others, those too that have its inode
// number after it.
func stable(x *unix.Statx_t) fs.StableAttr {
	return fs.StableAttr{Mode: uint32(x.Mode), Ino: x.Ino, Gen: uint64(x.Btime.Sec)*1e9 + uint64(x.Btime.Nsec) + 1}
}

func (s *server) fill(a *fuse.Attr, x *unix.Statx_t) {
	*a = fuse.Attr{
		Ino: x.Ino, Size: x.Size, Blocks: x.Blocks,
		Atime: uint64(x.Atime.Sec), Atimensec: x.Atime.Nsec,
		Mtime: uint64(x.Mtime.Sec), Mtimensec: x.Mtime.Nsec,
		Ctime: uint64(x.Ctime.Sec), Ctimensec: x.Ctime.Nsec,
		Mode: uint32(x.Mode), Nlink: s.undo.linked(x), Owner: fuse.Owner{Uid: x.Uid, Gid: x.Gid},
		Rdev: uint32(unix.Mkdev(x.Rdev_major, x.Rdev_minor)), Blksize: x.Blksize,
	}
}

// path is where the node is in the volume, for patterns and messages.
func (n *node) path() string { return n.Path(n.Root()) }

// pathOf is the path of a name in it.
func (n *node) pathOf(name string) func() string {
	return func() string {
		if n.IsRoot() {
			return name
		}
		return n.path() + "/" + name
	}
}

// OnForget lets the descriptor go with the kernel's last reference.
func (n *node) OnForget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fd >= 0 && !n.IsRoot() {
		_ = unix.Close(n.fd) // O_PATH: cannot fail
		n.fd = -1
	}
}

// tries is how often a name is looked up again that is renamed meanwhile.
const tries = 8

// at is the directory's descriptor and the name that lead to the node.
func (n *node) at() (int, string, error) {
	name, parent := n.Parent()
	if parent == nil {
		return -1, "", unix.ESTALE
	}
	p, ok := parent.Operations().(*node)
	if !ok {
		return -1, "", unix.ESTALE
	}
	fd, err := p.dir()
	return fd, name, err
}

// reach calls f with what leads to the node until the name was still the node's.
func (n *node) reach(f func(dir int, name string) error) error {
	var err error
	for range tries {
		var dir int
		var name string
		if dir, name, err = n.at(); err == nil {
			err = f(dir, name)
		}
		if !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.ESTALE) {
			return err
		}
	}
	return err
}

// dir is a directory's descriptor.
func (n *node) dir() (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fd >= 0 {
		return n.fd, nil
	}
	err := n.reach(func(dir int, name string) error {
		fd, err := n.open(dir, name, unix.O_PATH|unix.O_DIRECTORY)
		if err == nil {
			n.fd = fd
		}
		return err
	})
	return n.fd, err
}

// open opens a name if it is still the node's.
func (n *node) open(dir int, name string, flags int) (int, error) {
	fd, err := unix.Openat(dir, name, flags|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Ino != n.StableAttr().Ino {
		_ = unix.Close(fd)
		return -1, errors.Join(err, unix.ESTALE)
	}
	return fd, nil
}

// with calls f with a descriptor of the node that may be O_PATH: procPath of it
// is what to call with.
func (n *node) with(h fs.FileHandle, f func(fd int) error) error {
	switch h := h.(type) {
	case *file:
		return f(h.fd)
	case *folder:
		return f(h.fd)
	}
	if n.IsDir() {
		fd, err := n.dir()
		if err != nil {
			return err
		}
		return f(fd)
	}
	var fd int
	if err := n.reach(func(dir int, name string) (err error) {
		fd, err = n.open(dir, name, unix.O_PATH)
		return err
	}); err != nil {
		if done, err := n.s.withOpen(n, f); done { // it has no name any longer
			return err
		}
		return err
	}
	defer unix.Close(fd) //nolint:errcheck // O_PATH: cannot fail
	return f(fd)
}

// child makes the node of a name that x was seen under.
func (n *node) child(ctx context.Context, x *unix.Statx_t) *fs.Inode {
	return n.NewInode(ctx, &node{s: n.s, fd: -1}, stable(x))
}

// Lookup is asked for each element of each path: the kernel is told to keep none.
func (n *node) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	if v := n.s.judge(ctx, OpLookup, 0, n.pathOf(name)); v.errno != 0 {
		return nil, v.errno
	}
	dir, err := n.dir()
	if err != nil {
		return nil, errnoOf(err)
	}
	x, err := statAt(dir, name)
	if err != nil {
		return nil, errnoOf(err)
	}
	n.s.fill(&out.Attr, x)
	return n.child(ctx, x), 0
}

// errnoOf is what a program is told of an error.
func errnoOf(err error) syscall.Errno {
	var e syscall.Errno
	if err == nil || errors.As(err, &e) {
		return e
	}
	return unix.EIO
}
