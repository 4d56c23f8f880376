package netfab

import (
	"net"
	"net/netip"
)

// The addresses of every network. Two networks may use them at once, as
// neither is seen from the host's namespace.
//
//	index  who        IPv4          IPv6           MAC of eth0
//	0      clients    10.77.0.10    fd00:77::10    02:77:00:00:00:00
//	1      services   10.77.0.53    fd00:77::53    02:77:00:00:00:01
//	2      node1      10.77.1.1     fd00:77::1:1   02:77:00:00:00:02
//	3      node2      10.77.1.2     fd00:77::1:2   02:77:00:00:00:03
//	252    node251    10.77.2.1     fd00:77::2:1   02:77:00:00:00:fc
//
// The last two groups of an IPv6 address read as the last two numbers of the
// IPv4 one.
const (
	// MTU of every link, in bytes. Nothing on the way has another, so only
	// what a program sends above it in one UDP datagram is fragmented; the
	// fragments pass as they are and are put together by the receiver.
	MTU = 1500
	// MaxPorts is how many ports (clients, services and nodes) a network has room for.
	MaxPorts = 4096

	clientsIndex  = 0
	servicesIndex = 1
	firstNode     = 2

	perBlock = 250 // nodes in a third number; .0 and .251 to .255 stay free

	// ifIndexBase is added to a port's index to give the interface index of
	// both ends of its veth: above what fallback tunnel devices take in a
	// new namespace.
	ifIndexBase = 100
)

var (
	prefix4  = netip.MustParsePrefix("10.77.0.0/16")
	prefix6  = netip.MustParsePrefix("fd00:77::/64")
	gateway4 = netip.MustParseAddr("10.77.0.1")
	gateway6 = netip.MustParseAddr("fd00:77::1")

	// GatewayMAC is what every node takes for its gateway's link address, for
	// both families, and the address of every host-side veth end. As the
	// frames that a node sends are addressed to the very link they arrive on,
	// the kernel marks them as its own (PACKET_HOST).
	GatewayMAC = net.HardwareAddr{0x02, 0x77, 0xff, 0xff, 0xff, 0xfe}
)

// addresses gives a port's IPv4 and IPv6 address.
func addresses(index int) (v4, v6 netip.Addr) {
	a, b := byte(0), byte(0)
	switch index {
	case clientsIndex:
		b = 10
	case servicesIndex:
		b = 53
	default:
		n := index - firstNode
		a, b = byte(1+n/perBlock), byte(1+n%perBlock)
	}
	v4 = netip.AddrFrom4([4]byte{10, 77, a, b})
	a16, b16 := readAsHex(a), readAsHex(b)
	v6 = netip.AddrFrom16([16]byte{
		0: 0xfd, 3: 0x77,
		12: byte(a16 >> 8), 13: byte(a16), 14: byte(b16 >> 8), 15: byte(b16),
	})
	return v4, v6
}

// readAsHex is the number whose hexadecimal digits are n's decimal ones: 53
// gives 0x53.
func readAsHex(n byte) uint16 {
	return uint16(n/100)<<8 | uint16(n/10%10)<<4 | uint16(n%10)
}

// macOf is the link address of a port's eth0.
func macOf(index int) net.HardwareAddr {
	return net.HardwareAddr{0x02, 0x77, 0, 0, byte(index >> 8), byte(index)}
}
