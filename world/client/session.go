package client

import (
	"context"
	"net"
)

// session is one connection and the client of a service on it. A lost connection ends its session.
type session interface {
	comparable
	// lost tells whether nothing can be asked any more.
	lost() bool
	close()
}

// slot has room for the one session of a client, and holds none as its zero value does. Taking it out is the lock.
type slot[S session] chan S

func newSlot[S session]() slot[S] {
	s := make(slot[S], 1)
	s.put(*new(S))
	return s
}

// take takes the session out, a new one where there is none or the last is lost; whoever gets it puts it back. Its error
// is open's, or ctx's.
func (s slot[S]) take(ctx context.Context, open func(context.Context) (S, error)) (S, error) {
	var none, there S
	select {
	case there = <-s:
	case <-ctx.Done():
		return none, ctx.Err()
	}
	if there != none && !there.lost() {
		return there, nil
	}
	if there != none {
		there.close()
	}
	fresh, err := open(ctx)
	if err != nil {
		s.put(none)
		return none, err
	}
	return fresh, nil
}

func (s slot[S]) put(back S) { s <- back }

// peek is take for clients whose session answers several questions at once.
func (s slot[S]) peek(ctx context.Context, open func(context.Context) (S, error)) (S, error) {
	there, err := s.take(ctx, open)
	if err == nil {
		s.put(there)
	}
	return there, err
}

// Close drops the connection.
func (s slot[S]) Close() error {
	var none S
	if there := <-s; there != none {
		there.close()
	}
	s.put(none)
	return nil
}

// handOver is a dialler for libraries that want to make their connection: it gives the one that was made already, once.
func handOver(c net.Conn) func() (net.Conn, error) {
	only := make(chan net.Conn, 1)
	only <- c
	return func() (net.Conn, error) {
		select {
		case c := <-only:
			return c, nil
		default:
			return nil, errLost
		}
	}
}
