package client

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// TestRaceAfterACut holds that a connection first tried in a cut is there at most raceEvery after the cut heals, and that
// the attempts of the cut are given up.
func TestRaceAfterACut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var open atomic.Int32
		dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
			if time.Since(start) < 10*time.Second {
				open.Add(1)
				defer open.Add(-1)
				<-ctx.Done()
				return nil, ctx.Err()
			}
			a, _ := net.Pipe()
			return a, nil
		}
		c, err := race(t.Context(), dial, "tcp", "10.77.0.2:1")
		if err != nil || time.Since(start) > 10*time.Second+raceEvery {
			t.Errorf("%v, %v after %s", c, err, time.Since(start))
		}
		synctest.Wait()
		if open.Load() != 0 {
			t.Errorf("%d attempts are still open", open.Load())
		}
	})
}

func TestRaceRefused(t *testing.T) {
	refuse := func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	}
	if _, err := race(t.Context(), refuse, "tcp", "x"); !isRefusal(err) {
		t.Errorf("got %v", err)
	}
}

func TestRaceEnds(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	silent := func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if _, err := race(ctx, silent, "tcp", "x"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}
