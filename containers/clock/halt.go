package clock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// eventStop is the event of a thread that was interrupted (PTRACE_EVENT_STOP,
// linux/ptrace.h); without it a stop is the delivery of a signal.
const eventStop = 128

// patience is how long a thread has to stop. One that waits in the kernel
// without listening, for a slow disk, counts as stopped where it waits.
const patience = 50 * time.Millisecond

// thread is one stopped thread.
type thread struct {
	place
	tid    int
	signal syscall.Signal // that it was about to get
	parked bool           // waits in the kernel and is not stopped
	quiet  bool           // blocks no signal, so that it is in no signal handler
}

// place is where in its program a thread is.
type place struct {
	pc, sp uint64
	link   uint64 // the register that holds the return address, where the machine has one
}

// halted stops every thread of a process, runs f, and lets them go on. Nobody
// sees the stop: the parent is not told, and signals arrive afterwards.
//
// When this program is killed in between, the kernel lets the threads go:
// PTRACE_O_EXITKILL is not set. The same happens when f panics.
func halted(ctx context.Context, pid int, f func([]thread) error) error {
	return onThread(func() error {
		threads, err := seize(ctx, pid)
		defer release(threads)
		if err != nil {
			return err
		}
		return f(threads)
	})
}

// onThread runs f on an OS thread of its own, which ends with f: what it traces
// then is traced no more, whatever state it is in.
func onThread(f func() error) error {
	done := make(chan error, 1)
	var run func()
	run = func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() { // the main thread would stay: hold it until another has started
			other := make(chan struct{})
			go func() {
				close(other)
				run()
			}()
			<-other
			runtime.UnlockOSThread()
			return
		}
		done <- f()
		// Still locked, so that the thread ends.
	}
	go run()
	return <-done
}

// seize stops all threads, those too that are started meanwhile. It returns
// what it has stopped even when it fails.
func seize(ctx context.Context, pid int) ([]thread, error) {
	var threads []thread
	seen := map[int]bool{}
	for {
		tids, err := threadsOf(pid)
		if err != nil {
			return threads, err
		}
		first := len(threads)
		for _, tid := range tids {
			if seen[tid] {
				continue
			}
			seen[tid] = true
			err := unix.PtraceSeize(tid)
			if err == nil {
				err = unix.PtraceInterrupt(tid)
			}
			switch {
			case err == nil:
				threads = append(threads, thread{tid: tid})
			case errors.Is(err, unix.ESRCH) || ended(tid):
			case tracedByUs(tid): // parked before, and its tracer is about to end
				return threads, errBusy
			default:
				return threads, fmt.Errorf("trace thread %d: %w\nhint: does a debugger or strace hold it?", tid, err)
			}
		}
		if len(threads) == first {
			if first == 0 {
				return nil, errGone
			}
			return threads, nil
		}
		for i := first; i < len(threads); i++ {
			if err := threads[i].await(ctx, pid); err != nil {
				return threads, err
			}
		}
	}
}

// await waits until the thread has stopped and reads where. A thread that
// ended meanwhile is left without a number.
func (t *thread) await(ctx context.Context, pid int) error {
	began := time.Now()
	for pause := 10 * time.Microsecond; ; pause = min(2*pause, time.Millisecond) {
		if t.stopped() {
			return t.registers()
		}
		if time.Since(began) > patience && t.park(pid) {
			if t.stopped() { // just now
				t.parked = false
				return t.registers()
			}
			return nil
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("thread %d did not stop: %w", t.tid, err)
		}
		time.Sleep(pause)
	}
}

// stopped tells whether the thread has stopped, or ended.
func (t *thread) stopped() bool {
	for {
		var ws unix.WaitStatus
		got, err := unix.Wait4(t.tid, &ws, unix.WNOHANG|unix.WALL, nil)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err == nil && got == 0:
			return false
		case err != nil || !ws.Stopped():
			t.tid = 0
		case int(ws)>>16 == eventStop:
			t.signal = 0
		default:
			t.signal = ws.StopSignal()
		}
		return true
	}
}

// registers reads where a stopped thread is.
func (t *thread) registers() error {
	if t.tid == 0 {
		return nil
	}
	var r syscall.PtraceRegs
	err := syscall.PtraceGetRegs(t.tid, &r)
	if errors.Is(err, unix.ESRCH) {
		t.tid = 0
		return nil
	}
	t.place = placeOf(&r)
	var blocked uint64
	_, _, errno := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_GETSIGMASK, uintptr(t.tid), unsafe.Sizeof(blocked), uintptr(unsafe.Pointer(&blocked)), 0, 0)
	t.quiet = errno == 0 && blocked == 0
	return err
}

// park takes a thread that waits in a system call as stopped there. The file
// reads "running", or the call, its arguments, stack pointer and counter.
func (t *thread) park(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/syscall", pid, t.tid))
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 3 {
		return false
	}
	sp, err1 := strconv.ParseUint(fields[len(fields)-2], 0, 64)
	pc, err2 := strconv.ParseUint(fields[len(fields)-1], 0, 64)
	if err1 != nil || err2 != nil {
		return false
	}
	t.sp, t.pc, t.parked = sp, pc, true
	return true
}

// release lets the threads go on, with the signals that they were to get. A
// parked one that has not stopped meanwhile goes free when this OS thread ends.
func release(threads []thread) {
	for _, t := range threads {
		if t.tid != 0 && (!t.parked || t.stopped()) {
			// Fails only when the thread is gone.
			_, _, _ = unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_DETACH, uintptr(t.tid), 0, uintptr(t.signal), 0, 0)
		}
	}
}

func threadsOf(pid int) ([]int, error) {
	dir, err := os.Open(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return nil, gone(err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, gone(err)
	}
	tids := make([]int, 0, len(names))
	for _, n := range names {
		if tid, err := strconv.Atoi(n); err == nil {
			tids = append(tids, tid)
		}
	}
	return tids, nil
}

func tracedByUs(tid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", tid))
	return err == nil && strings.Contains(string(status), fmt.Sprintf("\nTracerPid:\t%d\n", os.Getpid()))
}

// ended tells whether a thread is dead and waits to be reaped.
func ended(tid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", tid))
	if err != nil {
		return true
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(after, "Z") || strings.HasPrefix(after, "X")
}
