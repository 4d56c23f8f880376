package xdpfault

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// xdpHook puts the program at native XDP of host-side veths (kernel 5.9 for
// links; 4.19 has native XDP on veth). Each is a link that ends with its
// descriptor. While one is on, the kernel switches segmentation offload of the
// veth's other end off.
type xdpHook struct {
	ns    NetNS
	prog  *ebpf.Program
	links map[int]link.Link
}

func newXDPHook(ns NetNS, prog *ebpf.Program) xdpHook {
	return xdpHook{ns: ns, prog: prog, links: map[int]link.Link{}}
}

func (h *xdpHook) attach(p *Port) error {
	var l link.Link
	err := h.ns.Do(func() (err error) {
		l, err = link.AttachXDP(link.XDPOptions{Program: h.prog, Interface: p.IfIndex, Flags: link.XDPDriverMode})
		return err
	})
	if err != nil {
		return fmt.Errorf("attach XDP: %w", needs("native XDP on veth", "5.9", err))
	}
	h.links[p.IfIndex] = l
	return nil
}

func (h *xdpHook) detach(p *Port) error {
	l := h.links[p.IfIndex]
	if l == nil {
		return nil
	}
	delete(h.links, p.IfIndex)
	if err := l.Close(); err != nil {
		return fmt.Errorf("detach XDP: %w", err)
	}
	return nil
}

func (h *xdpHook) close() error {
	var errs []error
	for ifindex, l := range h.links {
		delete(h.links, ifindex)
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}
