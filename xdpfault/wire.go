package xdpfault

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// wireAction is an action that must fall on packets as on the wire, not on
// the segments of up to 64 KB that senders hand to their interface.
//
// While such a rule is on, its senders' eth0 cut segments into wire packets:
// the most segments of one send is set to one. That acts on live connections
// too and costs a sender some throughput (a connection that was opened
// meanwhile keeps to small segments). It is restored when the last such rule
// ends.
type wireAction interface{ perWirePacket() }

// senders are the ports that a rule needs to send single wire packets.
func (e *Engine) senders(live *liveRule) []int {
	if _, ok := live.action.(wireAction); !ok || e.cfg.Hook == HookXDP {
		return nil // native XDP has switched segmentation off
	}
	seen := make([]bool, e.matrix.stride)
	var ports []int
	for _, c := range live.on {
		if from := e.matrix.link(c).From; !seen[from] {
			seen[from] = true
			ports = append(ports, from)
		}
	}
	return ports
}

// wireUp puts the senders of rules into wire mode, before they are in force.
func (e *Engine) wireUp(rules ...*liveRule) error {
	for _, live := range rules {
		for _, index := range live.senders {
			p := e.ports[index]
			if _, wired := e.wired[index]; wired || p == nil {
				continue
			}
			before, err := setSegments(p, 1)
			if err != nil {
				return fmt.Errorf("port %d (%s): wire mode: %w", index, p.IfName, err)
			}
			e.wired[index] = before
		}
	}
	return nil
}

// wireDown restores the senders that no rule in force needs any more.
func (e *Engine) wireDown() error {
	if len(e.wired) == 0 {
		return nil
	}
	needed := map[int]bool{}
	for h := range e.handles {
		for _, live := range h.rules {
			for _, index := range live.senders {
				needed[index] = true
			}
		}
	}
	var errs []error
	for index, before := range e.wired {
		if needed[index] {
			continue
		}
		delete(e.wired, index)
		p := e.ports[index]
		if p == nil {
			continue
		}
		if _, err := setSegments(p, before); err != nil && !errors.Is(err, unix.ENODEV) {
			errs = append(errs, fmt.Errorf("port %d (%s): end wire mode: %w", index, p.IfName, err))
		}
	}
	return errors.Join(errs...)
}

// setSegments sets the most segments of one send at eth0 (IFLA_GSO_MAX_SEGS,
// kernel 4.16), and gives the number before.
func setSegments(p *Port, n uint32) (before uint32, err error) {
	err = p.Peer.Do(func() error {
		nl, err := netlink.NewHandle(unix.NETLINK_ROUTE)
		if err != nil {
			return err
		}
		defer nl.Close()
		eth0, err := nl.LinkByIndex(p.PeerIfIndex)
		if err != nil {
			return err
		}
		before = eth0.Attrs().GSOMaxSegs
		return nl.LinkSetGSOMaxSegs(eth0, int(n))
	})
	return before, err
}
