package world

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"golang.org/x/sys/unix"

	"brine.test/brine/netfab"
	"brine.test/brine/xdpfault"
)

// TestCaptureOfLostSegments: a sender's capture holds each byte as often as
// it was sent, and marks every packet of the wire that loss took.
func TestCaptureOfLostSegments(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	var faults *xdpfault.Engine
	n, err := netfab.New(t.Context(), netfab.Config{Switch: func(ns *netfab.Namespace) (_ netfab.Switch, err error) {
		faults, err = newFaults(ns, 42)
		return faultSwitch{faults}, err
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}()
	nodes, err := n.AddNodes(t.Context(), "node1", "node2")
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	tap, err := nodes[0].Capture(t.Context(), &file)
	if err != nil {
		t.Fatal(err)
	}
	stop, err := faults.Watch(nodes[0].Index, func(l xdpfault.Lost) {
		tap.Lost(netfab.LostPacket{At: l.At, Frame: l.Frame, Length: l.Length, Outbound: l.Link.From == nodes[0].Index, Why: "lost"})
	})
	if err != nil {
		t.Fatal(err)
	}
	harm, err := faults.Apply(xdpfault.Rule{
		Links:  []xdpfault.Link{{From: nodes[0].Index, To: nodes[1].Index}},
		Action: xdpfault.Loss{Share: 0.02},
	})
	if err != nil {
		t.Fatal(err)
	}
	const size = 1 << 20
	sendAll(t, nodes[0], nodes[1], size)
	missed := stop()
	if err := tap.Stop(); err != nil {
		t.Fatal(err)
	}
	r, stats := harm.Receipt(), tap.Stats()
	if r.Dropped.Packets == 0 || stats.Lost != r.Dropped.Packets || missed > 0 || stats.Dropped > 0 {
		t.Errorf("captured %+v, %d missed, receipt %v", stats, missed, r)
	}
	sent, lost := outbound(t, &file, nodes[0].IP)
	if want := r.Matched.Bytes; sent != want {
		t.Errorf("%d bytes captured, %d were sent", sent, want)
	}
	if lost != r.Dropped.Bytes {
		t.Errorf("%d bytes marked, %d were lost", lost, r.Dropped.Bytes)
	}
}

// sendAll returns when all bytes have arrived and were acknowledged, so that
// nothing more is sent: the connection stays open until the test ends.
func sendAll(t *testing.T, from, to *netfab.Node, size int) {
	t.Helper()
	l, err := to.Listen(t.Context(), "tcp", netip.AddrPortFrom(to.IP, 7).String())
	if err != nil {
		t.Fatal(err)
	}
	arrived := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err == nil {
			t.Cleanup(func() { _ = c.Close() })
			_, err = io.CopyN(io.Discard, c, int64(size))
		}
		arrived <- err
	}()
	c, err := from.DialContext(t.Context(), "tcp", net.JoinHostPort(to.IP.String(), "7"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	if err := <-arrived; err != nil {
		t.Fatal(err)
	}
	raw, err := c.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for waiting, end := 1, time.Now().Add(10*time.Second); waiting > 0; time.Sleep(time.Millisecond) {
		cerr := raw.Control(func(fd uintptr) { waiting, err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) })
		if err := errors.Join(cerr, err); err != nil || time.Now().After(end) {
			t.Fatalf("%d bytes are not acknowledged: %v", waiting, err)
		}
	}
}

// outbound adds up what the file says an address sent, as packets of the wire,
// and what of it was lost.
func outbound(t *testing.T, file io.Reader, from netip.Addr) (sent, lost uint64) {
	t.Helper()
	r, err := pcapgo.NewNgReader(file, pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	for {
		data, ci, options, err := r.ReadPacketDataWithOptions()
		if errors.Is(err, io.EOF) {
			return sent, lost
		}
		if err != nil {
			t.Fatal(err)
		}
		p := gopacket.NewPacket(data, layers.LayerTypeEthernet, gopacket.Default)
		ip, ok := p.NetworkLayer().(*layers.IPv4)
		if !ok || ip.SrcIP.String() != from.String() {
			continue
		}
		if int(ip.Length)+14 != ci.Length {
			t.Errorf("a frame of %d bytes holds a packet of %d", ci.Length, ip.Length)
		}
		sent += uint64(ci.Length)
		if tcp, ok := p.TransportLayer().(*layers.TCP); ok && len(tcp.Payload) > 0 {
			head := len(data) - len(tcp.Payload)
			most := netfab.MTU + 14 - head // of payload in one packet of the wire
			sent += uint64((len(tcp.Payload) - 1) / most * head)
		}
		if len(options.Comments) > 0 {
			lost += uint64(ci.Length)
		}
	}
}
