package netfab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// Forward is a listener on the host's loopback whose connections go on from
// inside a node's namespace: the way for tools and debuggers into a cluster.
type Forward struct {
	// Addr is where it listens, "127.0.0.1:<port>".
	Addr string

	node   *Node
	to     string
	l      net.Listener
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	held   *held
	wg     sync.WaitGroup
}

// Forward listens on a free port of the host's loopback and passes TCP
// connections on to addr ("node2:2379", "localhost:80") as seen from inside
// the node. It lasts until its Close or the network's, whatever becomes of ctx.
func (n *Node) Forward(ctx context.Context, addr string) (*Forward, error) {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return nil, fmt.Errorf("%s: forward from %s: %w", addr, n.Name, err)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("%s: forward from %s: %w", addr, n.Name, err)
	}
	f := &Forward{Addr: l.Addr().String(), node: n, to: addr, l: l}
	f.ctx, f.cancel = context.WithCancel(n.net.base)
	if f.held, err = n.net.sockets.hold(forwardCloser{f}); err != nil {
		return nil, err
	}
	f.wg.Go(f.accept)
	return f, nil
}

// forwardCloser is what the network closes: a forward's own Close goes through
// the network.
type forwardCloser struct{ f *Forward }

func (c forwardCloser) Close() error { return c.f.end() }

// Close ends the forward and its connections and waits for them.
func (f *Forward) Close() error { return f.held.Close() }

func (f *Forward) end() error {
	f.cancel()
	err := f.l.Close()
	f.wg.Wait()
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("%s: forward: close: %w", f.Addr, err)
	}
	return nil
}

func (f *Forward) accept() {
	for {
		c, err := f.l.Accept()
		if err != nil {
			if f.ctx.Err() == nil {
				f.cancel() // a listener that fails by itself serves nobody
			}
			return
		}
		f.wg.Go(func() {
			defer func() { _ = c.Close() }()
			to, err := f.node.DialContext(f.ctx, "tcp", f.to)
			if err != nil {
				return // whoever connected sees the end of the connection
			}
			defer func() { _ = to.Close() }()
			join(f.ctx, c, to)
		})
	}
}

// join copies between two connections, passing on each side's end of sending,
// until both have ended or ctx has. It closes neither.
func join(ctx context.Context, a, b net.Conn) {
	stop := context.AfterFunc(ctx, func() {
		_, _ = a.Close(), b.Close() // ends the copies; the owner closes again
	})
	defer stop()
	var wg sync.WaitGroup
	oneWay := func(to, from net.Conn) {
		_, err := io.Copy(to, from)
		if w, ok := to.(interface{ CloseWrite() error }); ok && err == nil {
			err = w.CloseWrite()
		}
		if err != nil { // a connection that broke takes the other with it
			_, _ = a.Close(), b.Close()
		}
	}
	wg.Go(func() { oneWay(a, b) })
	oneWay(b, a)
	wg.Wait()
}
