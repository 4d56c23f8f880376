package world

import (
	"fmt"
	"slices"

	"brine.test/brine/netfab"
	"brine.test/brine/world/record"
	"brine.test/brine/xdpfault"
)

// faultSwitch lets the fault engine be the network's switch: the two packages
// do not know each other.
type faultSwitch struct{ e *xdpfault.Engine }

// Attach puts the verdict on a port.
func (s faultSwitch) Attach(p netfab.Port) error {
	return s.e.Attach(xdpfault.Port{
		Index: p.Index, IfIndex: p.IfIndex, IfName: p.IfName, MAC: p.MAC,
		Peer: p.PeerNS, PeerIfIndex: p.PeerIfIndex, PeerIfName: p.PeerIfName, PeerMAC: p.PeerMAC,
		Addrs: p.Addrs,
	})
}

// Detach takes it away.
func (s faultSwitch) Detach(index int) error { return s.e.Detach(index) }

// Close frees the programs and maps.
func (s faultSwitch) Close() error { return s.e.Close() }

func newFaults(ns *netfab.Namespace, seed uint64) (*xdpfault.Engine, error) {
	return xdpfault.New(ns, xdpfault.Config{Seed: seed})
}

// SetDefault sends packets for unknown addresses to one port.
func (s faultSwitch) SetDefault(index int) error { return s.e.SetDefault(index) }

// linkReceipt turns the fault engine's counters into the record's receipt.
func (w *World) linkReceipt(r xdpfault.Receipt) record.Receipt {
	out := record.Receipt{
		Matched: record.Count(r.Matched), Dropped: record.Count(r.Dropped), Delayed: record.Count(r.Delayed),
		Corrupted: record.Count(r.Corrupted), Duplicated: record.Count(r.Duplicated), Reordered: record.Count(r.Reordered),
		FirstTouched: int64(r.First), LastTouched: int64(r.Last),
	}
	if r.Probes > 0 {
		out.Proof = fmt.Sprintf("%d probe packets sent, %d dropped", r.Probes, r.ProbesDropped)
	}
	touched := slices.DeleteFunc(slices.Clone(r.Links), func(l xdpfault.LinkTally) bool { return !l.Touched() })
	links := make([]xdpfault.Link, len(touched))
	for i, l := range touched {
		links[i] = l.Link
	}
	for i, name := range w.linkNames(links) {
		l := touched[i]
		out.Links = append(out.Links, record.LinkReceipt{
			Link: name, Matched: record.Count(l.Matched), Dropped: record.Count(l.Dropped), Delayed: record.Count(l.Delayed),
			Corrupted: record.Count(l.Corrupted), Duplicated: record.Count(l.Duplicated), Reordered: record.Count(l.Reordered),
		})
	}
	return out
}
