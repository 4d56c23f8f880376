package world

import (
	"fmt"

	"brine.test/brine/world/record"
)

// join adds the receipts of a harm's parts up.
func join(a, b record.Receipt) record.Receipt {
	a.Calls += b.Calls
	a.Processes = append(a.Processes, b.Processes...)
	if b.Proof != "" {
		if a.Proof != "" {
			a.Proof += "; "
		}
		a.Proof += b.Proof
	}
	if b.FirstTouched != 0 && (a.FirstTouched == 0 || b.FirstTouched < a.FirstTouched) {
		a.FirstTouched = b.FirstTouched
	}
	a.LastTouched = max(a.LastTouched, b.LastTouched)
	return a
}

func labels(places []place) string {
	out := make([]string, len(places))
	for i, p := range places {
		out[i] = p.label
	}
	return listWords(out)
}

// byteSize says a number of bytes for a person.
func byteSize(n int64) string {
	for _, u := range []struct {
		unit int64
		name string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if n >= u.unit && n%(u.unit/8) == 0 {
			return fmt.Sprintf("%g %s", float64(n)/float64(u.unit), u.name)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}
