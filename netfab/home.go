package netfab

import (
	"fmt"
	"os"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// The main goroutine stays on the process's first thread for good, so that no
// goroutine of ours can ever take that thread into another namespace:
// /proc/self/ns/net is the first thread's, and everybody (runc, ip, a
// debugger) reads it as "the process's namespace". A Go program cannot end
// its first thread either, which is what visit does to one that is lost.
func init() { runtime.LockOSThread() }

// home is the network namespace that the process was started in, opened once
// and kept for the life of the process.
var home = sync.OnceValues(func() (int, error) {
	fd, err := unix.Open("/proc/self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("/proc/self/ns/net: open: %w\nhint: mount proc at /proc", err)
	}
	return fd, nil
})

// outcome is what a visit brings back to the goroutine that asked for it.
type outcome struct {
	err      error
	panicked any  // the value of a panic in the visitor
	exited   bool // the visitor called runtime.Goexit, as testing's FailNow does
}

// visit runs f in a goroutine of its own on a locked OS thread, which may
// change its network namespace there, and waits for it. Afterwards the thread
// goes home; if it cannot, the goroutine ends locked, and the runtime ends the
// thread with it, so that no other goroutine inherits a foreign namespace.
// A panic or Goexit of f happens in the caller.
func visit(f func() error) error {
	fd, err := home()
	if err != nil {
		return err
	}
	done := make(chan outcome, 1)
	go func() {
		runtime.LockOSThread()
		out := outcome{exited: true}
		defer func() {
			if out.exited {
				if p := recover(); p != nil {
					out.panicked, out.exited = p, false
				}
			}
			if unix.Setns(fd, unix.CLONE_NEWNET) == nil {
				runtime.UnlockOSThread()
			}
			done <- out
		}()
		out.err = f()
		out.exited = false
	}()
	out := <-done
	if out.panicked != nil {
		panic(out.panicked) // the caller's own panic, raised where the caller can see it
	}
	if out.exited {
		runtime.Goexit()
	}
	return out.err
}

// pid names this process in paths that other processes open.
var pid = os.Getpid()
