package load

import (
	"context"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// fine is how long before its time a request is waited for with the kernel's own clock. Go's timers wake up to 1 ms late,
// for epoll_wait counts milliseconds.
const fine = 2 * time.Millisecond

// sleeper waits for one moment after the other on a thread of its own.
type sleeper struct{ timer *time.Timer }

// newSleeper takes the thread; its kernel timers go off without slack (50 µs otherwise).
func newSleeper() *sleeper {
	runtime.LockOSThread()
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // only a finer clock
	return &sleeper{time.NewTimer(0)}
}

func (s *sleeper) stop() {
	s.timer.Stop()
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 0, 0, 0, 0) // as the process had it
	runtime.UnlockOSThread()
}

// until waits for a moment, or for the context's end.
func (s *sleeper) until(ctx context.Context, due time.Time) {
	for last := time.Duration(0); ctx.Err() == nil; {
		wait := time.Until(due)
		switch {
		case wait <= 0:
			return
		case wait > fine:
			s.timer.Reset(wait - fine/2)
		case wait != last: // time goes on while the thread sleeps; that of a test may stand still
			last = wait
			ts := unix.NsecToTimespec(wait.Nanoseconds())
			_ = unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &ts, nil) // a signal ends it early: once more
			continue
		default:
			s.timer.Reset(wait)
		}
		select {
		case <-ctx.Done():
		case <-s.timer.C:
		}
	}
}
