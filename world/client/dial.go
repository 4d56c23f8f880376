package client

import (
	"context"
	"errors"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	raceEvery = 250 * time.Millisecond // between one connection attempt and the next
	raceGiven = 3 * time.Second        // to one connection attempt
)

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// dial is the dialler of a target, or the runner's own.
func (t Target) dial() dialFunc {
	if t.Dial != nil {
		return t.Dial
	}
	return new(net.Dialer).DialContext
}

// race connects, with a new attempt beside the old ones every raceEvery while none has an answer: the first one to be
// answered counts. So a connection that was first tried in a cut is there a moment after it heals, not when TCP's next
// retransmission (after 1, 2, 4, … s) happens to come. A refusal is an answer.
func race(ctx context.Context, dial dialFunc, network, address string) (net.Conn, error) {
	type answer struct {
		conn net.Conn
		err  error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := make(chan answer)
	start := func() {
		go func() {
			attempt, done := context.WithTimeout(ctx, raceGiven)
			defer done()
			conn, err := dial(attempt, network, address)
			select {
			case answers <- answer{conn, err}:
			case <-ctx.Done():
				if conn != nil {
					_ = conn.Close() // too late: another was first
				}
			}
		}()
	}
	start()
	next := time.NewTicker(raceEvery)
	defer next.Stop()
	for {
		select {
		case a := <-answers:
			if a.err == nil || !isTimeout(a.err) {
				return a.conn, a.err
			}
		case <-next.C:
			start()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// conn watches a connection, so that a client knows when it is of no more use.
type conn struct {
	net.Conn
	lastRead  atomic.Int64 // unix ns of the last time that anything arrived
	lastWrite atomic.Int64 // unix ns of the last time that anything was sent
	broken    atomic.Bool
	// turns makes Close an abort while the last thing written has no answer, for protocols in which each side speaks in turn.
	turns bool
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.lastRead.Store(time.Now().UnixNano())
	}
	if err != nil {
		c.broken.Store(true)
	}
	return n, err
}

func (c *conn) Write(p []byte) (int, error) {
	c.lastWrite.Store(time.Now().UnixNano())
	n, err := c.Conn.Write(p)
	if err != nil {
		c.broken.Store(true)
	}
	return n, err
}

func (c *conn) Close() error {
	c.broken.Store(true)
	if c.turns && c.lastWrite.Load() > c.lastRead.Load() {
		c.forget()
	}
	return c.Conn.Close()
}

// quietSince tells whether nothing arrived since then.
func (c *conn) quietSince(then time.Time) bool { return c.lastRead.Load() < then.UnixNano() }

// abort closes the connection so that what was written and has not arrived never will (RST instead of FIN).
func (c *conn) abort() {
	c.forget()
	_ = c.Close() // closing is all that is left to do with it
}

// forget makes the kernel drop what was not sent yet when the connection is closed.
func (c *conn) forget() {
	if l, ok := c.Conn.(interface{ SetLinger(int) error }); ok {
		_ = l.SetLinger(0) // a connection that cannot is closed as any other
	}
}

// isTimeout tells whether an error is that of time running out, on this side.
func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// isRefusal tells whether the node's machine answered, in the server's place: nobody listens, or the connection is cut.
func isRefusal(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
