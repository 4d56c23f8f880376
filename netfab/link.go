package netfab

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

const (
	create   = unix.NLM_F_CREATE | unix.NLM_F_EXCL
	linkLo   = 1 // the loopback's interface index in every namespace
	peerName = "eth0"
)

// addVeth queues the making of a port's veth pair in the switch namespace: one
// queue each way (a quarter of the time of the default), the switch's end up
// at once, the peer's not (the kernel would answer ENOTCONN).
func (s *rtSocket) addVeth(p Port, peerFD int) {
	req := nl.NewNetlinkRequest(unix.RTM_NEWLINK, create)
	info := nl.NewIfInfomsg(unix.AF_UNSPEC)
	info.Index = int32(p.IfIndex)
	info.Flags, info.Change = unix.IFF_UP, unix.IFF_UP
	req.AddData(info)
	for _, a := range linkAttrs(p.IfName, p.MAC) {
		req.AddData(a)
	}

	kind := nl.NewRtAttr(unix.IFLA_LINKINFO, nil)
	kind.AddRtAttr(nl.IFLA_INFO_KIND, nl.NonZeroTerminated("veth"))
	peer := kind.AddRtAttr(nl.IFLA_INFO_DATA, nil).AddRtAttr(nl.VETH_INFO_PEER, nil)
	nl.NewIfInfomsgChild(peer, unix.AF_UNSPEC).Index = int32(p.PeerIfIndex)
	for _, a := range linkAttrs(p.PeerIfName, p.PeerMAC) {
		peer.AddChild(a)
	}
	peer.AddRtAttr(unix.IFLA_NET_NS_FD, nl.Uint32Attr(uint32(peerFD)))
	req.AddData(kind)
	s.add(req, "create veth "+p.IfName)
}

func linkAttrs(name string, mac net.HardwareAddr) []*nl.RtAttr {
	return []*nl.RtAttr{
		nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(name)),
		nl.NewRtAttr(unix.IFLA_MTU, nl.Uint32Attr(MTU)),
		nl.NewRtAttr(unix.IFLA_ADDRESS, mac),
		nl.NewRtAttr(unix.IFLA_NUM_TX_QUEUES, nl.Uint32Attr(1)),
		nl.NewRtAttr(unix.IFLA_NUM_RX_QUEUES, nl.Uint32Attr(1)),
	}
}

// addressless queues telling a link, before it is up, to make no link-local
// address of its own: without one it solicits no routers and configures
// nothing by itself. (When the link is created the kernel answers EAFNOSUPPORT.)
func (s *rtSocket) addressless(ifIndex int) {
	req := nl.NewNetlinkRequest(unix.RTM_SETLINK, 0)
	info := nl.NewIfInfomsg(unix.AF_UNSPEC)
	info.Index = int32(ifIndex)
	req.AddData(info)
	spec := nl.NewRtAttr(unix.IFLA_AF_SPEC, nil)
	spec.AddRtAttr(unix.AF_INET6, nil).AddRtAttr(unix.IFLA_INET6_ADDR_GEN_MODE, nl.Uint8Attr(nl.IN6_ADDR_GEN_MODE_NONE))
	req.AddData(spec)
	s.add(req, fmt.Sprintf("switch the link-local address of link %d off", ifIndex))
}

// linkUp queues bringing a link up.
func (s *rtSocket) linkUp(ifIndex int) {
	req := nl.NewNetlinkRequest(unix.RTM_NEWLINK, 0)
	info := nl.NewIfInfomsg(unix.AF_UNSPEC)
	info.Index = int32(ifIndex)
	info.Flags, info.Change = unix.IFF_UP, unix.IFF_UP
	req.AddData(info)
	s.add(req, fmt.Sprintf("bring link %d up", ifIndex))
}

// delLink queues the deletion of a link.
func (s *rtSocket) delLink(ifIndex int) {
	req := nl.NewNetlinkRequest(unix.RTM_DELLINK, 0)
	info := nl.NewIfInfomsg(unix.AF_UNSPEC)
	info.Index = int32(ifIndex)
	req.AddData(info)
	s.add(req, fmt.Sprintf("delete link %d", ifIndex))
}

// addAddr queues an address that brings no route of its own and is not
// checked for duplicates.
func (s *rtSocket) addAddr(ifIndex int, a netip.Prefix) {
	req := nl.NewNetlinkRequest(unix.RTM_NEWADDR, create)
	msg := nl.NewIfAddrmsg(family(a.Addr()))
	msg.Index = uint32(ifIndex)
	msg.Prefixlen = uint8(a.Bits())
	req.AddData(msg)
	flags := uint32(unix.IFA_F_NOPREFIXROUTE | unix.IFA_F_PERMANENT)
	if a.Addr().Is6() {
		flags |= unix.IFA_F_NODAD
	}
	req.AddData(nl.NewRtAttr(unix.IFA_LOCAL, a.Addr().AsSlice()))
	req.AddData(nl.NewRtAttr(unix.IFA_ADDRESS, a.Addr().AsSlice()))
	req.AddData(nl.NewRtAttr(unix.IFA_FLAGS, nl.Uint32Attr(flags)))
	s.add(req, "add address "+a.String())
}

// ndMsg is struct ndmsg of linux/neighbour.h.
type ndMsg struct {
	family  uint8
	ifIndex uint32
	state   uint16
}

func (m ndMsg) Len() int { return 12 }

func (m ndMsg) Serialize() []byte {
	b := make([]byte, m.Len())
	b[0] = m.family
	nl.NativeEndian().PutUint32(b[4:], m.ifIndex)
	nl.NativeEndian().PutUint16(b[8:], m.state)
	return b
}

// addNeighbour queues a neighbour entry that never ages and is never asked for.
func (s *rtSocket) addNeighbour(ifIndex int, a netip.Addr, mac net.HardwareAddr) {
	req := nl.NewNetlinkRequest(unix.RTM_NEWNEIGH, create)
	req.AddData(ndMsg{family: uint8(family(a)), ifIndex: uint32(ifIndex), state: unix.NUD_PERMANENT})
	req.AddData(nl.NewRtAttr(unix.NDA_DST, a.AsSlice()))
	req.AddData(nl.NewRtAttr(unix.NDA_LLADDR, mac))
	s.add(req, "add neighbour "+a.String())
}

// route is one entry of a routing table: dst by way of via (none: dst is on
// the link itself) through a link (0: what matches is dropped unanswered).
type route struct {
	dst     netip.Prefix
	via     netip.Addr
	ifIndex int
	table   uint8 // 0: the main table
	replace bool
}

// addRoute queues a route. A gateway need not be in any prefix of the link's.
func (s *rtSocket) addRoute(r route) {
	flags := create
	if r.replace {
		flags = unix.NLM_F_CREATE | unix.NLM_F_REPLACE
	}
	req := nl.NewNetlinkRequest(unix.RTM_NEWROUTE, flags)
	msg := nl.NewRtMsg()
	msg.Family = uint8(family(r.dst.Addr()))
	msg.Dst_len = uint8(r.dst.Bits())
	if r.table != 0 {
		msg.Table = r.table
	}
	req.AddData(msg)
	if r.dst.Bits() > 0 {
		req.AddData(nl.NewRtAttr(unix.RTA_DST, r.dst.Addr().AsSlice()))
	}
	switch {
	case r.ifIndex == 0:
		msg.Type = unix.RTN_BLACKHOLE
	case r.via.IsValid():
		msg.Flags |= unix.RTNH_F_ONLINK
		req.AddData(nl.NewRtAttr(unix.RTA_GATEWAY, r.via.AsSlice()))
	case r.dst.Addr().Is4():
		msg.Scope = unix.RT_SCOPE_LINK
	}
	if r.ifIndex != 0 {
		req.AddData(nl.NewRtAttr(unix.RTA_OIF, nl.Uint32Attr(uint32(r.ifIndex))))
	}
	s.add(req, "add route to "+r.dst.String())
}

func family(a netip.Addr) int {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}
