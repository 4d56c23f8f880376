package netfab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// connect opens a socket inside the node's namespace and connects it. Only the
// opening takes a thread into the namespace; the wait for the other side is
// the runtime's poller's, so that a thousand dials into a cut cost no thread.
func (n *Node) connect(ctx context.Context, proto string, to netip.AddrPort) (net.Conn, error) {
	fail := func(err error) error {
		return &net.OpError{Op: "dial", Net: proto, Addr: netAddr(proto, to), Err: err}
	}
	if err := ctx.Err(); err != nil {
		return nil, fail(err)
	}
	if err := n.net.sockets.begin(); err != nil {
		return nil, fail(err)
	}
	defer n.net.sockets.making.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(n.net.base, cancel)()
	kind := unix.SOCK_STREAM
	if proto == "udp" {
		kind = unix.SOCK_DGRAM
	}
	fd := -1
	err := n.ns.Do(func() error {
		var err error
		fd, err = unix.Socket(family(to.Addr()), kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		return err
	})
	if err != nil {
		return nil, fail(fmt.Errorf("open socket: %w%s", err, descriptorHint(err)))
	}
	file := os.NewFile(uintptr(fd), to.String())
	defer func() { _ = file.Close() }() // net.FileConn works on a copy
	if err := connectSocket(ctx, file, to); err != nil {
		return nil, fail(err)
	}
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, fail(err)
	}
	return n.net.hold(conn)
}

// connectSocket connects a non-blocking socket and waits until it is.
func connectSocket(ctx context.Context, file *os.File, to netip.AddrPort) error {
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var result error
	if err := raw.Control(func(fd uintptr) {
		result = unix.Connect(int(fd), sockaddr(to))
	}); err != nil {
		return err
	}
	if !errors.Is(result, unix.EINPROGRESS) {
		return os.NewSyscallError("connect", result)
	}

	stop := context.AfterFunc(ctx, func() {
		_ = file.SetWriteDeadline(time.Unix(1, 0)) // wakes the wait below; the file is open until it has ended
	})
	defer stop()
	err = raw.Write(func(fd uintptr) (done bool) {
		code, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR)
		switch {
		case err != nil:
			result = err
		case code != 0:
			result = unix.Errno(code)
		default:
			_, err := unix.Getpeername(int(fd))
			if errors.Is(err, unix.ENOTCONN) {
				return false // not yet
			}
			result = err
		}
		return true
	})
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return err
	}
	return os.NewSyscallError("connect", result)
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
}

func netAddr(proto string, a netip.AddrPort) net.Addr {
	if proto == "udp" {
		return net.UDPAddrFromAddrPort(a)
	}
	return net.TCPAddrFromAddrPort(a)
}

// heldTCP and heldUDP are connections that the network closes if their owner
// does not.
type heldTCP struct {
	*net.TCPConn
	held *held
}

// Close closes the connection.
func (c *heldTCP) Close() error { return c.held.Close() }

type heldUDP struct {
	*net.UDPConn
	held *held
}

// Close closes the connection.
func (c *heldUDP) Close() error { return c.held.Close() }

// hold makes sure that a connection ends with the network. Until it is held,
// sockets.making counts it.
func (n *Network) hold(c net.Conn) (net.Conn, error) {
	h, err := n.sockets.hold(c)
	if err != nil {
		return nil, err
	}
	switch c := c.(type) {
	case *net.TCPConn:
		return &heldTCP{c, h}, nil
	case *net.UDPConn:
		return &heldUDP{c, h}, nil
	}
	return nil, errors.Join(fmt.Errorf("%T: a connection of another kind than was dialled", c), h.Close())
}
