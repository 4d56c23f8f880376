package netfab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

const (
	operUp    = 6 // IF_OPER_UP of RFC 2863
	skipStats = 8 // RTEXT_FILTER_SKIP_STATS

	// readyTimeout is how long a new link may take to carry packets. It takes
	// microseconds, or milliseconds where a worker of the kernel has to run.
	readyTimeout = 10 * time.Second
)

// awaitReady waits until new nodes' links carry packets. Two workers of the
// kernel have their say after the last request was acknowledged, and until
// then packets are lost, so that a first SYN would come a second later:
//
//   - The switch's ends went up before their peers were there. Until their
//     carrier is noticed they drop what they should send.
//   - An IPv6 address gets its local route from the worker that would look
//     for duplicates, even where it need not look.
func (n *Network) awaitReady(ctx context.Context, nodes []*Node) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	poll := unix.NsecToTimespec((100 * time.Microsecond).Nanoseconds()) // the runtime's own timers are as coarse as 1 ms
	for _, node := range nodes {
		for {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("%s: wait for its link to carry packets: %w", node.Name, err)
			}
			up, err := n.rt.linkIsUp(node.Port().IfIndex)
			if err == nil && up {
				up, err = node.rt.isLocal(node.IP6)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", node.Name, err)
			}
			if up {
				break
			}
			_ = unix.Nanosleep(&poll, nil) // a signal may end it early
		}
	}
	return nil
}

// linkIsUp asks whether a link would send now. Since 6.8 the question itself
// completes a change of carrier that is still on its way.
func (s *rtSocket) linkIsUp(ifIndex int) (bool, error) {
	req := nl.NewNetlinkRequest(unix.RTM_GETLINK, 0)
	info := nl.NewIfInfomsg(unix.AF_UNSPEC)
	info.Index = int32(ifIndex)
	req.AddData(info)
	req.AddData(nl.NewRtAttr(unix.IFLA_EXT_MASK, nl.Uint32Attr(skipStats)))
	answer, err := s.ask(req, unix.SizeofIfInfomsg)
	if err != nil {
		return false, fmt.Errorf("state of link %d: %w", ifIndex, err)
	}
	attrs, err := nl.ParseRouteAttr(answer[unix.SizeofIfInfomsg:])
	if err != nil {
		return false, fmt.Errorf("state of link %d: %w", ifIndex, err)
	}
	for _, a := range attrs {
		if a.Attr.Type == unix.IFLA_OPERSTATE && len(a.Value) == 1 {
			return a.Value[0] == operUp, nil
		}
	}
	return false, fmt.Errorf("state of link %d: not in the answer", ifIndex)
}

// isLocal asks whether packets for an address are taken in.
func (s *rtSocket) isLocal(a netip.Addr) (bool, error) {
	req := nl.NewNetlinkRequest(unix.RTM_GETROUTE, 0)
	msg := &nl.RtMsg{}
	msg.Family, msg.Dst_len = uint8(family(a)), uint8(a.BitLen())
	req.AddData(msg)
	req.AddData(nl.NewRtAttr(unix.RTA_DST, a.AsSlice()))
	answer, err := s.ask(req, unix.SizeofRtMsg)
	if err != nil {
		return false, fmt.Errorf("route to %s: %w", a, err)
	}
	return nl.DeserializeRtMsg(answer).Type == unix.RTN_LOCAL, nil
}

// ask sends a request that is answered by one message, and gives that
// message's payload, good until the next request.
func (s *rtSocket) ask(req *nl.NetlinkRequest, least int) ([]byte, error) {
	s.seq++
	req.Seq = s.seq
	if err := unix.Sendto(s.fd, req.Serialize(), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, err
	}
	n, err := unix.Read(s.fd, s.in[:])
	for errors.Is(err, unix.EINTR) {
		n, err = unix.Read(s.fd, s.in[:])
	}
	switch {
	case err != nil:
		return nil, err
	case n < unix.NLMSG_HDRLEN+4:
		return nil, fmt.Errorf("netlink answer of %d bytes: malformed", n)
	case nl.NativeEndian().Uint16(s.in[4:]) == unix.NLMSG_ERROR:
		return nil, unix.Errno(-int32(nl.NativeEndian().Uint32(s.in[unix.NLMSG_HDRLEN:])))
	case n < unix.NLMSG_HDRLEN+least:
		return nil, fmt.Errorf("netlink answer of %d bytes: malformed", n)
	}
	return s.in[unix.NLMSG_HDRLEN:n], nil
}
