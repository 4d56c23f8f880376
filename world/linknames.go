package world

import (
	"brine.test/brine/world/record"
	"brine.test/brine/xdpfault"
)

// linkNames names directed links of the fault engine: a split of a thousand
// nodes has half a million.
func (w *World) linkNames(links []xdpfault.Link) []record.Link {
	names := map[int]string{}
	name := func(port int) string {
		if _, ok := names[port]; !ok {
			names[port] = w.portName(port)
		}
		return names[port]
	}
	out := make([]record.Link, len(links))
	for i, l := range links {
		out[i] = record.Link{From: name(l.From), To: name(l.To)}
	}
	return out
}
