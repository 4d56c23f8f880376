package world

import (
	"strings"

	"brine.test/brine/world/record"
)

// holdings counts what the scenario has made and its teardown is about to remove; pending are the names of the undos.
func (w *World) holdings(pending []string) []record.Removal {
	var out []record.Removal
	add := func(what string, n int) {
		if n > 0 {
			out = append(out, record.Removal{What: what, N: n})
		}
	}
	containers := 0
	for _, n := range w.allNodes() {
		for _, s := range n.services {
			if s.box != nil {
				containers++
			}
		}
	}
	add("containers", containers)
	if w.net != nil {
		spaces := w.net.Namespaces()
		add("network namespaces", spaces)
		add("links", spaces-1) // one to each but the switch's own
	}
	disks, clocks := 0, 0
	var rest []string
	for _, name := range pending {
		switch {
		case strings.HasPrefix(name, "disk of "):
			disks++
		case strings.HasPrefix(name, "clock of "):
			clocks++
		case name == "network", name == "containers", strings.HasPrefix(name, "folder "):
		default:
			rest = append(rest, name)
		}
	}
	add("file systems", disks)
	add("patched clocks", clocks)
	for _, name := range rest {
		add(name, 1)
	}
	return out
}

// looked is what leftovers looks for.
func (w *World) looked() []string {
	var out []string
	if w.group != nil {
		out = append(out, "containers", "tasks", "shims", "snapshots", "leases", "cgroups")
	}
	if w.net != nil {
		out = append(out, "network namespaces", "processes", "sockets", "mounts")
	}
	return out
}
