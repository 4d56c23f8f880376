package quantity_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"brine.test/brine/world/quantity"
)

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"500ms": 500 * time.Millisecond, "5s": 5 * time.Second, "2m": 2 * time.Minute, "1m30s": 90 * time.Second,
		"5 seconds": 5 * time.Second, "1 second": time.Second, "2 minutes": 2 * time.Minute, "1.5s": 1500 * time.Millisecond,
		"1 minute 30 seconds": 90 * time.Second, "1m 30s": 90 * time.Second, "0s": 0, " 5s ": 5 * time.Second,
		"250 µs": 250 * time.Microsecond, "1h2m3s4ms": time.Hour + 2*time.Minute + 3*time.Second + 4*time.Millisecond, "2d": 48 * time.Hour,
	} {
		got, err := quantity.Duration(text)
		if err != nil || got != want {
			t.Errorf("Duration(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestSize(t *testing.T) {
	for text, want := range map[string]int64{
		"64 MiB": 64 << 20, "64MiB": 64 << 20, "1 GB": 1e9, "1.5 GiB": 3 << 29, "512 bytes": 512, "0 B": 0, "1 KB": 1000,
	} {
		got, err := quantity.Size(text)
		if err != nil || got != want {
			t.Errorf("Size(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestRate(t *testing.T) {
	for text, want := range map[string]quantity.PerSecond{
		"1 Mbit/s":               {N: 1e6, Unit: quantity.Bits},
		"1.5Gbit/s":              {N: 1.5e9, Unit: quantity.Bits},
		"100 kB/s":               {N: 8e5, Unit: quantity.Bits},
		"10 requests per second": {N: 10, Unit: quantity.Requests},
		"1 request per second":   {N: 1, Unit: quantity.Requests},
		"0.5 requests  per second": {
			N: 0.5, Unit: quantity.Requests,
		},
		"600 requests per minute": {N: 10, Unit: quantity.Requests},
		"10/s":                    {N: 10, Unit: quantity.Requests},
	} {
		got, err := quantity.Rate(text)
		if err != nil || got != want {
			t.Errorf("Rate(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestShare(t *testing.T) {
	for text, want := range map[string]float64{"10%": 0.1, "0.5%": 0.005, "100%": 1, "0%": 0, "10 %": 0.1, "25 percent": 0.25} {
		got, err := quantity.Share(text)
		if err != nil || math.Abs(got-want) > 1e-12 {
			t.Errorf("Share(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
}

// TestRefused holds that a refusal names the text, and says on a second line what to write.
func TestRefused(t *testing.T) {
	parsers := map[string]func(string) error{
		"duration": func(s string) error { _, err := quantity.Duration(s); return err },
		"size":     func(s string) error { _, err := quantity.Size(s); return err },
		"bits":     func(s string) error { _, err := quantity.BitRate(s); return err },
		"requests": func(s string) error { _, err := quantity.RequestRate(s); return err },
		"share":    func(s string) error { _, err := quantity.Share(s); return err },
	}
	for _, c := range []struct{ parser, text, problem string }{
		{"duration", "", "is missing"},
		{"duration", "5", "needs a unit"},
		{"duration", "5M", `unknown unit of time "M"`},
		{"duration", "-5s", "is negative"},
		{"duration", "soon", "does not begin with a number"},
		{"duration", "30s1m", "from large to small"},
		{"duration", "1s1s", "from large to small"},
		{"duration", "0.1ns", "parts of a nanosecond"},
		{"duration", "999999999999h", "above 290 years"},
		{"duration", "1..5s", "malformed number"},
		{"duration", "5s!", "unknown unit"},
		{"size", "64", "needs a unit"},
		{"size", "64 Mb", `unknown unit of size "Mb"`},
		{"size", "0.3 B", "whole number of bytes"},
		{"size", "9999999999 TiB", "8 EiB or more"},
		{"bits", "1", "needs a unit"},
		{"bits", "1 MiB", "unknown unit of bandwidth"},
		{"bits", "0 Mbit/s", "is nothing"},
		{"requests", "10", "not a rate of requests"},
		{"requests", "0 requests per second", "is nothing"},
		{"share", "0.1", "in percent"},
		{"share", "101%", "at most 100%"},
		{"share", "-1%", "is negative"},
	} {
		err := parsers[c.parser](c.text)
		if err == nil {
			t.Errorf("%s %q was read; want an error with %q", c.parser, c.text, c.problem)
			continue
		}
		lines := strings.Split(err.Error(), "\n")
		if len(lines) != 2 || !strings.Contains(lines[0], c.problem) || !strings.Contains(lines[0], `"`+c.text+`"`) || !strings.HasPrefix(lines[1], "hint: ") {
			t.Errorf("%s %q: error %q; want %q and a hint", c.parser, c.text, err, c.problem)
		}
	}
}

func FuzzDuration(f *testing.F) {
	for _, seed := range []string{"1m30s", "5 seconds", "0.5ms", "-1s", "9223372036s", "1e9s"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := quantity.Duration(text)
		if err != nil {
			return
		}
		if d < 0 {
			t.Fatalf("Duration(%q) = %v", text, d)
		}
		again, err := quantity.Duration(d.String())
		if err != nil || again != d {
			t.Fatalf("Duration(%q) = %v, read again as %v, %v", text, d, again, err)
		}
	})
}

func FuzzAmounts(f *testing.F) {
	for _, seed := range []string{"64 MiB", "1 Mbit/s", "10 requests per second", "0.5%", "10%%"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if n, err := quantity.Size(text); err == nil && n < 0 {
			t.Fatalf("Size(%q) = %d", text, n)
		}
		if r, err := quantity.Rate(text); err == nil && (r.N <= 0 || math.IsInf(r.N, 0)) {
			t.Fatalf("Rate(%q) = %v", text, r)
		}
		if s, err := quantity.Share(text); err == nil && (s < 0 || s > 1) {
			t.Fatalf("Share(%q) = %v", text, s)
		}
	})
}
