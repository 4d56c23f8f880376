package quantity

import (
	"strings"
	"time"
)

const durationHint = "write 5s, 500ms, 2m, 1m30s, or 5 seconds"

// durationUnits maps every spelling to its length. Abbreviations are exact: 5M is not five minutes.
var durationUnits = map[string]time.Duration{
	"ns": time.Nanosecond, "nanosecond": time.Nanosecond, "nanoseconds": time.Nanosecond,
	"us": time.Microsecond, "µs": time.Microsecond, "μs": time.Microsecond,
	"microsecond": time.Microsecond, "microseconds": time.Microsecond,
	"ms": time.Millisecond, "millisecond": time.Millisecond, "milliseconds": time.Millisecond,
	"s": time.Second, "sec": time.Second, "second": time.Second, "seconds": time.Second,
	"m": time.Minute, "min": time.Minute, "minute": time.Minute, "minutes": time.Minute,
	"h": time.Hour, "hour": time.Hour, "hours": time.Hour,
	"d": 24 * time.Hour, "day": 24 * time.Hour, "days": 24 * time.Hour,
}

// Duration reads a length of time: 500ms, 5s, 2m, 1m30s, 1.5s, 5 seconds, 1 minute 30 seconds. Several parts go from
// large to small. It fails on a missing or unknown unit, a negative length, parts of a nanosecond, and lengths above 290 years.
func Duration(text string) (time.Duration, error) {
	rest := strings.TrimSpace(text)
	if rest == "" {
		return 0, refuse(text, "a length of time is missing", durationHint)
	}
	var total time.Duration
	last := time.Duration(1<<63 - 1)
	for rest != "" {
		number, after, err := splitNumber(rest)
		if err != nil {
			return 0, refuse(text, "the length of time "+err.Error(), durationHint)
		}
		word, after := splitUnit(after)
		if word == "" {
			return 0, refuse(text, "a length of time needs a unit", durationHint)
		}
		unit, ok := durationUnits[word]
		if !ok {
			return 0, refuse(text, "unknown unit of time \""+word+"\"", durationHint)
		}
		if unit >= last {
			return 0, refuse(text, "the parts of a length of time go from large to small, each unit once", durationHint)
		}
		last = unit
		part, exact, fits := whole(number, int64(unit))
		if !exact {
			return 0, refuse(text, "the length of time has parts of a nanosecond", durationHint)
		}
		if !fits || total+time.Duration(part) < total {
			return 0, refuse(text, "the length of time is above 290 years", durationHint)
		}
		total += time.Duration(part)
		rest = after
	}
	return total, nil
}
