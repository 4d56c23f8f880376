package netfab

import (
	"context"
	"errors"
	"os"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/channel"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
)

const (
	relayNIC   = 1
	relayQueue = 4096 // packets on their way to the tunnel; more are lost, as on a full link
	relayBytes = 4 << 20
)

// newStack makes a network stack with one link that answers for every address.
func newStack() (*stack.Stack, *channel.Endpoint, error) {
	s := stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol, ipv6.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol, udp.NewProtocol},
	})
	link := channel.New(relayQueue, MTU, "")
	sack, moderate := tcpip.TCPSACKEnabled(true), tcpip.TCPModerateReceiveBufferOption(true)
	rcv := tcpip.TCPReceiveBufferSizeRangeOption{Min: tcp.MinBufferSize, Default: 1 << 20, Max: relayBytes}
	snd := tcpip.TCPSendBufferSizeRangeOption{Min: tcp.MinBufferSize, Default: 1 << 20, Max: relayBytes}
	for _, err := range []tcpip.Error{
		s.SetTransportProtocolOption(tcp.ProtocolNumber, &sack),
		s.SetTransportProtocolOption(tcp.ProtocolNumber, &moderate),
		s.SetTransportProtocolOption(tcp.ProtocolNumber, &rcv),
		s.SetTransportProtocolOption(tcp.ProtocolNumber, &snd),
		s.CreateNIC(relayNIC, link),
		s.SetPromiscuousMode(relayNIC, true), // takes packets for any address
		s.SetSpoofing(relayNIC, true),        // and answers from it
	} {
		if err != nil {
			s.Destroy()
			return nil, nil, errors.New(err.String())
		}
	}
	s.SetRouteTable([]tcpip.Route{
		{Destination: header.IPv4EmptySubnet, NIC: relayNIC},
		{Destination: header.IPv6EmptySubnet, NIC: relayNIC},
	})
	return s, link, nil
}

// fromTunnel feeds the stack until the tunnel is closed.
func fromTunnel(tun *os.File, link *channel.Endpoint) {
	buf := make([]byte, 64<<10)
	for {
		n, err := tun.Read(buf)
		if err != nil {
			return
		}
		proto, ok := relayed(buf[:n])
		if !ok {
			continue
		}
		pkt := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(buf[:n])})
		link.InjectInbound(proto, pkt)
		pkt.DecRef()
	}
}

// relayed tells whether a packet is for the stack. ICMP is not: the stack
// would answer pings in the name of every host there is.
func relayed(packet []byte) (tcpip.NetworkProtocolNumber, bool) {
	switch header.IPVersion(packet) {
	case header.IPv4Version:
		ip := header.IPv4(packet)
		return ipv4.ProtocolNumber, ip.IsValid(len(packet)) && ip.TransportProtocol() != header.ICMPv4ProtocolNumber
	case header.IPv6Version:
		ip := header.IPv6(packet)
		return ipv6.ProtocolNumber, ip.IsValid(len(packet)) && ip.TransportProtocol() != header.ICMPv6ProtocolNumber
	}
	return 0, false
}

// toTunnel writes what the stack sends until ctx ends or the tunnel is closed.
func toTunnel(ctx context.Context, tun *os.File, link *channel.Endpoint) {
	for {
		pkt := link.ReadContext(ctx)
		if pkt == nil {
			return
		}
		view := pkt.ToView()
		_, err := tun.Write(view.AsSlice())
		view.Release()
		pkt.DecRef()
		if errors.Is(err, os.ErrClosed) {
			return
		}
	}
}
