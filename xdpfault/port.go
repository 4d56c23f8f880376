package xdpfault

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/cilium/ebpf"
)

// Port is one plug of the switch: the host-side veth end in the switch
// namespace, and the eth0 at its other end. netfab makes and removes both.
type Port struct {
	Index       int // place in the matrix
	IfIndex     int // host-side end
	IfName      string
	MAC         net.HardwareAddr // host-side end
	Peer        NetNS            // where eth0 is
	PeerIfIndex int
	PeerIfName  string
	PeerMAC     net.HardwareAddr
	Addrs       []netip.Addr // IPv4 and IPv6 addresses of eth0
}

// Attach plugs a port in: from its return on, packets cross the switch from
// and to it. Rules on All hold for it at once.
func (e *Engine) Attach(p Port) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return errClosed
	}
	if err := e.attach(p); err != nil {
		return fmt.Errorf("port %d (%s): %w", p.Index, p.IfName, err)
	}
	return nil
}

func (e *Engine) attach(p Port) (err error) {
	if p.Index < 0 || p.Index >= e.cfg.MaxPorts {
		return fmt.Errorf("index: want 0 to %d", e.cfg.MaxPorts-1)
	}
	if e.ports[p.Index] != nil {
		return errors.New("index is taken")
	}
	if p.IfIndex <= 0 || len(p.PeerMAC) != 6 {
		return errors.New("interface index or peer address is missing")
	}
	slot := &e.ifindex.at[p.IfIndex%ifindexSlots]
	if *slot != 0 {
		return fmt.Errorf("interface index %d: its place is taken by %d", p.IfIndex, *slot>>32)
	}
	undo := func() { err = errors.Join(err, e.unplug(&p)) }
	defer func() {
		if err != nil {
			undo()
		}
	}()
	if p.Index >= e.matrix.high {
		e.matrix.high = p.Index + 1
	}
	if err := e.extendWild(p.Index); err != nil {
		return err
	}
	for _, addr := range p.Addrs {
		if err := e.setAddr(addr, uint32(p.Index)); err != nil {
			return err
		}
	}
	e.portMem.at[p.Index] = verdictPort{Ifindex: uint32(p.IfIndex), Mac: [6]byte(p.PeerMAC), Watched: e.lost.watching(p.Index)}
	*slot = uint64(p.IfIndex)<<32 | uint64(p.Index+1)
	if e.cfg.Hook == HookXDP {
		if err := e.xdp.attach(&p); err != nil {
			return err
		}
	}
	if err := e.tc.attach(p.IfIndex); err != nil {
		return err
	}
	e.ports[p.Index] = &p
	return nil
}

// Detach unplugs a port; its interface may be gone already. Rules on its
// links stay, for when the index is attached again.
func (e *Engine) Detach(index int) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil
	}
	return e.detach(index)
}

func (e *Engine) detach(index int) error {
	p := e.ports[index]
	if p == nil {
		return fmt.Errorf("port %d: %w", index, ErrNoSuchPort)
	}
	delete(e.ports, index)
	if err := e.unplug(p); err != nil {
		return fmt.Errorf("port %d (%s): %w", index, p.IfName, err)
	}
	return nil
}

func (e *Engine) unplug(p *Port) error {
	errs := []error{e.tc.detach(p.IfIndex), e.xdp.detach(p)}
	e.portMem.at[p.Index] = verdictPort{}
	if slot := &e.ifindex.at[p.IfIndex%ifindexSlots]; *slot>>32 == uint64(p.IfIndex) {
		*slot = 0
	}
	for _, addr := range p.Addrs {
		errs = append(errs, e.clearAddr(addr, uint32(p.Index)))
	}
	return errors.Join(errs...)
}

// SetDefault says which port gets packets to unknown unicast addresses; with
// a negative index they are dropped, as they are at first.
func (e *Engine) SetDefault(index int) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return errClosed
	}
	if index >= e.cfg.MaxPorts {
		return fmt.Errorf("default port %d: want at most %d", index, e.cfg.MaxPorts-1)
	}
	e.control.at[0].Fallback = uint32(max(index, -1) + 1)
	return nil
}

func (e *Engine) addrMap(addr netip.Addr) (*ebpf.Map, any) {
	addr = addr.Unmap()
	if addr.Is4() {
		key := addr.As4()
		return e.prog.BrineAddr4, &key
	}
	key := addr.As16()
	return e.prog.BrineAddr6, &key
}

func (e *Engine) setAddr(addr netip.Addr, index uint32) error {
	m, key := e.addrMap(addr)
	if err := m.Update(key, &index, ebpf.UpdateNoExist); err != nil {
		return fmt.Errorf("address %s: %w", addr, err)
	}
	return nil
}

// clearAddr forgets an address if it is that port's.
func (e *Engine) clearAddr(addr netip.Addr, index uint32) error {
	m, key := e.addrMap(addr)
	var owner uint32
	err := m.Lookup(key, &owner)
	if err == nil && owner == index {
		err = m.Delete(key)
	}
	if err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
		return fmt.Errorf("address %s: %w", addr, err)
	}
	return nil
}
