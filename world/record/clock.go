package record

import (
	"time"

	"golang.org/x/sys/unix"
)

// Time is one moment on both clocks, in nanoseconds.
type Time struct {
	// Mono is CLOCK_MONOTONIC, as bpf_ktime_get_ns gives it: nanoseconds since boot, without suspend.
	Mono int64 `json:"mono"`
	// Wall is CLOCK_REALTIME: nanoseconds since 1970.
	Wall int64 `json:"wall"`
}

// IsZero tells that nothing set the time.
func (t Time) IsZero() bool { return t.Mono == 0 && t.Wall == 0 }

// Sub is the monotonic time from u to t.
func (t Time) Sub(u Time) time.Duration { return time.Duration(t.Mono - u.Mono) }

// Clock gives both times. Tests put a fixed one in its place.
type Clock func() Time

// SystemClock reads the kernel's clocks.
func SystemClock() Time {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return Time{Wall: time.Now().UnixNano()}
	}
	return Time{Mono: ts.Nano(), Wall: time.Now().UnixNano()}
}
