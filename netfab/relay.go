package netfab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
	"gvisor.dev/gvisor/pkg/waiter"
)

const (
	maxOpening  = 4096             // TCP connections being opened at a time
	openTimeout = 30 * time.Second // for the outside to accept one
	udpIdle     = 2 * time.Minute  // RFC 4787, REQ-5
)

// relay takes the nodes' packets off the tunnel, ends their TCP connections
// and UDP flows in a network stack of its own (gVisor's netstack, which
// gvisor-tap-vsock is built on too; that has no IPv6), and goes on with
// sockets of the outside.
type relay struct {
	tun    *tunnel
	stack  *stack.Stack
	out    outside
	ctx    context.Context // ends with Close
	cancel context.CancelFunc

	mu     sync.Mutex
	closed bool
	wg     sync.WaitGroup
}

// newRelay starts relaying. The relay owns the tunnel from here on, unless it fails.
func newRelay(ctx context.Context, tun *tunnel, out outside) (*relay, error) {
	s, link, err := newStack()
	if err != nil {
		return nil, fmt.Errorf("network stack: %w", err)
	}
	r := &relay{tun: tun, stack: s, out: out}
	r.ctx, r.cancel = context.WithCancel(ctx)
	s.SetTransportProtocolHandler(tcp.ProtocolNumber, tcp.NewForwarder(s, 0, maxOpening, r.openTCP).HandlePacket)
	s.SetTransportProtocolHandler(udp.ProtocolNumber, udp.NewForwarder(s, r.openUDP).HandlePacket)
	r.wg.Go(func() { fromTunnel(tun.file, link) })
	r.wg.Go(func() { toTunnel(r.ctx, tun.file, link) })
	return r, nil
}

// Close ends the relay, its connections and the tunnel, and waits for them.
func (r *relay) Close() error {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.cancel()
	err := r.tun.Close()
	r.wg.Wait()
	r.stack.Destroy()
	if err != nil {
		return fmt.Errorf("internet relay: close: %w", err)
	}
	return nil
}

// work runs f as a part of the relay; not when it is closed.
func (r *relay) work(f func()) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	r.wg.Go(f)
	return true
}

// openTCP goes on with a connection that a node opens. The node's SYN is
// answered when the outside has accepted, and with a RST when it has not, so
// that the node sees what it would see out there.
func (r *relay) openTCP(req *tcp.ForwarderRequest) {
	started := r.work(func() {
		to := target(req.ID())
		ctx, cancel := context.WithTimeout(r.ctx, openTimeout)
		defer cancel()
		conn, err := r.dialOut(ctx, "tcp", to)
		if err != nil {
			req.Complete(true)
			return
		}
		defer func() { _ = conn.Close() }()
		var queue waiter.Queue
		ep, terr := req.CreateEndpoint(&queue)
		if terr != nil {
			req.Complete(true)
			return
		}
		req.Complete(false)
		ep.SocketOptions().SetKeepAlive(true) // a node that is gone says no goodbye
		inside := gonet.NewTCPConn(&queue, ep)
		defer func() { _ = inside.Close() }()
		join(r.ctx, inside, conn)
	})
	if !started {
		req.Complete(true)
	}
}

// openUDP goes on with a flow of datagrams that a node begins.
func (r *relay) openUDP(req *udp.ForwarderRequest) {
	var queue waiter.Queue
	ep, terr := req.CreateEndpoint(&queue) // here, so that the first datagram waits in it
	if terr != nil {
		return
	}
	ep.SocketOptions().SetReceiveBufferSize(1<<20, true)
	to := target(req.ID())
	inside := gonet.NewUDPConn(&queue, ep)
	started := r.work(func() {
		defer func() { _ = inside.Close() }()
		conn, err := r.dialOut(r.ctx, "udp", to)
		if err != nil {
			return // datagrams to nowhere are lost
		}
		defer func() { _ = conn.Close() }()
		stop := context.AfterFunc(r.ctx, func() { _, _ = inside.Close(), conn.Close() })
		defer stop()
		var wg sync.WaitGroup
		wg.Go(func() {
			datagrams(inside, conn)
			_ = inside.Close() // idle: the other direction ends too
		})
		datagrams(conn, inside)
		_ = conn.Close()
		wg.Wait()
	})
	if !started {
		_ = inside.Close()
	}
}

// datagrams copies until nothing came for udpIdle, or from was closed.
func datagrams(to, from net.Conn) {
	buf := make([]byte, 64<<10)
	for {
		if from.SetReadDeadline(time.Now().Add(udpIdle)) != nil {
			return
		}
		n, err := from.Read(buf)
		if errors.Is(err, unix.ECONNREFUSED) {
			continue // nobody listens out there: not the flow's end
		}
		if err != nil {
			return
		}
		// One datagram that cannot be sent on is lost, as on any network; when
		// to is closed, from is being closed too.
		_, _ = to.Write(buf[:n])
	}
}

// dialOut connects to where a node wanted to; not to the network's own
// addresses, nor to those that mean the host itself.
func (r *relay) dialOut(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	a := to.Addr()
	if prefix4.Contains(a) || prefix6.Contains(a) || a.IsLoopback() || a.IsUnspecified() || a.IsMulticast() ||
		a.IsLinkLocalUnicast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return nil, fmt.Errorf("%s: not an address of the internet", to)
	}
	return r.out.dial(ctx, network, to.String())
}

// target is where a node's packet was sent: the forwarder plays that host, so
// it is the local end.
func target(id stack.TransportEndpointID) netip.AddrPort {
	return netip.AddrPortFrom(toAddr(id.LocalAddress), id.LocalPort)
}

func toAddr(a tcpip.Address) netip.Addr {
	addr, _ := netip.AddrFromSlice(a.AsSlice()) // 4 or 16 bytes: always one
	return addr.Unmap()
}
