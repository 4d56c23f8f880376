package clock

import (
	"fmt"
	"math"
	"math/bits"
	"time"
)

// Skew is a change to a node's wall clock. It adds to what is there already.
type Skew struct {
	Offset time.Duration // how far the clock jumps: ahead if positive, back if negative
	Rate   float64       // how fast it runs from now on: 1.1 is 10% fast, 1 as it should; 0 leaves the rate as it is
}

// The wall clock stays between these, so that nanoseconds fit a signed 64-bit
// number and no program sees a time before 1970.
var (
	earliest = time.Unix(0, 0).UnixNano()
	latest   = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano()
)

// fastest is the highest rate that is taken.
const fastest = 1000

// params is the correction as the blob computes it: a time t, in nanoseconds
// since 1970, becomes t + offset + (t-base)*drift/2^32.
type params struct{ base, offset, drift int64 }

// at is what a clock with this correction shows at the real time t. It is the
// blob's own arithmetic.
func (p params) at(t int64) int64 {
	hi, lo := bits.Mul64(uint64(t-p.base), uint64(p.drift))
	if t < p.base {
		hi -= uint64(p.drift)
	}
	if p.drift < 0 {
		hi -= uint64(t - p.base)
	}
	return t + p.offset + int64(hi<<32|lo>>32)
}

// rate is how fast the clock runs.
func (p params) rate() float64 { return 1 + float64(p.drift)/(1<<32) }

// then is the correction that continues this one at the real time t with s.
func (p params) then(t int64, s Skew) (params, error) {
	next := params{base: t, offset: p.at(t) - t, drift: p.drift}
	switch {
	case math.IsNaN(s.Rate) || s.Rate < 0 || s.Rate > fastest:
		return p, fmt.Errorf("rate %v: not between 0 and %d", s.Rate, fastest)
	case s.Rate != 0:
		next.drift = int64(math.Round((s.Rate - 1) * (1 << 32)))
	}
	if to := float64(t) + float64(next.offset) + float64(s.Offset); to < float64(earliest) || to > float64(latest) {
		return p, fmt.Errorf("jump by %v: the clock would leave the years 1970 to 2200", s.Offset)
	}
	next.offset += int64(s.Offset)
	return next, nil
}
