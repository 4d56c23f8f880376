package reports

import (
	"fmt"

	"brine.test/brine/world/record"
)

// touched sums up what the run's harm did, for whoever asks whether anything was tested at all: "5 harms in 4 of 7
// scenarios: dropped 183 packets (20 KiB), hit 2 processes; 1 touched nothing". Empty without scenarios.
func touched(run *record.Run) string {
	if len(run.Scenarios) == 0 {
		return ""
	}
	var sum record.Receipt
	harms, harmed, nothing, processes := 0, 0, 0, 0
	count := func(to *record.Count, c record.Count) { to.Packets, to.Bytes = to.Packets+c.Packets, to.Bytes+c.Bytes }
	for _, s := range run.Scenarios {
		if len(s.Harms) > 0 {
			harmed++
		}
		for _, h := range s.Harms {
			harms++
			if h.TouchedNothing {
				nothing++
			}
			r := h.Receipt
			count(&sum.Dropped, r.Dropped)
			count(&sum.Delayed, r.Delayed)
			count(&sum.Corrupted, r.Corrupted)
			count(&sum.Duplicated, r.Duplicated)
			count(&sum.Reordered, r.Reordered)
			sum.Calls += r.Calls
			sum.Queries += r.Queries
			sum.Connections = append(sum.Connections, r.Connections...)
			processes += len(r.Processes)
		}
	}
	if harms == 0 {
		return "no scenario harmed the system"
	}
	text := fmt.Sprintf("%s in %d of %s", plural(uint64(harms), "harm"), harmed, plural(uint64(len(run.Scenarios)), "scenario"))
	if did := altogether(sum, processes); did != "" {
		text += ": " + did
	}
	if nothing > 0 {
		text += fmt.Sprintf("; %d touched nothing", nothing)
	}
	return text
}

func altogether(sum record.Receipt, processes int) string {
	n := len(sum.Connections)
	sum.Connections = nil
	text := ""
	if sum.Touched() {
		text = receipt(&record.HarmRun{Receipt: sum})
	}
	add := func(n int, verb, what string) {
		if n > 0 {
			if text != "" {
				text += ", "
			}
			text += verb + " " + plural(uint64(n), what)
		}
	}
	add(processes, "hit", "process")
	add(n, "reset", "connection")
	return text
}
