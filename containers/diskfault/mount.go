package diskfault

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// mount mounts a FUSE file system in the mount namespace that fdMountNS is open
// on, and returns the descriptor that its requests come from and the minor number
// of its device.
func mount(point string) (fuseFD int, device uint32, err error) {
	fuseFD, err = unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, 0, fmt.Errorf("/dev/fuse: %w\nhint: load the kernel module fuse", err)
	}
	err = inNamespace(fdMountNS, func() error {
		options := fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0,max_read=%d,allow_other,default_permissions", fuseFD, maxWrite)
		if err := unix.Mount(fsName, point, "fuse."+fsName, unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
			return fmt.Errorf("%s: mount: %w", point, err)
		}
		// Nobody answers yet: only what the kernel knows by itself may be asked.
		var x unix.Statx_t
		if err := unix.Statx(unix.AT_FDCWD, point, unix.AT_STATX_DONT_SYNC, 0, &x); err != nil {
			return fmt.Errorf("%s: %w", point, err)
		}
		device = x.Dev_minor
		return nil
	})
	return fuseFD, device, err
}

// inNamespace runs f in a mount namespace, given as a descriptor, on a thread that
// ends with it. f must not start goroutines.
func inNamespace(ns int, f func() error) error {
	return onThread(func() error {
		if err := unix.Unshare(unix.CLONE_FS); err != nil {
			return fmt.Errorf("unshare: %w", err)
		}
		if err := unix.Setns(ns, unix.CLONE_NEWNS); err != nil {
			return fmt.Errorf("enter the mount namespace: %w", err)
		}
		return f()
	})
}

// onThread runs f on a thread of its own. Never the process's first: that one
// cannot end, and would stay in what it entered.
func onThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread is spoilt
		if unix.Gettid() == os.Getpid() {
			err := onThread(f) // runs elsewhere, as this thread is taken
			runtime.UnlockOSThread()
			done <- err
			return
		}
		done <- f()
	}()
	return <-done
}

// openNamespace opens a mount namespace, given as a path; empty: the caller's.
func openNamespace(path string) (*os.File, error) {
	if path == "" {
		path = "/proc/self/ns/mnt"
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("mount namespace: %w", err)
	}
	return f, nil
}

// isGone tells whether a mount or namespace is no longer there.
func isGone(err error) bool {
	return errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH)
}
