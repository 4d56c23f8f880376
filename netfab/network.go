package netfab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"sync"
)

// ErrClosed is what using a closed network, namespace or forward gives.
var ErrClosed = errors.New("closed")

// Config says how a network is made.
type Config struct {
	// Name stands before the names of the network's own namespaces in messages.
	Name string
	// Nodes are the names of the first nodes, made together with all else: that
	// takes less time than New and AddNodes one after the other.
	Nodes []string
	// Switch is called once, when the switch namespace exists and before any
	// port is attached, by a goroutine of its own while the links are made.
	// nil: the kernel forwards between the ports, and no harm can be done.
	Switch func(ns *Namespace) (Switch, error)
}

// Network is the network of one scenario: a switch, the clients, the services
// (name server, way out) and the nodes of all clusters, each in a namespace of
// its own. Methods may be called from any goroutine.
type Network struct {
	name     string
	ns       *Namespace    // the switch's
	rt       *rtSocket     // in the switch namespace
	sw       Switch        // good, and failed too, once opened is closed
	opened   chan struct{} // nil until the making of the switch began
	failed   error
	clients  *Node
	services *Node
	names    *nameTable
	dns      *nameServer
	base     context.Context // ends when the network is closed
	cancel   context.CancelFunc

	mu     sync.Mutex // one change of the network at a time
	nodes  map[string]*Node
	ports  portNumbers
	relay  *relay
	closed bool
	held   []heldNamespace // every namespace there ever was, for Leftovers

	sockets sockets
}

// New makes a network with its switch, clients and services, in a few
// milliseconds. It needs CAP_SYS_ADMIN, CAP_NET_ADMIN and Linux 5.10.
func New(ctx context.Context, cfg Config) (_ *Network, err error) {
	if cfg.Name == "" {
		cfg.Name = "network"
	}
	n := &Network{name: cfg.Name, nodes: map[string]*Node{}, names: newNameTable()}
	n.base, n.cancel = context.WithCancel(context.WithoutCancel(ctx))
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("%s: %w", cfg.Name, err), n.Close())
		}
	}()

	n.mu.Lock()
	defer n.mu.Unlock()
	indices, err := n.claim(cfg.Nodes)
	if err != nil {
		return nil, err
	}
	names := append([]string{"clients", "services"}, cfg.Nodes...)
	ahead := makeAhead(ctx, append([]string{cfg.Name + " switch"}, names...))
	defer func() { err = errors.Join(err, ahead.drain()) }()
	if err := n.beginSwitch(ahead, cfg.Switch); err != nil {
		return nil, err
	}
	made, err := n.build(ahead, names, append([]int{clientsIndex, servicesIndex}, indices...))
	if err != nil {
		return nil, err
	}
	n.clients, n.services = made[0], made[1]
	n.names.add(n.clients)
	n.enter(made[2:])
	if n.dns, err = serveNames(n.base, n.services, n.names); err != nil {
		return nil, err
	}
	<-n.opened
	if n.failed != nil {
		return nil, n.failed
	}
	if err := n.attach(ctx, made); err != nil {
		return nil, err
	}
	return n, nil
}

// beginSwitch takes the first namespace for the switch's and opens the switch
// beside what follows.
func (n *Network) beginSwitch(ahead *making, open func(*Namespace) (Switch, error)) error {
	born, err := ahead.next()
	if err != nil {
		return err
	}
	n.ns, n.rt = born.ns, born.rt
	n.remember(n.ns, n.rt.fd)
	n.rt.linkUp(linkLo)
	if err := n.rt.flush(); err != nil {
		return err
	}
	n.opened = make(chan struct{})
	if open == nil { // not beside: its settings are for links that are made later
		n.openSwitch(func(ns *Namespace) (Switch, error) { return newKernelSwitch(ns) })
		return n.failed
	}
	go n.openSwitch(open)
	return nil
}

func (n *Network) openSwitch(open func(*Namespace) (Switch, error)) {
	defer close(n.opened)
	n.failed = errors.New("make switch: given up")
	sw, err := open(n.ns)
	if err != nil {
		n.failed = fmt.Errorf("make switch: %w", err)
		return
	}
	n.sw, n.failed = sw, nil
}

// Switch is the namespace that holds every port's own end.
func (n *Network) Switch() *Namespace { return n.ns }

// Clients is the test's own vantage point, index 0.
func (n *Network) Clients() *Node { return n.clients }

// Services is where the name server and the way out are, index 1.
func (n *Network) Services() *Node { return n.services }

// Node finds a node by its name.
func (n *Network) Node(name string) (*Node, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	node, ok := n.nodes[name]
	return node, ok
}

// Close ends the name server, the way out, every forward, connection and
// listener made through the network's nodes, the switch, and gives up the
// namespaces: about a millisecond. The kernel takes the links apart after
// that, in the background; a namespace in which a process still runs lives on
// without its eth0. Closing twice is harmless.
func (n *Network) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil
	}
	n.closed = true
	n.cancel()
	var errs []error
	note := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	if n.relay != nil {
		note(n.relay.Close())
	}
	if n.dns != nil {
		note(n.dns.Close())
	}
	note(n.sockets.Close())
	if n.opened != nil {
		<-n.opened
	}
	if n.sw != nil {
		note(n.sw.Close())
	}
	if n.rt != nil {
		note(n.rt.close())
	}
	for _, node := range n.nodes {
		note(node.close())
	}
	for _, node := range []*Node{n.clients, n.services} {
		if node != nil {
			note(node.close())
		}
	}
	if n.ns != nil {
		note(n.ns.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%s: close: %w", n.name, err)
	}
	return nil
}

// sockets are the open connections, listeners, forwards and captures of a
// network. An open socket keeps its namespace alive, so they are closed with
// the network.
type sockets struct {
	mu     sync.Mutex
	open   map[*held]struct{}
	closed bool
	making sync.WaitGroup // sockets that are open and not yet held
}

// begin counts a socket that is about to be opened, until the caller has held
// it, or closed it, and says Done, so that Close can wait for that.
func (s *sockets) begin() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("network: %w", ErrClosed)
	}
	s.making.Add(1)
	return nil
}

// hold takes a socket in until it is closed, by its owner or with the network.
// A socket that comes too late is closed at once.
func (s *sockets) hold(c io.Closer) (*held, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errors.Join(fmt.Errorf("network: %w", ErrClosed), c.Close())
	}
	if s.open == nil {
		s.open = map[*held]struct{}{}
	}
	h := &held{in: s, c: c}
	s.open[h] = struct{}{}
	return h, nil
}

// Close closes what is open, and returns when all of it is closed, also what
// its owner has begun to close.
func (s *sockets) Close() error {
	s.mu.Lock()
	open := slices.Collect(maps.Keys(s.open))
	s.closed = true
	s.mu.Unlock()
	var errs []error
	for _, h := range open {
		if err := h.Close(); !errors.Is(err, net.ErrClosed) { // its owner was before us
			errs = append(errs, err)
		}
	}
	s.making.Wait() // after the listeners, whose Accept ends by their close
	return errors.Join(errs...)
}

// held is a socket that its network knows of.
type held struct {
	in   *sockets
	c    io.Closer
	once sync.Once
}

// Close closes the socket and lets go of it after that. A second call waits
// for the first, and gets what the socket says to being closed twice.
func (h *held) Close() error {
	var err error
	second := true
	h.once.Do(func() {
		second = false
		err = h.c.Close()
		h.in.mu.Lock()
		defer h.in.mu.Unlock()
		delete(h.in.open, h)
	})
	if second {
		return h.c.Close()
	}
	return err
}
