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
	indices, err := n.ports.take(names)
	if err != nil {
		return nil, err
	}
	nodes, err := n.build(ctx, names, indices)
	if err != nil {
		n.ports.give(names, indices)
		return nil, err
	}
	for _, node := range nodes {
		n.nodes[node.Name] = node
		n.names.add(node)
	}
	return nodes, nil
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

// build makes namespaces and ports for names. Nothing of it is left when it fails.
func (n *Network) build(ctx context.Context, names []string, indices []int) (nodes []*Node, err error) {
	sockets := make([]*rtSocket, 0, len(names))
	defer func() {
		for _, rt := range sockets {
			err = errors.Join(err, rt.close())
		}
		if err != nil {
			for _, node := range nodes {
				err = errors.Join(err, n.demolish(node))
			}
			nodes = nil
		}
	}()
	err = visit(func() (err error) {
		var settings []sysctl
		proc := sharedProc
		defer func() { err = errors.Join(err, proc.close()) }()
		for i, name := range names {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("%s: add node: %w", name, err)
			}
			node := newNode(n, name, indices[i])
			if node.ns, err = unshareHere(name); err != nil {
				return err
			}
			nodes = append(nodes, node)
			if i == 0 {
				if settings, err = differHere(nodeSysctls); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
			}
			if proc, err = proc.fresh(i); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			rt, err := rtSocketHere()
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			sockets = append(sockets, rt)
			if err := n.wireHere(node, rt, proc, settings); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return nil
	})
	if err == nil {
		err = n.awaitReady(ctx, nodes, sockets)
	}
	if err != nil {
		return nodes, err
	}
	for _, node := range nodes {
		if err := n.sw.Attach(node.Port()); err != nil {
			return nodes, fmt.Errorf("%s: attach to switch: %w", node.Name, err)
		}
		node.attached = true
	}
	return nodes, nil
}

// wireHere gives the node's namespace, in which the calling thread is, its
// settings, its link and its addresses. rt is a socket in the namespace.
func (n *Network) wireHere(node *Node, rt *rtSocket, proc procFS, settings []sysctl) error {
	n.remember(node.ns, rt.fd)
	if err := proc.setHere(settings); err != nil {
		return err
	}

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

// demolish undoes build for one node, as far as it came.
func (n *Network) demolish(node *Node) error {
	var errs []error
	if node.attached {
		errs = append(errs, n.sw.Detach(node.Index))
	}
	if node.linked { // the namespace's end would delete it too, but later
		n.rt.delLink(node.Port().IfIndex)
		errs = append(errs, n.rt.flush())
	}
	errs = append(errs, node.ns.Close())
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%s: remove: %w", node.Name, err)
	}
	return nil
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
