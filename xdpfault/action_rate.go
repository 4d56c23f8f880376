package xdpfault

import (
	"fmt"
	"time"
)

// Rate lets a link send so many bits per second, frames counted with their
// Ethernet header. What exceeds it waits in a queue; what exceeds that is
// dropped from its end.
//
// It is a token bucket of one packet: each leaves when the one before it has
// been sent at the rate.
type Rate struct {
	BitsPerSecond float64
	Queue         int  // packets waiting; 0: 50 ms of full ones, at least 64
	Shared        bool // all links of the rule share the rate; else each has it
}

func (r Rate) encode(k *verdictRule) error {
	k.Action = actDivert
	if !(r.BitsPerSecond >= 1) {
		return fmt.Errorf("rate: %g bit/s: want at least 1", r.BitsPerSecond)
	}
	if r.Queue < 0 {
		return fmt.Errorf("rate: queue of %d packets: want 0 or more", r.Queue)
	}
	return nil
}

func (r Rate) queue() int {
	if r.Queue > 0 {
		return r.Queue
	}
	return max(64, int(r.BitsPerSecond*0.05/(1514*8)))
}

func (r Rate) perWirePacket() {}

func (r Rate) pass(s *stage, p *packet) bool {
	for len(s.leaving) > 0 && s.leaving[0] <= p.due {
		s.leaving = s.leaving[1:]
	}
	if len(s.leaving) >= r.queue() {
		return false
	}
	send := time.Duration(float64(p.wireLen()) * 8 / r.BitsPerSecond * float64(time.Second))
	s.last = max(s.last, p.due) + int64(send)
	s.leaving = append(s.leaving, s.last)
	p.due = s.last
	return true
}
