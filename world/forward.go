package world

import (
	"context"
	"net"
	"strconv"

	sel "brine.test/brine/world/selector"
)

// Forward listens on a free port of the host's loopback and passes TCP
// connections on to a port of a node, by number or by a name of its service
// file: the way in for a debugger or a database tool, from a step of one's own.
// It gives the address to connect to, and lasts as long as the scenario.
//
//	w, err := world.From(ctx)
//	addr, err := w.Forward(ctx, selector.Only("node1"), "client") // 127.0.0.1:41234
func (w *World) Forward(ctx context.Context, to sel.Selector, port string) (string, error) {
	n, err := w.One(ctx, to)
	if err != nil {
		return "", err
	}
	number, err := w.portNumber(port, []*Node{n})
	if err != nil {
		return "", err
	}
	f, err := n.net.Forward(ctx, net.JoinHostPort(n.net.IP.String(), strconv.Itoa(int(number))))
	if err != nil {
		return "", err
	}
	return f.Addr, nil
}
