package diskfault

import (
	"context"
	"sync/atomic"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// dirStream is what go-fuse's stream of a directory's entries really is.
type dirStream interface {
	fs.FileReaddirenter
	fs.FileSeekdirer
	fs.FileReleasedirer
}

// folder is an open directory. It is a handle of its own because go-fuse's would
// take fsync to itself.
type folder struct {
	dirStream
	n    *node
	fd   int // the stream's
	read atomic.Bool
}

var _ fs.FileFsyncdirer = (*folder)(nil)

// OpendirHandle opens a directory.
func (n *node) OpendirHandle(ctx context.Context, _ uint32) (fs.FileHandle, uint32, syscall.Errno) {
	if v := n.s.judge(ctx, OpOpendir, 0, n.path); v.errno != 0 {
		return nil, 0, v.errno
	}
	dir, err := n.dir()
	if err != nil {
		return nil, 0, errnoOf(err)
	}
	fd, err := unix.Openat(dir, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, 0, errnoOf(err)
	}
	stream, errno := fs.NewLoopbackDirStreamFd(fd)
	if errno != 0 {
		_ = unix.Close(fd)
		return nil, 0, errno
	}
	whole, ok := stream.(dirStream)
	if !ok {
		stream.Close()
		return nil, 0, unix.ENOTSUP
	}
	return &folder{dirStream: whole, n: n, fd: fd}, 0, 0
}

// Readdirent is judged once for a listing: at its first entry.
func (f *folder) Readdirent(ctx context.Context) (*fuse.DirEntry, syscall.Errno) {
	if !f.read.Swap(true) {
		if v := f.n.s.judge(ctx, OpReaddir, 0, f.n.path); v.errno != 0 {
			f.read.Store(false)
			return nil, v.errno
		}
	}
	return f.dirStream.Readdirent(ctx)
}

// Seekdir begins a new listing, or goes on with one.
func (f *folder) Seekdir(ctx context.Context, off uint64) syscall.Errno {
	f.read.Store(off != 0)
	return f.dirStream.Seekdir(ctx, off)
}

// Fsyncdir makes the directory's names durable.
func (f *folder) Fsyncdir(ctx context.Context, _ uint32) syscall.Errno {
	if v := f.n.s.judge(ctx, OpFsyncdir, 0, f.n.path); v.errno != 0 {
		return v.errno
	}
	ino := f.n.StableAttr().Ino
	return errnoOf(f.n.s.undo.syncDirectory(ino, func() error { return unix.Fsync(f.fd) }))
}

// isEmpty tells whether a directory has no entries.
func isEmpty(dir int, name string) (bool, error) {
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return false, err
	}
	defer unix.Close(fd) //nolint:errcheck // read only
	buf := make([]byte, blockSize)
	for {
		n, err := unix.Getdents(fd, buf)
		if err != nil || n == 0 {
			return err == nil, err
		}
		if _, _, names := unix.ParseDirent(buf[:n], -1, nil); len(names) > 0 {
			return false, nil // . and .. are left out
		}
	}
}
