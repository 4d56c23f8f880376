package netfab

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// Node is one namespace on the switch: a node of a cluster, the clients, or
// the services. The Network owns it.
type Node struct {
	Name  string
	Index int        // of its port; 0 clients, 1 services, 2… nodes
	IP    netip.Addr // IPv4
	IP6   netip.Addr

	net      *Network
	ns       *Namespace
	rt       *rtSocket // in ns, until the node is attached
	linked   bool      // its veth is there
	attached bool      // to the switch
	faults   nameFaults
}

func newNode(n *Network, name string, index int) *Node {
	node := &Node{Name: name, Index: index, net: n}
	node.IP, node.IP6 = addresses(index)
	return node
}

// hangUp closes the socket that the node was made through.
func (n *Node) hangUp() error {
	if n.rt == nil {
		return nil
	}
	rt := n.rt
	n.rt = nil
	return rt.close()
}

// close lets go of the node's namespace.
func (n *Node) close() error { return errors.Join(n.hangUp(), n.ns.Close()) }

// NS is the node's namespace.
func (n *Node) NS() *Namespace { return n.ns }

// Port is the node's plug of the switch.
func (n *Node) Port() Port {
	return Port{
		Name:    n.Name,
		Index:   n.Index,
		IfIndex: ifIndexBase + n.Index,
		IfName:  fmt.Sprintf("brine%d", n.Index),
		MAC:     GatewayMAC,

		PeerNS:      n.ns,
		PeerIfIndex: ifIndexBase + n.Index,
		PeerIfName:  peerName,
		PeerMAC:     macOf(n.Index),

		Addrs: []netip.Addr{n.IP, n.IP6},
	}
}

// ResolvConf is the /etc/resolv.conf of a container on this node: our name
// server alone, no search domain, the C library's own time-outs.
func (n *Node) ResolvConf() string {
	v4, _ := addresses(servicesIndex)
	return "nameserver " + v4.String() + "\n"
}

// Hosts is the /etc/hosts of a container on this node: localhost and the node
// itself. Every other name is asked of the name server, or a fault of name
// resolution would change nothing.
func (n *Node) Hosts() string {
	var b strings.Builder
	b.WriteString("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n")
	fmt.Fprintf(&b, "%s\t%s\n%s\t%s\n", n.IP, n.Name, n.IP6, n.Name)
	return b.String()
}
