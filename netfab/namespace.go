package netfab

import (
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// Namespace is an anonymous network namespace, held by one open descriptor of
// this process and by whatever processes run and sockets live in it. It has no
// name in the file system, so the kernel ends it, and all links, routes and
// programs in it, when the last holder is gone, kill -9 included.
//
// Methods may be called from any goroutine.
type Namespace struct {
	name   string
	inode  uint64
	cookie uint64 // SO_NETNS_COOKIE, never used again by the kernel; 0 before 5.14

	mu sync.RWMutex
	fd int // -1 once closed
}

// unshareHere makes a new namespace and leaves the calling thread in it. Only
// a visitor may call it.
func unshareHere(name string) (*Namespace, error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return nil, fmt.Errorf("%s: create network namespace: %w\nhint: run as root, or give CAP_SYS_ADMIN", name, err)
	}
	fd, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: open its network namespace: %w%s", name, err, descriptorHint(err))
	}
	ns := &Namespace{name: name, fd: fd}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: stat its network namespace: %w", name, err), ns.Close())
	}
	ns.inode = st.Ino
	return ns, nil
}

// Do runs f on an OS thread inside the namespace and waits for it. Sockets
// that f opens and processes that it starts stay in the namespace; the thread
// does not. f must not wait for other goroutines to do things in the
// namespace for it: they run elsewhere.
func (ns *Namespace) Do(f func() error) error {
	return visit(func() error {
		if err := ns.enter(); err != nil {
			return err
		}
		return f()
	})
}

// enter moves the calling thread into the namespace. Only a visitor may call it.
func (ns *Namespace) enter() error {
	ns.mu.RLock()
	defer ns.mu.RUnlock()
	if ns.fd < 0 {
		return fmt.Errorf("%s: enter network namespace: %w", ns.name, ErrClosed)
	}
	if err := unix.Setns(ns.fd, unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("%s: enter network namespace: %w\nhint: run as root, or give CAP_SYS_ADMIN", ns.name, err)
	}
	return nil
}

// Path is the namespace as a file that runc and nsenter accept,
// /proc/<pid>/fd/<n>. It is good until Close and only as long as this process
// lives: keep the Inode beside it and compare before using it later.
func (ns *Namespace) Path() string {
	ns.mu.RLock()
	defer ns.mu.RUnlock()
	return fmt.Sprintf("/proc/%d/fd/%d", pid, ns.fd)
}

// Inode identifies the namespace among those living: the number that
// readlink /proc/<pid>/ns/net shows in brackets. The kernel uses it again
// after the namespace has ended.
func (ns *Namespace) Inode() uint64 { return ns.inode }

// String is the name that messages use.
func (ns *Namespace) String() string { return ns.name }

// Close gives up this process's hold. The namespace ends once nobody else
// holds it. Closing twice is harmless.
func (ns *Namespace) Close() error {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	if ns.fd < 0 {
		return nil
	}
	err := unix.Close(ns.fd)
	ns.fd = -1
	if err != nil {
		return fmt.Errorf("%s: close network namespace: %w", ns.name, err)
	}
	return nil
}
