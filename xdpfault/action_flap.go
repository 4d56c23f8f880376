package xdpfault

import (
	"fmt"
	"time"
)

// Flap drops everything for Every, lets everything pass for Every, and so on,
// from the moment it is applied, by the kernel's clock.
type Flap struct{ Every time.Duration }

func (f Flap) encode(k *verdictRule) error {
	k.Action = actFlap
	if f.Every <= 0 {
		return fmt.Errorf("flapping: every %s: want a time above 0", f.Every)
	}
	k.Half = uint64(f.Every)
	return nil
}
