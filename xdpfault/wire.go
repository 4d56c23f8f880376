package xdpfault

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// wireAction is an action that must fall on packets as on the wire, not on
// the segments of up to 64 KB that senders hand to their interface.
//
// While such a rule is on, segmentation offload of its senders' eth0 is off, so
// that the kernel cuts what it sends into wire packets, on live connections
// too; a sender loses some throughput. Each bit is as before when the last such
// rule has ended. (Limiting the segments of one send, IFLA_GSO_MAX_SEGS, is
// quicker to set but leaves connections with tiny sends for their whole life.)
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
			before, err := segment(p, nil)
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
		if _, err := segment(p, before); err != nil && !errors.Is(err, unix.ENODEV) {
			errs = append(errs, fmt.Errorf("port %d (%s): end wire mode: %w", index, p.IfName, err))
		}
	}
	return errors.Join(errs...)
}

// segment switches segmentation offload of a port's eth0, bit by bit, and gives
// what was on before; a nil want switches all off.
func segment(p *Port, want map[int]bool) (before map[int]bool, err error) {
	err = p.Peer.Do(func() error {
		bits, err := segmentationBits(p.PeerIfName)
		if err != nil {
			return err
		}
		before, err = setOffloads(p.PeerIfName, bits, func(bit int) bool { return want[bit] })
		return err
	})
	return before, err
}
