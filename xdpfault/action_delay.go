package xdpfault

import (
	"fmt"
	"math"
	"time"
)

// Dist is how jitter is spread.
type Dist int

// Distributions of jitter J around a delay.
const (
	// Uniform is even between -J and +J.
	Uniform Dist = iota
	// Normal has the standard deviation J.
	Normal
	// Pareto has the standard deviation J and a long tail of late packets: shape
	// 3, as netem's table, shifted to mean 0.
	Pareto
)

// Delay holds every packet back by a time, one way, in the delay line. Packets
// of a link keep their order: one that drew less than its predecessor waits
// for it.
type Delay struct {
	By     time.Duration
	Jitter time.Duration
	Dist   Dist
}

func (d Delay) encode(k *verdictRule) error {
	k.Action = actDivert
	if d.By < 0 || d.Jitter < 0 {
		return fmt.Errorf("delay: %s ± %s: want times from 0", d.By, d.Jitter)
	}
	if d.Dist < Uniform || d.Dist > Pareto {
		return fmt.Errorf("delay: distribution %d is unknown", d.Dist)
	}
	return nil
}

func (d Delay) pass(s *stage, p *packet) bool {
	due := p.due + max(0, int64(d.By)+d.jitter(s))
	if !p.loose {
		due = max(due, s.last)
		s.last = due
	}
	p.due = due
	return true
}

func (d Delay) jitter(s *stage) int64 {
	if d.Jitter == 0 {
		return 0
	}
	j := float64(d.Jitter)
	switch d.Dist {
	case Normal: // Box and Muller 1958
		return int64(j * math.Sqrt(-2*math.Log(1-s.uniform())) * math.Cos(2*math.Pi*s.uniform()))
	case Pareto: // by inversion; mean 3/2 and variance 3/4 at shape 3, scale 1
		return int64(j * (math.Pow(1-s.uniform(), -1.0/3) - 1.5) / math.Sqrt(0.75))
	default:
		return int64(j * (2*s.uniform() - 1))
	}
}
