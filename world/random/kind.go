package random

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// kind is one family of faults that can be drawn by its name.
type kind struct {
	name  string
	usual bool // drawn where a sentence names no kinds
	down  bool // its node serves nobody meanwhile
	disk  bool // it needs a node whose data can fail
	clock bool // it needs a clock that can be changed
	say   func(r *rand.Rand, node string) string
}

// kinds are all families, the usual ones first. A partition is drawn apart: it strikes several nodes.
var kinds = []kind{
	{name: partition, usual: true, down: true},
	{name: "isolate", usual: true, down: true, say: says("%s is isolated")},
	{name: "kill", usual: true, down: true, say: says("%s is killed")},
	{name: "pause", usual: true, down: true, say: says("%s is paused")},
	{name: "delay", usual: true, say: func(r *rand.Rand, node string) string {
		by := time.Duration(1+r.IntN(10)) * 50 * time.Millisecond
		return fmt.Sprintf("packets %s %s are delayed by %s ± %s", way(r), node, by, by/5)
	}},
	{name: "loss", usual: true, say: func(r *rand.Rand, node string) string {
		return fmt.Sprintf("%d%% of packets %s %s are lost", 5*(1+r.IntN(10)), way(r), node)
	}},
	{name: "clock", usual: true, clock: true, say: func(r *rand.Rand, node string) string {
		if r.IntN(2) == 0 {
			return fmt.Sprintf("the clock of %s jumps %s by %ds", node, either(r, "ahead", "back"), 1+r.IntN(300))
		}
		return fmt.Sprintf("the clock of %s runs %d%% %s", node, 5*(1+r.IntN(10)), either(r, "fast", "slow"))
	}},
	{name: "disk", usual: true, down: true, disk: true, say: func(r *rand.Rand, node string) string {
		return fmt.Sprintf(diskFaults[r.IntN(len(diskFaults))], node)
	}},
	{name: "stop", down: true, say: says("%s is stopped")},
	{name: "power", down: true, disk: true, say: says("%s loses power")},
	{name: "memory", down: true, say: says("%s runs out of memory")},
	{name: "cpu", say: func(r *rand.Rand, node string) string {
		if r.IntN(2) == 0 {
			return fmt.Sprintf("CPU of %s is stressed", node)
		}
		return fmt.Sprintf("CPU of %s is limited to %d%%", node, 5*(1+r.IntN(6)))
	}},
	{name: "bandwidth", say: func(r *rand.Rand, node string) string {
		return fmt.Sprintf("bandwidth %s %s is limited to %d kbit/s", way(r), node, 100*(1+r.IntN(10)))
	}},
	{name: "corruption", say: share("corrupted")},
	{name: "duplication", say: share("duplicated")},
	{name: "reordering", say: share("reordered")},
	{name: "reset", say: says("connections to %s are reset")},
	{name: "names", say: says("name resolution fails on %s")},
}

const partition = "partition"

// diskFaults are those that a correct system survives: nothing that it read or wrote is falsified.
var diskFaults = []string{
	"the disk of %s is full", "the disk of %s fails", "the disk of %s is read-only", "writes to the disk of %s fail",
	"fsync on the disk of %s fails", "fsync on the disk of %s takes 500ms", "the disk of %s is slow by 50ms",
}

func says(format string) func(*rand.Rand, string) string {
	return func(_ *rand.Rand, node string) string { return fmt.Sprintf(format, node) }
}

func share(what string) func(*rand.Rand, string) string {
	return func(r *rand.Rand, node string) string {
		return fmt.Sprintf("%d%% of packets %s %s are %s", 1+r.IntN(20), way(r), node, what)
	}
}

func way(r *rand.Rand) string { return either(r, "from", "to") }

func either(r *rand.Rand, a, b string) string {
	if r.IntN(2) == 0 {
		return a
	}
	return b
}

// others are more words for kinds.
var others = map[string]string{
	"partitions": partition, "split": partition, "isolation": "isolate", "crash": "kill", "packet loss": "loss", "latency": "delay",
	"power loss": "power", "out of memory": "memory", "corrupt": "corruption", "duplicate": "duplication", "reorder": "reordering",
	"resets": "reset", "name resolution": "names", "disks": "disk", "clocks": "clock",
}

func kindOf(name string) (kind, bool) {
	name = strings.ToLower(strings.TrimSpace(name))
	if other, ok := others[name]; ok {
		name = other
	}
	at := slices.IndexFunc(kinds, func(k kind) bool { return k.name == name })
	if at < 0 {
		return kind{}, false
	}
	return kinds[at], true
}

// Kinds are the names of all families, those first that are drawn where a sentence names none.
func Kinds() []string {
	out := make([]string, len(kinds))
	for i, k := range kinds {
		out[i] = k.name
	}
	return out
}

// Usual are the faults that are drawn where a sentence names none, each as likely as another.
func Usual() []Fault {
	var out []Fault
	for _, k := range kinds {
		if k.usual {
			out = append(out, Fault{Name: k.name, Weight: 1})
		}
	}
	return out
}
