package xdpfault

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// Connection is a TCP connection between two ports.
type Connection struct {
	Link     // From has the local end, To the remote one
	Local    netip.AddrPort
	Remote   netip.AddrPort
	finished bool
}

func (c Connection) String() string { return fmt.Sprintf("%s–%s", c.Local, c.Remote) }

// resetTime is how long a reset may take when the context has no deadline.
const resetTime = 3 * time.Second

// rechallenge is the kernel's pause between two challenge ACKs of a socket
// (tcp_invalid_ratelimit, 500 ms), and a little.
const rechallenge = 550 * time.Millisecond

// Reset resets the live TCP connections between the two ends of each link, in
// both directions, whose match has one of the ports if it names any: both ends
// get a valid RST. It gives the connections, each once, when both ends have
// lost them. Connections that are made meanwhile are not touched.
//
// A valid RST carries the next sequence number that its receiver expects (RFC
// 5961). Each end tells it in the ACK with which it answers a stray SYN (a
// challenge ACK, kernel 3.8); TCP between the ports stands still for these
// few milliseconds so that the number stays true.
func (e *Engine) Reset(ctx context.Context, links []Link, m Match) (_ []Connection, err error) {
	if m.Proto != Any && m.Proto != TCP {
		return nil, fmt.Errorf("reset: %s has no connections", m.Proto)
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, resetTime)
		defer cancel()
	}
	r := resetter{e: e, match: m, taps: map[int]*resetTap{}}
	defer func() { err = errors.Join(err, r.close()) }()
	if err := r.open(links); err != nil {
		return nil, fmt.Errorf("reset: %w", err)
	}
	if len(r.pairs) == 0 {
		return nil, nil
	}
	freeze, err := e.Apply(Rule{Links: bothWays(r.pairs), Match: Match{Proto: TCP}, Action: Drop{}})
	if err != nil {
		return nil, fmt.Errorf("reset: %w", err)
	}
	defer func() { err = errors.Join(err, freeze.Heal()) }()
	if err := r.find(); err != nil {
		return nil, fmt.Errorf("reset: %w", err)
	}
	if err := r.run(ctx); err != nil {
		return nil, fmt.Errorf("reset: %w", err)
	}
	return r.reset(), nil
}

func bothWays(pairs []Link) []Link {
	links := slices.Clone(pairs)
	for _, l := range pairs {
		links = append(links, Link{l.To, l.From})
	}
	return links
}

// resetter resets the connections of some pairs of ports.
type resetter struct {
	e     *Engine
	match Match
	pairs []Link // From < To, attached
	taps  map[int]*resetTap
	ends  []*Connection // both ends of each connection
}

// open resolves the links and opens a tap at every port.
func (r *resetter) open(links []Link) error {
	r.e.mu.Lock()
	defer r.e.mu.Unlock()
	if r.e.closed {
		return errClosed
	}
	seen := map[Link]bool{}
	for _, l := range links {
		if err := r.e.validLink(l); err != nil {
			return err
		}
		for from := range r.e.ports {
			for to := range r.e.ports {
				pair := Link{min(from, to), max(from, to)}
				if from == to || from == Services || to == Services || seen[pair] ||
					l.From != All && l.From != from || l.To != All && l.To != to {
					continue
				}
				seen[pair] = true
				r.pairs = append(r.pairs, pair)
			}
		}
	}
	for _, pair := range r.pairs {
		for _, index := range []int{pair.From, pair.To} {
			if r.taps[index] != nil {
				continue
			}
			tap, err := openResetTap(r.e.ns, r.e.ports[index])
			if err != nil {
				return err
			}
			r.taps[index] = tap
		}
	}
	return nil
}

func (r *resetter) close() error {
	for _, tap := range r.taps {
		r.e.background.Go(func() { _ = tap.close() }) // as probe sockets
	}
	return nil
}

// find lists the ends of the connections between the pairs.
func (r *resetter) find() error {
	owner := map[netip.Addr]int{}
	for index, tap := range r.taps {
		for _, addr := range tap.port.Addrs {
			owner[addr.Unmap()] = index
		}
	}
	for index, tap := range r.taps {
		conns, err := tcpConnections(tap.port)
		if err != nil {
			return err
		}
		for _, c := range conns {
			other, ok := owner[c.Remote.Addr()]
			if !ok || !slices.Contains(r.pairs, Link{min(index, other), max(index, other)}) || !r.meets(c) {
				continue
			}
			c.Link = Link{index, other}
			r.ends = append(r.ends, &c)
		}
	}
	return nil
}

// meets tells whether a connection has a port that the match names.
func (r *resetter) meets(c Connection) bool {
	has := func(port uint16) bool { return port == 0 || c.Local.Port() == port || c.Remote.Port() == port }
	return has(r.match.DstPort) && has(r.match.SrcPort)
}

// run challenges the ends and answers what they say until all are gone.
func (r *resetter) run(ctx context.Context) error {
	for _, tap := range r.taps { // what was said before TCP stood still is stale
		if err := tap.listen(); err != nil {
			return err
		}
		clear(tap.acks)
	}
	var next time.Time
	for {
		if now := time.Now(); !now.Before(next) {
			next = now.Add(rechallenge)
			if err := r.challenge(); err != nil {
				return err
			}
		}
		if err := r.answer(); err != nil {
			return err
		}
		left, err := r.left()
		if err != nil {
			return err
		}
		if left == nil {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%s is still open: %w", left, ctx.Err())
		}
		if err := r.wait(); err != nil {
			return err
		}
	}
}

// challenge sends each end that is left a stray SYN from its peer.
func (r *resetter) challenge() error {
	for _, c := range r.ends {
		if c.finished {
			continue
		}
		if err := r.taps[c.From].inject(tcpFrame(c.Remote, c.Local, 1, 0x02)); err != nil {
			return err
		}
	}
	return nil
}

// answer sends an RST with the expected sequence number to every end that
// told it.
func (r *resetter) answer() error {
	for _, c := range r.ends {
		tap := r.taps[c.From]
		if err := tap.listen(); err != nil {
			return err
		}
		ack, ok := tap.acks[[2]netip.AddrPort{c.Local, c.Remote}]
		if !ok || c.finished {
			continue
		}
		if err := tap.inject(tcpFrame(c.Remote, c.Local, ack, 0x04)); err != nil {
			return err
		}
	}
	return nil
}

// left looks which ends are still open, and gives one of them.
func (r *resetter) left() (left *Connection, err error) {
	open := map[[2]netip.AddrPort]bool{}
	for _, tap := range r.taps {
		conns, err := tcpConnections(tap.port)
		if err != nil {
			return nil, err
		}
		for _, c := range conns {
			open[[2]netip.AddrPort{c.Local, c.Remote}] = true
		}
	}
	for _, c := range r.ends {
		c.finished = c.finished || !open[[2]netip.AddrPort{c.Local, c.Remote}]
		if !c.finished {
			left = c
		}
	}
	return left, nil
}

// wait returns when a tap has heard something, or after a millisecond.
func (r *resetter) wait() error {
	fds := make([]unix.PollFd, 0, len(r.taps))
	for _, tap := range r.taps {
		fds = append(fds, unix.PollFd{Fd: int32(tap.in), Events: unix.POLLIN})
	}
	if _, err := unix.Poll(fds, 1); err != nil && !errors.Is(err, unix.EINTR) {
		return fmt.Errorf("wait for answers: %w", err)
	}
	return nil
}

// reset lists each connection once.
func (r *resetter) reset() []Connection {
	var all []Connection
	seen := map[[2]netip.AddrPort]bool{}
	for _, c := range r.ends {
		if seen[[2]netip.AddrPort{c.Remote, c.Local}] {
			continue
		}
		seen[[2]netip.AddrPort{c.Local, c.Remote}] = true
		all = append(all, *c)
	}
	return all
}
