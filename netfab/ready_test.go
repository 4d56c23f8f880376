package netfab

import (
	"testing"
	"time"
)

// TestFirstPacket sends one datagram each way and family the moment that the
// nodes are there, one made with the network and one added, in many networks:
// none may be lost.
func TestFirstPacket(t *testing.T) {
	for range 30 {
		n := newNetwork(t, "node1")
		if _, err := n.AddNodes(t.Context(), "node2"); err != nil {
			t.Fatal(err)
		}
		one, two := node(t, n, "node1"), node(t, n, "node2")
		for _, way := range []struct {
			from, to *Node
			network  string
		}{{one, two, "udp6"}, {two, one, "udp4"}, {one, n.Clients(), "udp4"}, {n.Clients(), one, "udp6"}} {
			pc, err := way.to.ListenPacket(t.Context(), way.network, way.to.Name+":9")
			if err != nil {
				t.Fatal(err)
			}
			c, err := way.from.DialContext(t.Context(), way.network, way.to.Name+":9")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
			if err := pc.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
				t.Fatal(err)
			}
			if _, _, err := pc.ReadFrom(make([]byte, 1)); err != nil {
				t.Fatalf("%s to %s: the first datagram: %v", way.from.Name, way.to.Name, err)
			}
			_, _ = c.Close(), pc.Close()
		}
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
