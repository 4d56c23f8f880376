package netfab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
)

var nodeName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]*$`)

// AddNodes makes nodes with their namespaces, links, addresses and names, in
// the given order: about half a millisecond each. All are made or none.
func (n *Network) AddNodes(ctx context.Context, names ...string) ([]*Node, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil, fmt.Errorf("%s: add nodes: %w", n.name, ErrClosed)
	}
	indices, err := n.claim(names)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, nil
	}
	ahead := makeAhead(ctx, names)
	nodes, err := n.build(ahead, names, indices)
	if err == nil {
		err = n.attach(ctx, nodes)
	}
	if err = errors.Join(err, ahead.drain()); err != nil {
		n.ports.give(names, indices)
		return nil, errors.Join(err, n.demolish(nodes...))
	}
	n.enter(nodes)
	return nodes, nil
}

// claim looks whether nodes may have these names, and gives them ports.
func (n *Network) claim(names []string) ([]int, error) {
	seen := map[string]bool{"clients": true, "services": true}
	for _, name := range names {
		if !nodeName.MatchString(name) {
			return nil, fmt.Errorf("%q: no name for a node\nhint: letters, digits, _ . and -, a letter first", name)
		}
		if n.nodes[name] != nil || seen[name] || n.names.taken(name) {
			return nil, fmt.Errorf("%s: a node of this name is there already", name)
		}
		seen[name] = true
	}
	if err := needDescriptors(len(n.nodes) + 2*len(names)); err != nil {
		return nil, err
	}
	return n.ports.take(names)
}

// enter makes nodes known.
func (n *Network) enter(nodes []*Node) {
	for _, node := range nodes {
		n.nodes[node.Name] = node
		n.names.add(node)
	}
}

// RemoveNode takes a node out: its name, its port, its link. A process that
// runs in its namespace keeps the namespace, without eth0. A node that is
// added later under the same name gets the same index and addresses.
func (n *Network) RemoveNode(_ context.Context, name string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	node := n.nodes[name]
	if node == nil {
		return fmt.Errorf("%s: remove: no such node", name)
	}
	delete(n.nodes, name)
	n.names.remove(node)
	n.ports.give([]string{name}, []int{node.Index})
	return n.demolish(node)
}

// build gives the namespaces that come their links. Nothing of it is left when
// it fails.
func (n *Network) build(ahead *making, names []string, indices []int) (nodes []*Node, err error) {
	for i, name := range names {
		node := newNode(n, name, indices[i])
		born, err := ahead.next()
		if err == nil {
			node.ns, node.rt = born.ns, born.rt
			nodes = append(nodes, node)
			err = n.wire(node)
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", name, err), n.demolish(nodes...))
		}
	}
	return nodes, nil
}

// attach waits until nodes' links carry packets and plugs them into the switch.
func (n *Network) attach(ctx context.Context, nodes []*Node) error {
	if err := n.awaitReady(ctx, nodes); err != nil {
		return err
	}
	for _, node := range nodes {
		if err := n.sw.Attach(node.Port()); err != nil {
			return fmt.Errorf("%s: attach to switch: %w", node.Name, err)
		}
		node.attached = true
		if err := node.hangUp(); err != nil {
			return err
		}
	}
	return nil
}

// wire gives the node's namespace its link and its addresses.
func (n *Network) wire(node *Node) error {
	rt := node.rt
	n.remember(node.ns, rt.fd)
	p := node.Port()
	n.rt.addVeth(p, node.ns.fd)
	if err := n.rt.flush(); err != nil {
		return err
	}
	node.linked = true
	rt.linkUp(linkLo)
	rt.addressless(p.PeerIfIndex)
	rt.linkUp(p.PeerIfIndex)
	rt.addAddr(p.PeerIfIndex, netip.PrefixFrom(node.IP, prefix4.Bits()))
	rt.addAddr(p.PeerIfIndex, netip.PrefixFrom(node.IP6, prefix6.Bits()))
	rt.addNeighbour(p.PeerIfIndex, gateway4, GatewayMAC)
	rt.addNeighbour(p.PeerIfIndex, gateway6, GatewayMAC)
	to4, to6 := anywhere4, anywhere6
	if node.Index == servicesIndex {
		to4, to6 = prefix4, prefix6 // its way to anywhere else is the relay, where allowed
	}
	rt.addRoute(route{dst: to4, via: gateway4, ifIndex: p.PeerIfIndex})
	rt.addRoute(route{dst: to6, via: gateway6, ifIndex: p.PeerIfIndex})
	if err := rt.flush(); err != nil {
		return err
	}
	_, err := rt.linkIsUp(p.PeerIfIndex) // asking speeds it up; awaitReady looks at the answer of the other end
	return err
}

// demolish undoes build and attach, as far as they came.
func (n *Network) demolish(nodes ...*Node) error {
	var failed []error
	for _, node := range nodes {
		var errs []error
		if node.attached {
			errs = append(errs, n.sw.Detach(node.Index))
		}
		if node.linked { // the namespace's end would delete it too, but later
			n.rt.delLink(node.Port().IfIndex)
			errs = append(errs, n.rt.flush())
		}
		errs = append(errs, node.close())
		if err := errors.Join(errs...); err != nil {
			failed = append(failed, fmt.Errorf("%s: remove: %w", node.Name, err))
		}
	}
	return errors.Join(failed...)
}

// portNumbers hands out indices: in order of creation, the same again to a
// name that had one, and those of removed nodes once all others were used.
type portNumbers struct {
	next int
	had  map[string]int
	free map[int]bool
}

func (p *portNumbers) take(names []string) ([]int, error) {
	if p.had == nil {
		p.next, p.had, p.free = firstNode, map[string]int{}, map[int]bool{}
	}
	if left := MaxPorts - p.next + len(p.free); len(names) > left {
		return nil, fmt.Errorf("%d nodes: a network has room for %d more", len(names), left)
	}
	indices := make([]int, len(names))
	for i, name := range names {
		index, again := p.had[name]
		switch {
		case again && p.free[index]:
		case p.next < MaxPorts:
			index = p.next
			p.next++
		default:
			for index = range p.free {
				break
			}
		}
		delete(p.free, index)
		p.had[name] = index
		indices[i] = index
	}
	return indices, nil
}

func (p *portNumbers) give(names []string, indices []int) {
	for i, name := range names {
		p.had[name] = indices[i]
		p.free[indices[i]] = true
	}
}
