package steps

import (
	"slices"
	"strings"

	"brine.test/brine/world"
)

// Needs gives what sentences ask for before their cluster starts, those inside other sentences and in the cells and doc
// strings under them included. The Before hook calls it with every sentence of the scenario.
func Needs(texts ...string) world.Needs {
	var all world.Needs
	for _, text := range texts {
		for _, m := range Matches(text) {
			all = union(all, needs[m.Sentence.Name])
			if m.Sentence.Name == "rememberJSON" && world.LooksSecret(m.Args[1]) {
				all.Secrets = append(all.Secrets, strings.ReplaceAll(m.Args[0], `""`, `"`))
			}
			if m.Sentence.Name == "whenLog" || m.Sentence.Name == "everySoOften" {
				all = union(all, Needs(m.Args[len(m.Args)-1]))
			}
		}
	}
	return all
}

// needs is what the sentences of a step function ask for, by the function's name. Those that are not in it ask for
// nothing: their harm acts on what every cluster has.
var needs = map[string]world.Needs{
	"diskFull": {Disk: true}, "diskFails": {Disk: true}, "diskCallsFail": {Disk: true}, "diskReadOnly": {Disk: true},
	"diskSlow": {Disk: true}, "fsyncSlow": {Disk: true}, "readsCorrupted": {Disk: true}, "diskRecovers": {Disk: true},
	"randomFaults": {Disk: true, Clock: true}, // without a table
	"losePower":    {Disk: true}, "clockJumps": {Clock: true}, "clockDrifts": {Clock: true},
	"httpLatency": {Observe: true}, "httpErrorRate": {Observe: true}, "httpThroughput": {Observe: true},
	"runPxL": {Observe: true}, "runPxLFile": {Observe: true}, "runExperiment": {Observe: true},
	"sentPackets": {Traffic: true}, "reachedPackets": {Traffic: true}, "capturePackets": {Capture: true},
}

func union(a, b world.Needs) world.Needs {
	return world.Needs{
		Disk: a.Disk || b.Disk, Clock: a.Clock || b.Clock, Observe: a.Observe || b.Observe, Capture: a.Capture || b.Capture,
		Traffic: a.Traffic || b.Traffic, Secrets: slices.Concat(a.Secrets, b.Secrets),
	}
}
