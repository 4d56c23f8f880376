package cleanup

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// grace is what an undo has, after its context ended, to return by itself: its
// own error says more than "not done".
const grace = 200 * time.Millisecond

// errEnded is the error of an undo that ended its goroutine (runtime.Goexit, as
// testing's FailNow does).
var errEnded = errors.New("ended its goroutine instead of returning")

// bounded runs the undo on a goroutine of its own and waits for it no longer
// than its time limit. One that does not heed its context stays behind: better a
// goroutine left, and said so, than the rest of the clean-up not done.
func (u undo) bounded(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), u.timeout)
	defer cancel()

	done := make(chan error, 1)
	go u.recovered(ctx, done)

	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}

	last := time.NewTimer(grace)
	defer last.Stop()
	select {
	case err := <-done:
		return err
	case <-last.C:
		return fmt.Errorf("not done after %v: %w", u.timeout, context.DeadlineExceeded)
	}
}

// recovered runs the undo and sends its one outcome: its error, its panic with
// the stack, or errEnded.
func (u undo) recovered(ctx context.Context, done chan<- error) {
	err := errEnded
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
		done <- err
	}()
	err = u.run(ctx)
}
