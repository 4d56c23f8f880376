package image

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// lock waits until nobody else, in this process or another, holds the lock of
// that key. The lock ends with its holder, even with kill -9. what is said to
// the user when there is a wait.
func (s *store) lock(ctx context.Context, key, what string) (unlock func(), err error) {
	f, err := os.OpenFile(s.path("locks", key), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	undo := f
	defer func() {
		if undo != nil {
			_ = undo.Close()
		}
	}()
	var said bool
	begin := time.Now()
	// flock(2) has no deadline, so the lock is polled.
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			undo = nil
			return func() { _ = f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, fmt.Errorf("%s: lock: %w", f.Name(), err)
		}
		if !said && time.Since(begin) > time.Second {
			said = true
			s.progress(what + ": waiting for another run that makes it")
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for another run that makes it: %w", ctx.Err())
		case <-tick.C:
		}
	}
}
