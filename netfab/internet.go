package netfab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/miekg/dns"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// outside is how the relay reaches beyond the network: the host, in use; a
// listener of its own, in a test.
type outside struct {
	dial      func(ctx context.Context, network, addr string) (net.Conn, error)
	resolvers []string // host:port of name servers, as dial reaches them
}

// hostOutside goes out as any program of the host does. Without resolvers in
// the host's resolv.conf no outside name resolves.
func hostOutside() outside {
	o := outside{dial: (&net.Dialer{}).DialContext}
	if conf, err := dns.ClientConfigFromFile("/etc/resolv.conf"); err == nil {
		for _, server := range conf.Servers {
			o.resolvers = append(o.resolvers, net.JoinHostPort(server, conf.Port))
		}
	}
	return o
}

// AllowInternet lets every node, and the clients, reach beyond the network:
// TCP, UDP and names, as the host's own programs would, through a relay in
// this process. Nothing on the host changes: no forwarding, no filter rule, no
// link. There is no ICMP. It needs /dev/net/tun and, of the Switch,
// DefaultSetter. Calling it again is harmless.
//
//	node ─► switch ─► services' eth0 ─► tun "brineout" ─► netstack ─► host's sockets
//	      (unknown      (rule: what came from eth0,      (this process)
//	       addresses)    goes to the tun alone)
func (n *Network) AllowInternet(ctx context.Context) error {
	return n.allowOutside(ctx, hostOutside())
}

func (n *Network) allowOutside(ctx context.Context, out outside) (err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.closed:
		return fmt.Errorf("%s: allow internet access: %w", n.name, ErrClosed)
	case n.relay != nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s: allow internet access: %w", n.name, ctx.Err())
	}
	sw, ok := n.sw.(DefaultSetter)
	if !ok {
		return fmt.Errorf("%s: allow internet access: %T cannot send unknown addresses to a port", n.name, n.sw)
	}
	var tun *tunnel
	err = n.services.ns.Do(func() error {
		var err error
		if tun, err = openTunnelHere("brineout"); err != nil {
			return err
		}
		return routeOutHere(n.services, tun)
	})
	if err != nil {
		if tun != nil {
			err = errors.Join(err, tun.Close())
		}
		return fmt.Errorf("%s: allow internet access: %w", n.name, err)
	}
	relay, err := newRelay(n.base, tun, out)
	if err != nil {
		return fmt.Errorf("%s: allow internet access: %w", n.name, errors.Join(err, tun.Close()))
	}
	if err := sw.SetDefault(servicesIndex); err != nil {
		return fmt.Errorf("%s: allow internet access: %w", n.name, errors.Join(err, relay.Close()))
	}
	n.relay = relay
	n.dns.setUpstream(relay.askUpstream)
	return nil
}

// outTable is the routing table of the services' namespace for what comes
// from the nodes: to the tunnel or nowhere. By the main table a packet for an
// address that no node has would go back to the switch, and round again.
const outTable = 100

// routeOutHere makes the services' namespace, in which the calling thread is,
// a router between its eth0 and the tunnel.
func routeOutHere(services *Node, tun *tunnel) (err error) {
	if err := setHere(routerSysctls); err != nil {
		return err
	}
	rt, err := rtSocketHere()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rt.close()) }()
	rt.addressless(tun.ifIndex)
	rt.linkUp(tun.ifIndex)
	rt.addRoute(route{dst: anywhere4, ifIndex: tun.ifIndex, table: outTable})
	rt.addRoute(route{dst: anywhere6, ifIndex: tun.ifIndex, table: outTable})
	rt.addRoute(route{dst: prefix4, table: outTable})
	rt.addRoute(route{dst: prefix6, table: outTable})
	if err := rt.flush(); err != nil {
		return err
	}
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("open netlink handle: %w", err)
	}
	defer h.Close()
	for _, fam := range []int{unix.AF_INET, unix.AF_INET6} {
		rule := netlink.NewRule()
		rule.Family, rule.IifName, rule.Table, rule.Priority = fam, services.Port().PeerIfName, outTable, outTable
		if err := h.RuleAdd(rule); err != nil {
			return fmt.Errorf("add rule for what comes from %s: %w", rule.IifName, err)
		}
	}
	return nil
}

// upstreamTimeout bounds one question to one resolver of the host.
const upstreamTimeout = 3 * time.Second

// askUpstream asks the host's resolvers, one after the other, over UDP and,
// for a truncated answer, TCP.
func (r *relay) askUpstream(ctx context.Context, q *dns.Msg) (*dns.Msg, error) {
	err := errors.New("/etc/resolv.conf names no resolver")
	for _, server := range r.out.resolvers {
		for _, network := range []string{"udp", "tcp"} {
			var answer *dns.Msg
			if answer, err = r.askOne(ctx, network, server, q); err != nil {
				break // the next server
			}
			if !answer.Truncated {
				return answer, nil
			}
		}
	}
	return nil, fmt.Errorf("resolvers of the host: %w", err)
}

func (r *relay) askOne(ctx context.Context, network, server string, q *dns.Msg) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, upstreamTimeout)
	defer cancel()
	conn, err := r.out.dial(ctx, network, server)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }() // the answer is there or the error is
	ask := q.Copy()
	ask.Id = dns.Id()
	client := dns.Client{Net: network, Timeout: upstreamTimeout, UDPSize: dns.MaxMsgSize}
	answer, _, err := client.ExchangeWithConnContext(ctx, ask, &dns.Conn{Conn: conn, UDPSize: dns.MaxMsgSize})
	return answer, err
}
