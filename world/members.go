package world

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"brine.test/brine/world/catalogue"
	"brine.test/brine/world/client"
	sel "brine.test/brine/world/selector"
)

// Join adds a node to the running cluster: announced to the members first, by
// the service's own means where the catalogue has them, then started.
func (w *World) Join(ctx context.Context, name string, services []ServiceRef) error {
	all := w.allNodes()
	if len(all) == 0 {
		return fmt.Errorf("%s joins: there is no cluster yet\nhint: begin with \"Given a 3-node cluster running etcd\"", name)
	}
	spec := NodeSpec{Name: name, Services: services}
	if err := w.freeNames([]NodeSpec{spec}); err != nil {
		return err
	}
	return w.addNodes(ctx, w.joined(spec), []NodeSpec{spec}, w.announce)
}

// joined is the cluster that a new node is meant to join: the one whose name its own begins with, as db4 does, else the
// first that runs what it runs, else the first.
func (w *World) joined(spec NodeSpec) *Cluster {
	nodes := w.allNodes()
	for _, n := range nodes {
		if c := n.cluster; c.name != "" && numbered(spec.Name, c.name) {
			return c
		}
	}
	for _, n := range nodes {
		for _, ref := range spec.Services {
			if _, err := n.service(ref.Name); err == nil {
				return n.cluster
			}
		}
	}
	return nodes[0].cluster
}

// numbered tells whether a name is another one with a number behind it.
func numbered(name, prefix string) bool {
	number, ok := strings.CutPrefix(name, prefix)
	_, err := strconv.Atoi(number)
	return ok && err == nil
}

// announce tells the members of new nodes, before these start.
func (w *World) announce(ctx context.Context, nodes []*Node) error {
	for _, n := range nodes {
		for _, s := range n.services {
			s.joining = true
			if err := w.render(s); err != nil { // the announcement names its ports
				return err
			}
			if err := w.addMember(ctx, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// membership gives the client of a running member, the leader before others;
// nil when the service has no means of its own to change membership.
func (w *World) membership(about *Service, op catalogue.Operation) (client.Membership, *Service, error) {
	if !client.Can(about.def.Client, op) {
		return nil, nil, nil
	}
	peers := w.sortedByLeader(about)
	if len(peers) == 0 {
		return nil, nil, fmt.Errorf("%s: no other member runs that could be told", about.label())
	}
	c, err := peers[0].fromInside()
	if err != nil {
		return nil, nil, err
	}
	return c.(client.Membership), peers[0], nil
}

// sortedByLeader lists the other running members of a service, the leader first.
func (w *World) sortedByLeader(about *Service) []*Service {
	leader := w.lastLeader(electorate{about.node.cluster, about.Name})
	var out []*Service
	for _, n := range w.allNodes() {
		if n == about.node || n.cluster != about.node.cluster || w.isPaused(n) {
			continue
		}
		for _, s := range n.services {
			if s.Name != about.Name || s.box == nil || !s.isUp() {
				continue
			}
			if n == leader {
				out = append([]*Service{s}, out...)
			} else {
				out = append(out, s)
			}
		}
	}
	return out
}

func (w *World) addMember(ctx context.Context, s *Service) error {
	m, peer, err := w.membership(s, catalogue.OpAddMember)
	if err != nil || m == nil {
		return err
	}
	if err := m.AddMember(ctx, s.target(s.node.net.DialContext)); err != nil {
		return fmt.Errorf("%s: announce %s as a member: %w", peer.label(), s.node.Name, err)
	}
	return nil
}

func (w *World) removeMember(ctx context.Context, s *Service) error {
	m, peer, err := w.membership(s, catalogue.OpRemoveMember)
	if err != nil || m == nil {
		return err
	}
	if err := m.RemoveMember(ctx, s.target(s.node.net.DialContext)); err != nil {
		return fmt.Errorf("%s: take the member %s out: %w", peer.label(), s.node.Name, err)
	}
	return nil
}

// Leave takes nodes out of the membership and then out of the cluster.
func (w *World) Leave(ctx context.Context, who sel.Selector) error {
	nodes, err := w.Resolve(ctx, who)
	if err != nil {
		return err
	}
	for _, n := range nodes {
		for _, s := range n.services {
			if err := w.removeMember(ctx, s); err != nil {
				return err
			}
		}
		if err := w.takeOut(ctx, n); err != nil {
			return err
		}
	}
	w.topology()
	return nil
}

// takeOut stops a node and removes its containers and its network.
func (w *World) takeOut(ctx context.Context, n *Node) error {
	for _, s := range n.services {
		if s.isUp() {
			if err := s.stop(ctx); err != nil {
				return err
			}
		}
		if err := s.keepLogs(); err != nil {
			return err
		}
		if err := s.closeClients(); err != nil {
			return err
		}
	}
	w.forget(n)
	if err := n.closeMachine(ctx); err != nil {
		return err
	}
	if err := n.box.Remove(ctx); err != nil {
		return fmt.Errorf("%s: %w", n.Name, err)
	}
	return w.net.RemoveNode(ctx, n.Name)
}

// Replace gives nodes an empty disk: each is taken out of the membership,
// killed, wiped, announced again and started.
func (w *World) Replace(ctx context.Context, who sel.Selector) error {
	nodes, err := w.Resolve(ctx, who)
	if err != nil {
		return err
	}
	for _, n := range nodes {
		if err := w.replace(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) replace(ctx context.Context, n *Node) error {
	for _, s := range n.services {
		if s.isUp() {
			if err := s.kill(ctx); err != nil {
				return err
			}
		}
		if err := w.removeMember(ctx, s); err != nil {
			return err
		}
	}
	if err := n.box.Wipe(ctx); err != nil {
		return fmt.Errorf("%s: wipe: %w", n.Name, err)
	}
	for _, s := range n.services {
		if err := s.settleDisk(ctx); err != nil {
			return err
		}
		s.joining = true
		if err := w.addMember(ctx, s); err != nil {
			return err
		}
		if err := w.reshape(ctx, s, s.version); err != nil {
			return err
		}
	}
	return w.startNodes(ctx, []*Node{n})
}

// Upgrade stops each node that runs the service, starts it with the version on
// its disk, and waits until it is ready before the next.
func (w *World) Upgrade(ctx context.Context, ref ServiceRef) error {
	hit := false
	for _, n := range w.allNodes() {
		for _, s := range n.services {
			if s.Name != ref.Name {
				continue
			}
			hit = true
			if !s.def.TakesVersion() {
				return s.def.OneVersion(ref.Version)
			}
			if s.isUp() {
				if err := s.stop(ctx); err != nil {
					return err
				}
			}
			if err := w.reshape(ctx, s, ref.Version); err != nil {
				return err
			}
			if err := s.start(ctx); err != nil {
				return err
			}
			if err := w.awaitReady(ctx, s); err != nil {
				return fmt.Errorf("upgrade to %s %s: %w", ref.Name, ref.Version, err)
			}
		}
	}
	if !hit {
		return fmt.Errorf("%s: no node runs it", ref.Name)
	}
	w.topology()
	return nil
}

// reshape renders a stopped service anew, for another version or as a member
// that joins, and gives its container the image and arguments that follow.
func (w *World) reshape(ctx context.Context, s *Service, version string) error {
	s.version = version
	if err := w.render(s); err != nil {
		return err
	}
	img, err := w.rt.Image(ctx, s.inst.Image, s.inst.Base)
	if err != nil {
		return fmt.Errorf("image of %s: %w", s.Name, err)
	}
	if err := s.box.SetImage(ctx, img, s.inst.Command, s.inst.Args); err != nil {
		return err
	}
	return nil
}
