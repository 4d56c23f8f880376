package reports

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"brine.test/brine/world/record"
)

// span words a duration as a person says it: 850 ms, 2.4 s, 1 min 12 s.
func span(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + span(-d)
	case d == 0:
		return "0 s"
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Round(time.Millisecond).Milliseconds())
	case d < time.Minute:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", d.Seconds()), ".0") + " s"
	case d < time.Hour:
		d = d.Round(time.Second)
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	d = d.Round(time.Minute)
	return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}

// number groups digits by three.
func number(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// size words a number of bytes.
func size(n uint64) string {
	const unit = 1024
	if n < unit {
		return plural(n, "byte")
	}
	f := float64(n)
	for _, u := range []string{"KiB", "MiB", "GiB"} {
		f /= unit
		if f < unit || u == "GiB" {
			return strings.TrimSuffix(fmt.Sprintf("%.1f", f), ".0") + " " + u
		}
	}
	return ""
}

// plural is a number with its noun.
func plural(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if stem, ok := strings.CutSuffix(noun, "y"); ok {
		return number(n) + " " + stem + "ies"
	}
	if strings.HasSuffix(noun, "s") {
		return number(n) + " " + noun + "es"
	}
	return number(n) + " " + noun + "s"
}

// list joins words as a sentence does.
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// firstLine is the headline of an error, hint the line that begins with "hint:".
func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

func hint(text string) string {
	for line := range strings.Lines(text) {
		if h, ok := strings.CutPrefix(strings.TrimSpace(line), "hint:"); ok {
			return strings.TrimSpace(h)
		}
	}
	return ""
}

// maxNamed is how many connections a receipt names.
const maxNamed = 5

// receipt words what a harm touched.
func receipt(h *record.HarmRun) string {
	r := h.Receipt
	var parts []string
	traffic := func(c record.Count, verb string) {
		if c.Packets > 0 {
			parts = append(parts, verb+" "+plural(c.Packets, "packet")+" ("+size(c.Bytes)+")")
		}
	}
	traffic(r.Dropped, "dropped")
	traffic(r.Delayed, "delayed")
	traffic(r.Corrupted, "corrupted")
	traffic(r.Duplicated, "duplicated")
	traffic(r.Reordered, "reordered")
	if len(parts) == 0 {
		traffic(r.Matched, "met")
	}
	if r.Queries > 0 {
		parts = append(parts, "answered "+plural(r.Queries, "name query")+" falsely")
	}
	if r.Calls > 0 {
		parts = append(parts, "falsified "+plural(r.Calls, "call"))
	}
	if len(r.Processes) > 0 {
		parts = append(parts, "hit "+list(r.Processes))
	}
	if n := len(r.Connections); n > 0 {
		parts = append(parts, "reset "+plural(uint64(n), "connection")+" ("+list(r.Connections[:min(n, maxNamed)])+")")
	}
	if h.TouchedNothing && !r.Touched() && r.Matched.Packets > 0 {
		return "met " + plural(r.Matched.Packets, "packet") + " (" + size(r.Matched.Bytes) + "), touched none"
	}
	if len(parts) > 0 {
		return strings.Join(parts, ", ")
	}
	switch {
	case h.TouchedNothing:
		return "touched nothing"
	case h.End.IsZero():
		return "still on when the record ends"
	}
	return "no receipt"
}
