package netfab

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// Listen announces on an address of the node, from inside its namespace: as
// net.Listen, for "tcp", "tcp4" and "tcp6". An empty host is every address of
// the node. The listener and what it accepted are closed with the network.
func (n *Node) Listen(ctx context.Context, network, addr string) (net.Listener, error) {
	return announce(ctx, n, "tcp", network, addr, new(net.ListenConfig).Listen, func(l net.Listener) (net.Listener, error) {
		h, err := n.net.sockets.hold(l)
		if err != nil {
			return nil, err
		}
		return &heldListener{l, n.net, h}, nil
	})
}

// ListenPacket announces on a UDP address of the node, as Listen does.
func (n *Node) ListenPacket(ctx context.Context, network, addr string) (net.PacketConn, error) {
	return announce(ctx, n, "udp", network, addr, new(net.ListenConfig).ListenPacket, func(pc net.PacketConn) (net.PacketConn, error) {
		c, err := n.net.hold(pc.(*net.UDPConn))
		if err != nil {
			return nil, err
		}
		return c.(*heldUDP), nil
	})
}

// announce opens a socket for what others send to addr, and has the network hold it.
func announce[S any](ctx context.Context, n *Node, proto, network, addr string, open func(ctx context.Context, network, addr string) (S, error), hold func(S) (S, error)) (S, error) {
	var none, opened S
	if strings.TrimRight(network, "46") != proto {
		return none, &net.OpError{Op: "listen", Net: network, Err: net.UnknownNetworkError(network)}
	}
	addr, err := n.localAddr(ctx, network, addr)
	if err != nil {
		return none, err
	}
	if err := n.net.sockets.begin(); err != nil {
		return none, fmt.Errorf("%s: %w", n.Name, err)
	}
	defer n.net.sockets.making.Done()
	err = n.ns.Do(func() error {
		var err error
		opened, err = open(ctx, network, addr)
		return err
	})
	if err != nil {
		return none, fmt.Errorf("%s: %w", n.Name, err)
	}
	return hold(opened)
}

// localAddr replaces a host name, which package net would look up with the
// resolver of the host's namespace, by its address.
func (n *Node) localAddr(ctx context.Context, network, addr string) (string, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return "", &net.OpError{Op: "listen", Net: network, Err: err}
	}
	if host == "" {
		return addr, nil
	}
	_, addrs, port, err := n.resolveAddr(ctx, network, addr)
	if err != nil {
		return "", &net.OpError{Op: "listen", Net: network, Err: err}
	}
	return netip.AddrPortFrom(addrs[0], port).String(), nil
}

// heldListener is a listener that the network closes if its owner does not.
type heldListener struct {
	net.Listener
	net  *Network
	held *held
}

// Accept waits for the next connection, which the network holds too.
func (l *heldListener) Accept() (net.Conn, error) {
	if err := l.net.sockets.begin(); err != nil {
		return nil, err
	}
	defer l.net.sockets.making.Done()
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.net.hold(c)
}

// Close closes the listener; connections that it accepted stay.
func (l *heldListener) Close() error { return l.held.Close() }
