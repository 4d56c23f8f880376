package netfab

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
)

var (
	anywhere4 = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	anywhere6 = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
)

// kernelSwitch carries packets by the kernel's own forwarding inside the
// switch namespace: one host route and one permanent neighbour for each
// port's addresses, everything else dropped unanswered. It serves where no
// other Switch is given, and knows no harm.
type kernelSwitch struct {
	mu    sync.Mutex
	rt    *rtSocket
	ports map[int]Port
}

func newKernelSwitch(ns *Namespace) (*kernelSwitch, error) {
	s := &kernelSwitch{ports: map[int]Port{}}
	err := ns.Do(func() error {
		if err := setHere(routerSysctls); err != nil {
			return err
		}
		var err error
		s.rt, err = rtSocketHere()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("kernel switch: %w", err)
	}
	s.rt.addRoute(route{dst: anywhere4})
	s.rt.addRoute(route{dst: anywhere6})
	if err := s.rt.flush(); err != nil {
		return nil, errors.Join(fmt.Errorf("kernel switch: %w", err), s.rt.close())
	}
	return s, nil
}

// Attach routes a port's addresses to it.
func (s *kernelSwitch) Attach(p Port) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range p.Addrs {
		s.rt.addRoute(route{dst: netip.PrefixFrom(a, a.BitLen()), ifIndex: p.IfIndex})
		s.rt.addNeighbour(p.IfIndex, a, p.PeerMAC)
	}
	if err := s.rt.flush(); err != nil {
		return fmt.Errorf("kernel switch: %w", err)
	}
	s.ports[p.Index] = p
	return nil
}

// Detach has nothing to undo: routes and neighbours go with the link.
func (s *kernelSwitch) Detach(index int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.ports, index)
	return nil
}

// SetDefault sends packets for unknown addresses to a port.
func (s *kernelSwitch) SetDefault(index int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.ports[index]
	if !ok {
		return fmt.Errorf("port %d: make default: no such port", index)
	}
	s.rt.addRoute(route{dst: anywhere4, via: p.Addrs[0], ifIndex: p.IfIndex, replace: true})
	s.rt.addRoute(route{dst: anywhere6, via: p.Addrs[1], ifIndex: p.IfIndex, replace: true})
	if err := s.rt.flush(); err != nil {
		return fmt.Errorf("kernel switch: default to %s: %w", p.Name, err)
	}
	return nil
}

// Close gives the switch namespace's socket up.
func (s *kernelSwitch) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rt.close()
}
