package xdpfault

import (
	"math"
	"testing"
	"time"
)

// TestJitter compares each distribution's mean and deviation with its theory.
func TestJitter(t *testing.T) {
	const by, jitter, n = 100 * time.Millisecond, 10 * time.Millisecond, 100_000
	for dist, sigma := range map[Dist]float64{
		Uniform: float64(jitter) / math.Sqrt(3), Normal: float64(jitter), Pareto: float64(jitter),
	} {
		s := &stage{seed: 1}
		var sum, squares, least float64
		for range n {
			p := &packet{loose: true}
			Delay{By: by, Jitter: jitter, Dist: dist}.pass(s, p)
			d := float64(p.due - int64(by))
			sum, squares, least = sum+d, squares+d*d, min(least, d)
		}
		mean := sum / n
		deviation := math.Sqrt(squares/n - mean*mean)
		if math.Abs(mean) > 0.02*float64(jitter) || math.Abs(deviation/sigma-1) > 0.1 {
			t.Errorf("distribution %d: mean %s, deviation %s: want 0, %s", dist, time.Duration(mean), time.Duration(deviation), time.Duration(sigma))
		}
		if dist == Pareto && least < -0.58*float64(jitter) {
			t.Errorf("Pareto: as early as %s", time.Duration(least))
		}
	}
}

// TestRateQueue sends faster than the rate into a queue of four.
func TestRateQueue(t *testing.T) {
	rate := Rate{BitsPerSecond: 8e6, Queue: 4} // 1,000 bytes take 1 ms
	s := &stage{}
	var passed int
	for i := range 10 {
		p := &packet{buf: make([]byte, vnetHeader+1000), due: 1e9}
		if !rate.pass(s, p) {
			continue
		}
		passed++
		if want := int64(1e9 + (i+1)*1e6); p.due != want {
			t.Errorf("packet %d leaves at %d, want %d", i, p.due, want)
		}
	}
	if passed != 4 {
		t.Errorf("%d packets passed, want 4", passed)
	}
}
