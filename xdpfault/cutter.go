package xdpfault

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// wireAction is an action that must fall on packets as on the wire, not on
// the segments of up to 64 KB that senders hand to their interface.
type wireAction interface{ perWirePacket() }

// needsCutter tells whether an action's links go through the cutter. Native
// XDP has switched segmentation off at every sender.
func (e *Engine) needsCutter(a Action) bool {
	_, ok := a.(wireAction)
	return ok && e.cfg.Hook != HookXDP
}

// Names of the cutter's two ends in the switch namespace.
const (
	cutterName    = "brine-cut"
	cutterFarName = "brine-cut-far"
)

// cutter is a veth pair inside the switch namespace, of which one end takes
// no segments: what is sent through it the kernel cuts into packets of the
// wire, on live connections too.
//
//	verdict: link with such a rule ──segment──► brine-cut ──1,514 bytes each──► brine-cut-far ──► verdict
//
// Only links with such rules go this way, and of them only flows that send
// segments, from the first of these on with all their packets, so that none
// overtakes another. The senders' interfaces stay as they are, so their other
// links pay nothing. (Switching the offload off at the sender held for all its
// links; limiting the segments of one send, IFLA_GSO_MAX_SEGS, leaves
// connections with tiny sends for their whole life.)
//
// Whoever was sent there tells the packet's mark: the port + 1.
type cutter struct {
	ns      NetNS
	made    bool // the pair is there
	near    int  // ifindex
	far     int
	ifindex shared[uint64]
}

// cutterPort stands for the far end among the ports (CUTTER in bpf/rules.h).
const cutterPort = 0xffff

// enableCutter makes the cutter if there is none yet, in a few milliseconds.
func (e *Engine) enableCutter() error {
	if e.cutter != nil {
		return nil
	}
	c, err := newCutter(e.ns, &e.tc, e.ifindex)
	if err != nil {
		return fmt.Errorf("cutter: %w", err)
	}
	e.cutter = c
	e.control.at[0].Cutter = uint32(c.near)
	return nil
}

func newCutter(ns NetNS, tc *tcHook, ifindex shared[uint64]) (_ *cutter, err error) {
	c := &cutter{ns: ns, ifindex: ifindex}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close())
		}
	}()
	if err := ns.Do(c.makeLinks); err != nil {
		return nil, err
	}
	slot := &ifindex.at[c.far%ifindexSlots]
	if *slot != 0 {
		return nil, fmt.Errorf("interface index %d: its place is taken by %d", c.far, *slot>>32)
	}
	*slot = uint64(c.far)<<32 | (cutterPort + 1)
	return c, tc.attach(c.far)
}

// makeLinks makes both ends, and brings them up. They have no address, and
// take packets of every length. The one that sends comes up last: it has its
// carrier then, and sends from that moment on. The other way round it would
// drop packets until a worker of the kernel has noticed the carrier.
func (c *cutter) makeLinks() error {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer h.Close()
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU, attrs.NumTxQueues, attrs.NumRxQueues = cutterName, cutterMTU, 1, 1
	veth := &netlink.Veth{LinkAttrs: attrs, PeerName: cutterFarName, PeerMTU: cutterMTU, PeerNumTxQueues: 1, PeerNumRxQueues: 1}
	if err := h.LinkAdd(veth); err != nil {
		return fmt.Errorf("make %s: %w", cutterName, err)
	}
	c.made = true
	bits, err := segmentationBits(cutterName)
	if err != nil {
		return err
	}
	if err := setOffloads(cutterName, bits, false); err != nil {
		return err
	}
	if c.far, err = c.bringUp(h, cutterFarName); err != nil {
		return err
	}
	c.near, err = c.bringUp(h, cutterName)
	return err
}

func (c *cutter) bringUp(h *netlink.Handle, name string) (ifindex int, err error) {
	link, err := h.LinkByName(name)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	if err := h.LinkSetIP6AddrGenMode(link, nl.IN6_ADDR_GEN_MODE_NONE); err != nil {
		return 0, fmt.Errorf("%s: no address of its own: %w", name, err)
	}
	if err := h.LinkSetUp(link); err != nil {
		return 0, fmt.Errorf("%s: up: %w", name, err)
	}
	return link.Attrs().Index, nil
}

// cutterMTU is the most that a veth can have.
const cutterMTU = 65535

// close removes both ends.
func (c *cutter) close() error {
	if c == nil || !c.made {
		return nil
	}
	if slot := &c.ifindex.at[c.far%ifindexSlots]; *slot>>32 == uint64(c.far) {
		*slot = 0
	}
	err := c.ns.Do(func() error {
		h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
		if err != nil {
			return err
		}
		defer h.Close()
		return h.LinkDel(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: cutterName}})
	})
	if err != nil && !errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("cutter: remove: %w", err)
	}
	return nil
}
