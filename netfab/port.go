package netfab

import (
	"net"
	"net/netip"
)

// Port is one plug of the switch: a veth pair between the switch namespace
// (the port's own end) and the namespace of a node, of the clients, or of the
// services (the peer end, always called eth0).
//
//	switch namespace                     namespace of node2
//	┌───────────────────────────┐        ┌─────────────────────────────┐
//	│ brine3, ifindex 103       │  veth  │ eth0, ifindex 103           │
//	│ MAC = GatewayMAC ─────────┼────────┼─ MAC 02:77:00:00:00:03      │
//	│ (every port the same)     │        │ 10.77.1.2/16 fd00:77::1:2/64│
//	└───────────────────────────┘        │ default via 10.77.0.1, ::1  │
//	                                     │ both at GatewayMAC, for ever│
//	                                     └─────────────────────────────┘
//
// What a node sends is addressed to GatewayMAC whoever it is for; so there is
// neither ARP nor neighbour discovery, and the host-wide neighbour table
// stays as small as two entries a node. A switch that hands a frame over
// writes the receiver's PeerMAC into it: the receiver's kernel drops frames
// for others, except those that redirect_peer passes (already marked as the
// host's own where they came in), and captures should look right either way.
type Port struct {
	Name    string           // of the node; "clients", "services"
	Index   int              // 0 the clients, 1 the services, 2… nodes in order of creation
	IfIndex int              // of the end in the switch namespace: 100 + Index
	IfName  string           // of that end
	MAC     net.HardwareAddr // of that end: GatewayMAC

	PeerNS      *Namespace
	PeerIfIndex int    // of eth0 in PeerNS: 100 + Index
	PeerIfName  string // "eth0"
	PeerMAC     net.HardwareAddr

	Addrs []netip.Addr // one IPv4, one IPv6, in this order
}

// Switch carries packets between the ports. It is called by one goroutine at a time.
type Switch interface {
	// Attach is called when the port's links are up and addressed.
	Attach(Port) error
	// Detach is called before the port's link is deleted.
	Detach(index int) error
	// Close is called before the namespaces are given up.
	Close() error
}

// DefaultSetter is a Switch that can send packets for addresses that no port
// has to one of the ports; without it they are dropped. AllowInternet needs it.
type DefaultSetter interface {
	SetDefault(index int) error
}
