package run

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// GuardOptions say what a guard watches for and what it calls.
type GuardOptions struct {
	// Deadline is when the process will be ended from outside: for a test what
	// testing.T.Deadline says. Zero: never.
	Deadline time.Time
	// Margin is how long before Deadline the guard acts: what a teardown needs.
	// Zero: 15 s, but no more than a third of the time that is left.
	Margin time.Duration
	// OnStop is called once, on a goroutine of its own, after the guard's context
	// was cancelled; it may be nil. The process goes on when it returns.
	OnStop func(reason string)
}

// Stopped is the cause (context.Cause) of a context that a guard cancelled.
type Stopped struct{ Reason string }

func (s *Stopped) Error() string { return "stopped: " + s.Reason }

// Guard returns a context that ends when the process is asked to end (SIGINT,
// SIGTERM, SIGHUP) or its Deadline is near, so that what runs under it fails and
// is torn down, by its own hooks or by OnStop. A second signal ends the process at
// once, with 128 + its number; what is left then is the reaper's and the next
// sweep's. Release gives the signals back; a process has one guard at a time.
func Guard(ctx context.Context, o GuardOptions) (guarded context.Context, release func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, wanted()...)
	late, stopTimer := alarm(o)

	end := make(chan struct{})
	var watching sync.WaitGroup
	stopped := false
	stop := func(reason string) {
		if stopped {
			return
		}
		stopped = true
		cancel(&Stopped{Reason: reason})
		if o.OnStop != nil {
			go o.OnStop(reason)
		}
	}
	watching.Go(func() {
		signalled := false
		for {
			select {
			case s := <-signals:
				if signalled {
					exitBy(s)
				}
				signalled = true
				stop(fmt.Sprintf("got %v (once more ends it at once)", s))
			case <-late:
				stop(fmt.Sprintf("the time limit is near, at %s", o.Deadline.Format(time.TimeOnly)))
			case <-end:
				return
			}
		}
	})

	return ctx, sync.OnceFunc(func() {
		signal.Stop(signals)
		stopTimer()
		close(end)
		watching.Wait()
		cancel(nil)
	})
}

// wanted are the signals that ask a process to end. A hang-up that is ignored
// (nohup) stays so: Notify would end that.
func wanted() []os.Signal {
	if signal.Ignored(syscall.SIGHUP) {
		return []os.Signal{syscall.SIGINT, syscall.SIGTERM}
	}
	return []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP}
}

// alarm is a channel that says when the deadline is near.
func alarm(o GuardOptions) (<-chan time.Time, func()) {
	if o.Deadline.IsZero() {
		return nil, func() {}
	}
	left := time.Until(o.Deadline)
	margin := o.Margin
	if margin <= 0 {
		margin = min(15*time.Second, left/3)
	}
	t := time.NewTimer(left - margin)
	return t.C, func() { t.Stop() }
}

// exitBy ends the process as a shell reports an end by that signal.
func exitBy(s os.Signal) {
	code := 128
	if n, ok := s.(syscall.Signal); ok {
		code += int(n)
	}
	os.Exit(code)
}
