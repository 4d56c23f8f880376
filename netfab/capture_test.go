package netfab

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// TestCapture sends numbered datagrams and megabytes of TCP and finds each
// datagram in the file, both ways, without waiting after the last.
func TestCapture(t *testing.T) {
	n := newNetwork(t, "node1", "node2")
	one, two := node(t, n, "node1"), node(t, n, "node2")
	echo(t, two, "7")
	var file bytes.Buffer
	c, err := two.Capture(t.Context(), &file)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := one.DialContext(t.Context(), "udp6", "node2:7")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	const count = 1000
	for i := range count {
		if _, err := fmt.Fprintf(conn, "datagram %d", i); err != nil {
			t.Fatal(err)
		}
		if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 64)); err != nil {
			t.Fatal(err)
		}
	}
	exchange(t, one, "tcp4", "node2:7", 1<<20)
	for range 2 {
		if err := c.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	if s := c.Stats(); s.Dropped != 0 || s.Packets < 2*count || s.Bytes < 2<<20 {
		t.Errorf("captured %+v", s)
	}

	r, err := pcapgo.NewNgReader(&file, pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for {
		data, ci, err := r.ReadPacketData()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if age := time.Since(ci.Timestamp); age < 0 || age > time.Minute {
			t.Fatalf("a packet %v old", age)
		}
		p := gopacket.NewPacket(data, layers.LayerTypeEthernet, gopacket.Default)
		if udp, ok := p.TransportLayer().(*layers.UDP); ok {
			seen[fmt.Sprintf("%d %s", min(udp.SrcPort, 8), udp.Payload)]++
		}
	}
	for i := range count {
		for _, want := range []string{fmt.Sprintf("8 datagram %d", i), fmt.Sprintf("7 datagram %d", i)} {
			if seen[want] != 1 {
				t.Fatalf("%q: captured %d times", want, seen[want])
			}
		}
	}
}

// TestCaptureEnds removes the node, closes the network, and breaks the file
// under a capture.
func TestCaptureEnds(t *testing.T) {
	n := newNetwork(t, "node1", "node2")
	c1, err := node(t, n, "node1").Capture(t.Context(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	c2, err := node(t, n, "node2").Capture(t.Context(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	r, w := io.Pipe()
	c3, err := func() (*Capture, error) {
		go func() { // takes the header and no more
			_, _ = r.Read(make([]byte, 1<<20))
			_ = r.Close()
		}()
		return n.Clients().Capture(t.Context(), w)
	}()
	if err != nil {
		t.Fatal(err)
	}
	if c, err := n.Clients().DialContext(t.Context(), "udp", "node2:7"); err == nil {
		_, _ = c.Write([]byte("x"))
		_ = c.Close()
	}
	if err := n.RemoveNode(t.Context(), "node1"); err != nil {
		t.Fatal(err)
	}
	if err := c1.Stop(); err != nil {
		t.Errorf("capture of a removed node: %v", err)
	}
	if err := c3.Stop(); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("capture to a broken file: %v", err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c2.Stop(); err != nil {
		t.Errorf("capture of a closed network: %v", err)
	}
}
