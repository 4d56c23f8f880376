package world

import (
	"context"
	"fmt"

	"github.com/kballard/go-shellquote"

	"brine.test/brine/containers"
	"brine.test/brine/world/catalogue"
)

// createBoxes renders the services and creates their containers.
func (w *World) createBoxes(ctx context.Context, nodes []*Node) error {
	for _, n := range nodes {
		for _, s := range n.services {
			if err := w.render(s); err != nil {
				return err
			}
		}
	}
	images, err := w.images(ctx, nodes)
	if err != nil {
		return err
	}
	if err := w.mountDisks(ctx, nodes); err != nil {
		return err
	}
	slots := make(chan struct{}, createAtOnce)
	return each(nodes, func(n *Node) error {
		slots <- struct{}{}
		defer func() { <-slots }()
		return w.createBox(ctx, n, images)
	})
}

// render fills the service's templates in for its node.
func (w *World) render(s *Service) error {
	inst, err := catalogue.Render(s.def, w.templateData(s))
	if err != nil {
		return fmt.Errorf("%s: %w", s.label(), err)
	}
	if s.node.spec.Image != "" && s.node.spec.Command != "" && s.def == s.node.services[0].def {
		if inst.Command, err = shellquote.Split(s.node.spec.Command); err != nil {
			return fmt.Errorf("%s: command: %w", s.node.Name, err)
		}
	}
	s.inst = inst
	return nil
}

// images resolves each image once.
func (w *World) images(ctx context.Context, nodes []*Node) (map[string]*containers.Image, error) {
	out := map[string]*containers.Image{}
	for _, n := range nodes {
		for _, s := range n.services {
			if out[s.inst.Image] != nil {
				continue
			}
			img, err := w.rt.Image(ctx, s.inst.Image, s.inst.Base)
			if err != nil {
				return nil, fmt.Errorf("image of %s: %w", s.Name, err)
			}
			out[s.inst.Image] = img
		}
	}
	return out, nil
}

func (w *World) createBox(ctx context.Context, n *Node, images map[string]*containers.Image) error {
	box, err := w.group.NewNode(ctx, containers.NodeSpec{
		Name: n.Name, NetNS: n.net.NS().Path(), Hostname: n.Name,
		ResolvConf: n.net.ResolvConf(), Hosts: n.net.Hosts(),
		Dir: n.dir, Memory: n.spec.Memory, CPU: n.spec.CPU,
	})
	if err != nil {
		return fmt.Errorf("%s: %w", n.Name, err)
	}
	n.box = box
	for _, s := range n.services {
		env := map[string]string{}
		for k, v := range s.inst.Env {
			env[k] = v
		}
		for k, v := range n.spec.Env {
			env[k] = v
		}
		s.box, err = box.Add(ctx, containers.ServiceSpec{
			Name: s.Name, Image: images[s.inst.Image], User: s.inst.User, Command: s.inst.Command, Args: s.inst.Args,
			Env: env, Files: s.inst.Files, Data: s.inst.Volume, Binds: n.spec.binds, Memory: s.inst.Memory, CPU: s.inst.CPU,
		})
		if err != nil {
			return err
		}
		if err := s.settleDisk(ctx); err != nil {
			return err
		}
		w.follow(s)
	}
	return nil
}

// templateData is what a service's templates see.
func (w *World) templateData(s *Service) catalogue.Data {
	n := s.node
	d := catalogue.Data{Node: nodeData(n), Cluster: n.cluster.display(), Version: s.version, Joining: s.joining}
	d.Members, d.Services = []catalogue.Node{}, map[string][]catalogue.Node{}
	for _, other := range n.cluster.nodes {
		for _, one := range other.services {
			d.Services[one.Name] = append(d.Services[one.Name], nodeData(other))
		}
		if other.has(s.Name) {
			d.Members = append(d.Members, nodeData(other))
		}
		d.Nodes = append(d.Nodes, nodeData(other))
		if other != n {
			d.Peers = append(d.Peers, nodeData(other))
		}
	}
	return d
}

func (n *Node) has(service string) bool {
	for _, s := range n.services {
		if s.Name == service {
			return true
		}
	}
	return false
}

func nodeData(n *Node) catalogue.Node {
	return catalogue.Node{Name: n.Name, Index: n.Index, IP: n.net.IP.String(), IP6: n.net.IP6.String(), Zone: n.Zone}
}
