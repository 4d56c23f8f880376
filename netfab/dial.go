package netfab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"
)

const (
	// fallbackDelay is how long IPv4 is tried alone before IPv6 is tried
	// beside it (RFC 8305 with the families turned round).
	fallbackDelay = 300 * time.Millisecond
	// nameTimeout is how long a question without an answer is waited for: the
	// C library's two attempts of five seconds.
	nameTimeout = 10 * time.Second
)

// DialContext connects from inside the node's namespace: as net.Dialer's, for
// "tcp", "tcp4", "tcp6", "udp", "udp4", "udp6". Names mean what they mean in
// the cluster, and suffer this node's faults of name resolution. The
// connection may be used by any goroutine; it is closed with the network.
func (n *Node) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	proto, addrs, port, err := n.resolveAddr(ctx, network, addr)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	four, six := byFamily(addrs)
	return race(ctx, fallbackDelay, func(ctx context.Context, addrs []netip.Addr) (net.Conn, error) {
		var errs error
		for _, a := range addrs {
			c, err := n.connect(ctx, proto, netip.AddrPortFrom(a, port))
			if err == nil {
				return c, nil
			}
			if errs == nil {
				errs = err // the first says most, as in package net
			}
		}
		return nil, errs
	}, four, six)
}

// race tries the first list, and after a delay, or when it failed, the second
// beside it. The first connection wins, a later one is closed.
func race(ctx context.Context, delay time.Duration, dial func(context.Context, []netip.Addr) (net.Conn, error), lists ...[]netip.Addr) (net.Conn, error) {
	lists = slices.DeleteFunc(lists, func(l []netip.Addr) bool { return len(l) == 0 })
	if len(lists) == 1 {
		return dial(ctx, lists[0])
	}
	type result struct {
		conn  net.Conn
		err   error
		first bool
	}
	ctx, cancel := context.WithCancel(ctx)
	results := make(chan result) // a sender that nobody waits for takes the other branch
	done := make(chan struct{})
	defer close(done)
	defer cancel()
	start := func(i int) {
		conn, err := dial(ctx, lists[i])
		select {
		case results <- result{conn, err, i == 0}:
		case <-done:
			if conn != nil {
				_ = conn.Close() // lost the race
			}
		}
	}
	go start(0)
	timer := time.NewTimer(delay)
	defer timer.Stop()
	running, next := 1, 1
	var failed error
	for {
		select {
		case <-timer.C:
		case r := <-results:
			running--
			if r.err == nil {
				return r.conn, nil
			}
			if failed == nil || r.first {
				failed = r.err
			}
			if running == 0 && next == len(lists) {
				return nil, failed
			}
		}
		if next < len(lists) && ctx.Err() == nil {
			go start(next)
			next++
			running++
		} else if running == 0 {
			return nil, failed
		}
	}
}

// resolveAddr takes network and address apart and gives what to try, in order.
func (n *Node) resolveAddr(ctx context.Context, network, addr string) (proto string, addrs []netip.Addr, port uint16, err error) {
	proto = strings.TrimRight(network, "46")
	if proto != "tcp" && proto != "udp" {
		return "", nil, 0, net.UnknownNetworkError(network)
	}
	host, service, err := net.SplitHostPort(addr)
	if err != nil {
		return "", nil, 0, err
	}
	number, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		p, err := net.DefaultResolver.LookupPort(ctx, proto, service) // a file or a table; asks nobody
		if err != nil {
			return "", nil, 0, err
		}
		number = uint64(p)
	}
	if addrs, err = n.Resolve(ctx, host); err != nil {
		return "", nil, 0, err
	}
	four, six := byFamily(addrs)
	switch network[len(proto):] {
	case "4":
		addrs = four
	case "6":
		addrs = six
	}
	if len(addrs) == 0 {
		return "", nil, 0, &net.AddrError{Err: "no suitable address", Addr: host}
	}
	return proto, addrs, uint16(number), nil
}

// Resolve gives a host's addresses, IPv4 first, as a program on this node
// would find them: literal addresses, localhost and the node's own name
// without asking, all else with the delays and failures that harm this node's
// name resolution. It waits at most 10 s for an answer that does not come.
func (n *Node) Resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a.Unmap()}, nil
	}
	switch canonical(host) {
	case "", "localhost":
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}, nil
	case canonical(n.Name):
		return []netip.Addr{n.IP, n.IP6}, nil
	}
	wait, cancel := context.WithTimeout(ctx, nameTimeout)
	defer cancel()
	failed := &net.DNSError{Name: host, Server: n.net.services.IP.String()}
	fault, err := n.faults.suffer(wait)
	if fault == NamesTimeOut {
		select {
		case <-wait.Done():
		case <-n.net.base.Done():
		}
		err = errors.Join(wait.Err(), n.net.base.Err())
	}
	if err != nil {
		failed.Err, failed.IsTimeout, failed.UnwrapErr = "no answer from the name server", true, err
		return nil, failed
	}
	if fault == NamesServFail {
		failed.Err, failed.IsTemporary = "server misbehaving", true
		return nil, failed
	}
	if addrs, ok := n.net.names.lookup(host); ok {
		return addrs, nil
	}
	addrs, err := n.net.dns.resolveElsewhere(wait, host)
	if err != nil {
		failed.Err, failed.IsTemporary, failed.UnwrapErr = "server misbehaving", true, err
		return nil, failed
	}
	if len(addrs) == 0 {
		failed.Err, failed.IsNotFound = "no such host", true
		return nil, failed
	}
	return addrs, nil
}

// resolveElsewhere asks for a name that is not in the table, where there is
// somebody to ask.
func (s *nameServer) resolveElsewhere(ctx context.Context, host string) (addrs []netip.Addr, err error) {
	for _, rrtype := range []uint16{dns.TypeA, dns.TypeAAAA} {
		m := s.elsewhere(ctx, new(dns.Msg).SetQuestion(dns.Fqdn(host), rrtype))
		if m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError {
			err = fmt.Errorf("%s: %s", host, dns.RcodeToString[m.Rcode])
			continue
		}
		for _, rr := range m.Answer {
			switch rr := rr.(type) {
			case *dns.A:
				if a, ok := netip.AddrFromSlice(rr.A); ok {
					addrs = append(addrs, a.Unmap())
				}
			case *dns.AAAA:
				if a, ok := netip.AddrFromSlice(rr.AAAA); ok {
					addrs = append(addrs, a)
				}
			}
		}
	}
	if len(addrs) > 0 {
		return addrs, nil
	}
	return nil, err
}

func byFamily(addrs []netip.Addr) (four, six []netip.Addr) {
	for _, a := range addrs {
		if a.Is4() {
			four = append(four, a)
		} else {
			six = append(six, a)
		}
	}
	return four, six
}
