package run

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// The lock file of a run has two bytes that matter. Whoever wants one takes it
// first and looks at the other after that; of two who do so at the same time at
// least one sees the other, and both may step back.
const (
	byteAlive = 0 // held by the living runner
	byteSweep = 1 // held by whoever is removing what a dead run left
)

// errBusy is what taking a byte that another holds gives.
var errBusy = errors.New("locked by another process")

// A lock is an open lock file. Its locks belong to the open file (F_OFD_SETLK,
// Linux 3.15), not to the process or thread, and end with it. The descriptor is
// close-on-exec: a child must not keep a dead run alive.
type lock struct{ file *os.File }

// openLock opens the lock file in a run's folder, and makes it when it is missing:
// a run may have been killed before it did.
func openLock(dir string) (*lock, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return &lock{file: f}, nil
}

// take locks one byte without waiting; errBusy if another holds it.
func (l *lock) take(at int64) error {
	err := l.fcntl(unix.F_OFD_SETLK, at, new(unix.Flock_t))
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		return errBusy
	}
	return err
}

// taken tells whether another open file holds the byte. It only looks: unlike a
// try to lock, it disturbs nobody.
func (l *lock) taken(at int64) (bool, error) {
	var got unix.Flock_t
	if err := l.fcntl(unix.F_OFD_GETLK, at, &got); err != nil {
		return false, err
	}
	return got.Type != unix.F_UNLCK, nil
}

func (l *lock) fcntl(cmd int, at int64, f *unix.Flock_t) error {
	*f = unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart, Start: at, Len: 1}
	for {
		err := unix.FcntlFlock(l.file.Fd(), cmd, f)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// current tells whether the file is still the one that dir holds: a sweep may
// have removed it between its opening and its locking.
func (l *lock) current(dir string) bool {
	mine, err := l.file.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(filepath.Join(dir, "lock"))
	return err == nil && os.SameFile(mine, there)
}

// close gives both bytes up. There is nothing to do about an error.
func (l *lock) close() { _ = l.file.Close() }

// lockNew takes the lock of a folder that was just made, or returns errBusy when
// a sweep came in between and took the folder for a dead run's.
func lockNew(dir string) (*lock, error) {
	l, err := openLock(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, errBusy
	}
	if err != nil {
		return nil, err
	}
	if err := l.claim(byteAlive, byteSweep, dir); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// lockDead takes a dead run's lock for sweeping; errBusy when it is not dead or
// another sweeps it, an error that is os.ErrNotExist when it is gone.
func lockDead(dir string) (*lock, error) {
	l, err := openLock(dir)
	if err != nil {
		return nil, err
	}
	if err := l.claim(byteSweep, byteAlive, dir); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// claim takes one byte, then makes sure that nobody holds the other one and that
// the folder still has this file.
func (l *lock) claim(want, other int64, dir string) error {
	if err := l.take(want); err != nil {
		return fmt.Errorf("%s: %w", l.file.Name(), err)
	}
	held, err := l.taken(other)
	if err != nil {
		return fmt.Errorf("%s: %w", l.file.Name(), err)
	}
	if held || !l.current(dir) {
		return errBusy
	}
	return nil
}
