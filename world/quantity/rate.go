package quantity

import (
	"fmt"
	"strings"
)

const (
	bitRateHint     = "write 1 Mbit/s, 100 kbit/s, or 1.5 Gbit/s"
	requestRateHint = "write 10 requests per second, 600 requests per minute, or 10/s"
)

// bitUnits maps every spelling to bits per second. Prefixes are powers of 1000, as everywhere in networking.
var bitUnits = map[string]int64{
	"bit/s": 1, "kbit/s": 1e3, "Kbit/s": 1e3, "Mbit/s": 1e6, "Gbit/s": 1e9,
	"bps": 1, "kbps": 1e3, "Kbps": 1e3, "Mbps": 1e6, "Gbps": 1e9,
	"B/s": 8, "kB/s": 8e3, "KB/s": 8e3, "MB/s": 8e6, "GB/s": 8e9,
	"KiB/s": 8 << 10, "MiB/s": 8 << 20, "GiB/s": 8 << 30,
}

// Unit is what a rate counts.
type Unit int

// Rates count bits or requests.
const (
	Bits Unit = iota
	Requests
)

// PerSecond is a rate: so many bits or requests in a second.
type PerSecond struct {
	N    float64
	Unit Unit
}

// String gives the rate in the form that Rate reads.
func (r PerSecond) String() string {
	if r.Unit == Requests {
		return fmt.Sprintf("%g requests per second", r.N)
	}
	return fmt.Sprintf("%g bit/s", r.N)
}

// Rate reads a bandwidth (1 Mbit/s) or a rate of requests (10 requests per second), whichever the text is.
func Rate(text string) (PerSecond, error) {
	if bits, err := BitRate(text); err == nil {
		return PerSecond{N: float64(bits), Unit: Bits}, nil
	}
	if n, err := RequestRate(text); err == nil {
		return PerSecond{N: n, Unit: Requests}, nil
	}
	return PerSecond{}, refuse(text, "not a rate", "write 1 Mbit/s or 10 requests per second")
}

// BitRate reads a bandwidth in bits per second: 1 Mbit/s, 1.5 Gbit/s, 100 kB/s. It must be above nothing.
func BitRate(text string) (uint64, error) {
	rest := strings.TrimSpace(text)
	if rest == "" {
		return 0, refuse(text, "a bandwidth is missing", bitRateHint)
	}
	number, word, err := splitNumber(rest)
	if err != nil {
		return 0, refuse(text, "the bandwidth "+err.Error(), bitRateHint)
	}
	if word == "" {
		return 0, refuse(text, "a bandwidth needs a unit", bitRateHint)
	}
	unit, ok := bitUnits[word]
	if !ok {
		return 0, refuse(text, "unknown unit of bandwidth \""+word+"\"", bitRateHint)
	}
	bits, exact, fits := whole(number, unit)
	switch {
	case !exact:
		return 0, refuse(text, "the bandwidth is not a whole number of bits per second", bitRateHint)
	case !fits:
		return 0, refuse(text, "the bandwidth is too large", bitRateHint)
	case bits == 0:
		return 0, refuse(text, "the bandwidth is nothing", "to let nothing through, say that traffic is dropped")
	}
	return uint64(bits), nil
}

// requestUnits maps what follows the number to how many seconds it spans.
var requestUnits = map[string]float64{
	"requests per second": 1, "request per second": 1, "requests a second": 1, "request a second": 1,
	"requests/s": 1, "per second": 1, "/s": 1,
	"requests per minute": 60, "request per minute": 60, "requests a minute": 60, "request a minute": 60,
	"requests/m": 60, "requests/min": 60, "per minute": 60, "/m": 60, "/min": 60,
}

// RequestRate reads requests per second: 10 requests per second, 1 request per second, 600 requests per minute, 10/s.
// It must be above nothing.
func RequestRate(text string) (float64, error) {
	rest := strings.TrimSpace(text)
	if rest == "" {
		return 0, refuse(text, "a rate of requests is missing", requestRateHint)
	}
	number, words, err := splitNumber(rest)
	if err != nil {
		return 0, refuse(text, "the rate "+err.Error(), requestRateHint)
	}
	seconds, ok := requestUnits[strings.Join(strings.Fields(words), " ")]
	if !ok {
		return 0, refuse(text, "not a rate of requests", requestRateHint)
	}
	n, _ := number.Float64()
	if n == 0 {
		return 0, refuse(text, "the rate is nothing", requestRateHint)
	}
	return n / seconds, nil
}
