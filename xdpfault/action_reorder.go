package xdpfault

import (
	"fmt"
	"time"
)

// defaultHold is long enough for followers at 50 packets a second to overtake.
const defaultHold = 20 * time.Millisecond

// Reorder holds a share of the packets back, so that later ones overtake them.
type Reorder struct {
	Share float64       // 0 to 1
	By    time.Duration // how long; 0: 20 ms
}

func (r Reorder) encode(k *verdictRule) error {
	k.Action = actReorder
	if r.By < 0 {
		return fmt.Errorf("reordering: by %s: want a time from 0", r.By)
	}
	return encodeShare(k, "reordering", r.Share)
}

func (Reorder) perWirePacket() {}

func (r Reorder) pass(_ *stage, p *packet) bool {
	by := r.By
	if by == 0 {
		by = defaultHold
	}
	p.due += int64(by)
	p.loose = true // what follows need not wait for it
	return true
}
