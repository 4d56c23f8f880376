package xdpfault

import (
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestScatteredHeaders: a packet of which only the link's header is linear, as
// packet sockets' rings send, has its verdict like any other, also in the
// delay line.
func TestScatteredHeaders(t *testing.T) {
	requireRoot(t)
	f := newFabric(t, HookTC, 4)
	for _, v6 := range []bool{false, true} {
		for name, rule := range map[string]Rule{
			"other link": {Links: []Link{{3, 2}}, Action: Drop{}},
			"loss":       {Links: []Link{{2, 3}}, Action: Loss{Share: 1e-9}},
			"delay":      {Links: []Link{{2, 3}}, Action: Delay{By: time.Millisecond}},
			"cut":        {Links: []Link{{2, 3}}, Match: Match{Proto: UDP, DstPort: 4000}, Action: Drop{}},
		} {
			t.Run(fmt.Sprintf("%s, IPv6 %v", name, v6), func(t *testing.T) { f.sendScattered(t, rule, v6) })
		}
	}
}

func (f *fabric) sendScattered(t *testing.T, rule Rule, v6 bool) {
	from, to := f.nodes[2], f.nodes[3]
	src, dst := from.ip, to.ip
	if v6 {
		src, dst = from.ip6, to.ip6
	}
	in := to.listenUDP(t, dst, 4000)
	defer in.Close()
	h := f.apply(rule)
	before := f.engine.LinkStats(Link{2, 3}, Match{})
	frame := datagram(src, dst, 4000, 100)
	copy(frame, from.port.MAC)
	copy(frame[6:], from.port.PeerMAC)
	sum := len(frame) - 100 - 2 // of the UDP header, which IPv6 demands
	frame[sum], frame[sum+1] = 0, 0
	if v6 {
		pseudo := append([]byte{}, frame[14+8:14+40]...)
		pseudo = append(pseudo, 0, 0, 0, 108, 0, 0, 0, unix.IPPROTO_UDP)
		c := checksum(append(pseudo, frame[54:]...), 0)
		frame[sum], frame[sum+1] = byte(c>>8), byte(c)
	} else {
		c := checksum(frame[14:34], 0)
		frame[24], frame[25] = byte(c>>8), byte(c)
	}
	if err := from.ns.Do(func() error { return sendByRing(from.port.PeerIfIndex, frame) }); err != nil {
		t.Fatal(err)
	}
	if _, drop := rule.Action.(Drop); drop && rule.Links[0].From == 2 {
		if r := h.Receipt(); r.Dropped.Packets != 1 {
			t.Errorf("receipt %v, want one dropped", r)
		}
	} else {
		if err := in.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if n, err := in.Read(make([]byte, 200)); n != 100 {
			t.Errorf("%d bytes of 100 arrived: %v", n, err)
		}
	}
	if sent := f.engine.LinkStats(Link{2, 3}, Match{}).Sent.Packets - before.Sent.Packets; sent != 1 {
		t.Errorf("%d packets counted, want 1", sent)
	}
	f.heal(h)
}

// sendByRing sends a frame from a packet socket's ring (packet_mmap of the
// kernel's documentation): its pages become the packet's, behind the link's header.
func sendByRing(ifindex int, frame []byte) (err error) {
	const size = 4096
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	ring := unix.TpacketReq{Block_size: size, Block_nr: 1, Frame_size: size, Frame_nr: 1}
	if err := unix.SetsockoptTpacketReq(fd, unix.SOL_PACKET, unix.PACKET_TX_RING, &ring); err != nil {
		return fmt.Errorf("ring: %w", err)
	}
	memory, err := unix.Mmap(fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Munmap(memory) }()
	const status, length, data = 0, 8, 32 // of struct tpacket_hdr, which counts in longs
	copy(memory[data:], frame)
	memory[length] = byte(len(frame))
	memory[status] = unix.TP_STATUS_SEND_REQUEST
	return unix.Sendto(fd, nil, 0, &unix.SockaddrLinklayer{Protocol: 8, Ifindex: ifindex})
}
