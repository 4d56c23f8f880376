// Package xdpfault is the switch between a scenario's nodes and the harm done
// to what crosses it.
//
// Every host-side veth end lives in one switch namespace. A BPF program at its
// clsact ingress (the node's egress) looks up the directed link in a matrix,
// lets the rules found there decide, and hands the packet to the destination:
//
//	node1 eth0 ──veth──► tc ingress ─► cell [node1][node2] ─► rule set ─► redirect_peer ─► eth0 node2
//	                                        ▲                   │ │
//	                     one 4-byte store flips them all        │ └─ ledger: state and counters per rule and link
//	                                                            └─── drop, lose, corrupt, duplicate, divert
//
// Rules that act on single packets of the wire have the segments of their
// links cut into such first, by a device inside the switch namespace.
//
// In the verdict itself: Drop, Loss (independent, or in bursts), Duplicate,
// Flap, and Corrupt with the checksum mended. In the delay line, a process of
// its own behind a TAP that needs neither netem nor fq: Delay, Rate, Reorder,
// and Corrupt with a failing checksum. Reset ends live TCP connections.
//
// Rules are immutable and compose: a cell names the set of all rules on its
// link, every one of them sees every packet and decides by itself, and the
// packet suffers what all of them want. Apply and Heal prepare an idle plane
// of the matrix and flip the generation, so no packet sees half of a change.
//
// The engine owns its programs, maps, qdiscs and the delay line's device and
// process, all without names in any file system: they go when the process goes.
// The delay line's process is this very program started again; its part of
// main is in this package's init.
//
//	engine, err := xdpfault.New(switchNS, xdpfault.Config{Seed: 42})
//	…
//	err = engine.Attach(port) // for every node, the clients, the services
//	harm, err := engine.Apply(xdpfault.Rule{
//		Links:  []xdpfault.Link{{From: 2, To: xdpfault.All}, {From: xdpfault.All, To: 2}},
//		Action: xdpfault.Drop{},
//	})
//	err = engine.Prove(ctx, harm) // probe packets over struck and unstruck links
//	err = harm.Heal()
//	fmt.Println(harm.Receipt())
//
// Index 1 is the services' port. Packets from and to its own addresses (name
// resolution) are never harmed; rules on a link to or from index 1 act on what
// goes to or comes from the outside world through it.
//
// Fragments: later fragments get the ports of their first one; a fragment that
// overtakes its first one matches only rules without ports. Broadcast,
// multicast and ARP do not cross the switch.
//
// The kernel needs to be 5.10 or newer (redirect_peer) and little endian.
package xdpfault
