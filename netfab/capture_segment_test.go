package netfab

import (
	"bytes"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
)

// largePacket makes a packet with so many bytes of payload, none of which
// looks like its neighbours.
func largePacket(t *testing.T, v6, tcp bool, size int) []byte {
	t.Helper()
	payload := make([]byte, size)
	for i := range payload {
		payload[i] = byte(i * i >> 4)
	}
	eth := &layers.Ethernet{SrcMAC: macOf(2), DstMAC: GatewayMAC, EthernetType: layers.EthernetTypeIPv4}
	var ip gopacket.NetworkLayer = &layers.IPv4{
		Version: 4, TTL: 64, Id: 100, Protocol: layers.IPProtocolTCP, Flags: layers.IPv4DontFragment,
		SrcIP: net.IP{10, 77, 1, 1}, DstIP: net.IP{10, 77, 1, 2},
	}
	proto := layers.IPProtocolTCP
	if !tcp {
		proto = layers.IPProtocolUDP
	}
	if v6 {
		eth.EthernetType = layers.EthernetTypeIPv6
		ip = &layers.IPv6{Version: 6, NextHeader: proto, HopLimit: 64, SrcIP: net.ParseIP("fd00:77::1"), DstIP: net.ParseIP("fd00:77::2")}
	} else {
		ip.(*layers.IPv4).Protocol = proto
	}
	var l4 gopacket.SerializableLayer = &layers.UDP{SrcPort: 4000, DstPort: 4001}
	if tcp {
		l4 = &layers.TCP{SrcPort: 4000, DstPort: 4001, Seq: 1<<32 - 2000, ACK: true, PSH: true, Window: 1000}
	}
	b := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true}, eth, ip.(gopacket.SerializableLayer), l4, gopacket.Payload(payload)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Segments that were lost are marked, by themselves, in the large packet that the
// node sent; all its bytes stay where they were.
func TestLostSegments(t *testing.T) {
	const size, mss = 10_000, 1400
	for _, c := range []struct{ v6, tcp bool }{{false, true}, {true, true}, {false, false}, {true, false}} {
		t.Run(fmt.Sprintf("IPv6 %v, TCP %v", c.v6, c.tcp), func(t *testing.T) {
			whole := largePacket(t, c.v6, c.tcp, size)
			s, ok := segmentsOf(whole)
			if !ok {
				t.Fatal("has no segments")
			}
			var wire [][]byte
			for from := 0; from < size; from += mss {
				wire = append(wire, s.cut(whole, from, min(from+mss, size), uint16(100+from/mss)))
			}
			var h hold
			begin := time.Now()
			h.add(gopacket.CaptureInfo{Timestamp: begin, CaptureLength: len(whole), Length: len(whole)}, whole, true)
			for _, i := range []int{7, 0, 3, 4} {
				frame := slices.Concat(bytes.Repeat([]byte{9}, 12), wire[i][12:])
				h.tell(LostPacket{At: begin, Frame: frame, Length: len(frame), Outbound: true, Why: fmt.Sprint("lost ", i)})
			}
			other := slices.Clone(wire[5])
			other[len(other)-1]++
			h.tell(LostPacket{At: begin, Frame: other, Length: len(other), Outbound: true, Why: "another"})
			h.settle(never)
			var got []string
			var payload []byte
			for p := h.next(never); p != nil; p = h.next(never) {
				for _, piece := range p.pieces() {
					got = append(got, checkPiece(t, piece, c.tcp, len(payload), size))
					if piece.why != "another" {
						at, _ := segmentsOf(piece.data)
						payload = append(payload, piece.data[at.payload:]...)
					}
				}
			}
			want := []string{"1400 lost 0", "2800 ", "1400 lost 3", "1400 lost 4", "2800 ", "200 lost 7", "1400 another"}
			if !slices.Equal(got, want) {
				t.Errorf("written: %q, want %q", got, want)
			}
			if !bytes.Equal(payload, whole[s.payload:]) {
				t.Error("the bytes are not those that were sent")
			}
			if len(h.large) > 0 {
				t.Errorf("%d flows are left", len(h.large))
			}
		})
	}
}

// checkPiece demands headers that fit the payload, and says what it is.
func checkPiece(t *testing.T, piece *heldPacket, tcp bool, at, size int) string {
	t.Helper()
	p := gopacket.NewPacket(piece.data, layers.LayerTypeEthernet, gopacket.Default)
	if p.ErrorLayer() != nil || p.Metadata().Truncated || piece.ci.Length != len(piece.data) {
		t.Fatalf("%v\n%v", p.ErrorLayer(), p)
	}
	said := fmt.Sprintf("%d %s", len(p.ApplicationLayer().Payload()), piece.why)
	if piece.why == "another" {
		return said
	}
	if eth := p.LinkLayer().(*layers.Ethernet); eth.SrcMAC.String() != macOf(2).String() {
		t.Errorf("%s: from %s", said, eth.SrcMAC)
	}
	if ip, ok := p.NetworkLayer().(*layers.IPv4); ok && int(ip.Id) != 100+at/1400 {
		t.Errorf("%s: id %d", said, ip.Id)
	}
	if ip, ok := p.NetworkLayer().(*layers.IPv4); ok && piece.why == "" && ^checksum.Checksum(ip.Contents, 0) != 0 {
		t.Errorf("%s: checksum of the header: %x", said, ip.Checksum)
	}
	if !tcp {
		return said
	}
	last := at+len(p.ApplicationLayer().Payload()) == size
	if l4 := p.TransportLayer().(*layers.TCP); l4.Seq != uint32(1<<32-2000+at) || l4.PSH != last || !l4.ACK {
		t.Errorf("%s: sequence number %d, push %v", said, l4.Seq, l4.PSH)
	}
	return said
}
