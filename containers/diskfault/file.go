package diskfault

import (
	"context"
	"errors"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// notPassed are the flags of open that are the kernel's matter, and not for the
// backing file: the kernel finds the end to append at, our buffers are not aligned
// for direct access, links are followed before we are asked, and we sync each write
// ourselves.
const notPassed = unix.O_APPEND | unix.O_DIRECT | unix.O_TRUNC | unix.O_CREAT | unix.O_EXCL | unix.O_NOFOLLOW | unix.O_SYNC | fuse.FMODE_EXEC

// file is an open file.
type file struct {
	n       *node
	fd      int
	content *content // nil where nothing is undone
	durable bool     // each write is to be durable: O_SYNC, O_DSYNC
}

var _ interface {
	fs.FileReader
	fs.FileWriter
	fs.FileFsyncer
	fs.FileAllocater
	fs.FileLseeker
	fs.FileReleaser
} = (*file)(nil)

// Open opens a file. What the kernel has of it in memory stays: it changes
// through this volume alone.
func (n *node) Open(ctx context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	op := OpOpen
	if flags&unix.O_ACCMODE != unix.O_RDONLY || flags&unix.O_TRUNC != 0 {
		op = OpOpenWrite
	}
	if v := n.s.judge(ctx, op, 0, n.path); v.errno != 0 {
		return nil, 0, v.errno
	}
	var fd int
	err := n.with(nil, func(path int) (err error) {
		fd, err = unix.Open(procPath(path), int(flags)&^notPassed|unix.O_CLOEXEC, 0)
		return err
	})
	if err == nil && flags&unix.O_TRUNC != 0 {
		if err = n.truncate(fd, 0); err != nil {
			_ = unix.Close(fd)
		}
	}
	if err != nil {
		return nil, 0, errnoOf(err)
	}
	var c *content
	if u := n.s.undo; u != nil {
		c = u.files.open(n.StableAttr().Ino)
	}
	return n.s.opened(&file{n: n, fd: fd, content: c, durable: flags&unix.O_DSYNC != 0}), fuse.FOPEN_KEEP_CACHE, 0
}

// Release closes it.
func (f *file) Release(context.Context) syscall.Errno {
	f.n.s.released(f)
	if u := f.n.s.undo; u != nil {
		u.files.close(f.content)
	}
	return errnoOf(unix.Close(f.fd))
}

// Read reads.
func (f *file) Read(ctx context.Context, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	v := f.n.s.judge(ctx, OpRead, len(dest), f.n.path)
	if v.errno != 0 {
		return nil, v.errno
	}
	n, err := readFull(f.fd, dest, off)
	if err != nil {
		return nil, errnoOf(err)
	}
	v.flipBits(dest[:n])
	return fuse.ReadResultData(dest[:n]), 0
}

// Write writes through to the backing file.
func (f *file) Write(ctx context.Context, data []byte, off int64) (uint32, syscall.Errno) {
	v := f.n.s.judge(ctx, OpWrite, len(data), f.n.path)
	if v.errno != 0 && !v.torn {
		return 0, v.errno
	}
	part := data
	if v.torn {
		part = data[:v.tear(len(data))]
	}
	var n int
	err := f.n.s.undo.change(f.content, f.fd, off, int64(len(part)), func() (err error) {
		n, err = pwrite(f.fd, part, off)
		return err
	})
	if err == nil && f.durable {
		err = f.sync(unix.Fdatasync)
	}
	switch {
	case err != nil:
		return 0, errnoOf(err)
	case v.torn:
		return uint32(len(data)), v.errno
	}
	return uint32(n), 0
}

func pwrite(fd int, data []byte, off int64) (int, error) {
	for {
		n, err := unix.Pwrite(fd, data, off)
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

// fdatasyncFlag is FUSE_FSYNC_FDATASYNC.
const fdatasyncFlag = 1

// Fsync makes the file durable.
func (f *file) Fsync(ctx context.Context, flags uint32) syscall.Errno {
	op, call := OpFsync, unix.Fsync
	if flags&fdatasyncFlag != 0 {
		op, call = OpFdatasync, unix.Fdatasync
	}
	if v := f.n.s.judge(ctx, op, 0, f.n.path); v.errno != 0 {
		return v.errno
	}
	return errnoOf(f.sync(call))
}

func (f *file) sync(call func(int) error) error {
	return f.n.s.undo.sync(f.content, func() error { return call(f.fd) })
}

// Allocate allocates and frees space, and shifts content.
func (f *file) Allocate(ctx context.Context, off, size uint64, mode uint32) syscall.Errno {
	if v := f.n.s.judge(ctx, OpAllocate, int(size), f.n.path); v.errno != 0 {
		return v.errno
	}
	touched := int64(0) // plain allocation changes the size at most
	switch {
	case mode&(unix.FALLOC_FL_COLLAPSE_RANGE|unix.FALLOC_FL_INSERT_RANGE) != 0:
		touched = -1
	case mode&(unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_ZERO_RANGE) != 0:
		touched = int64(size)
	}
	return errnoOf(f.n.s.undo.change(f.content, f.fd, int64(off), touched, func() error {
		return unix.Fallocate(f.fd, mode, int64(off), int64(size))
	}))
}

// Lseek finds holes and data.
func (f *file) Lseek(_ context.Context, off uint64, whence uint32) (uint64, syscall.Errno) {
	n, err := unix.Seek(f.fd, int64(off), int(whence))
	return uint64(n), errnoOf(err)
}
