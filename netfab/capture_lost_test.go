package netfab

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// frameOf is a frame whose link addresses are those of a place.
func frameOf(place byte, payload string) []byte {
	return append(bytes.Repeat([]byte{place}, 12), payload...)
}

// A loss marks the last packet like it that the node sent before, whatever
// came in between; one without such a packet is entered by itself.
func TestHoldMarksLosses(t *testing.T) {
	var h hold
	begin := time.Now()
	at := func(ms int) time.Time { return begin.Add(time.Duration(ms) * time.Millisecond) }
	add := func(ms int, payload string, out bool) {
		data := frameOf(1, payload)
		h.add(gopacket.CaptureInfo{Timestamp: at(ms), CaptureLength: len(data), Length: len(data)}, data, out)
	}
	lose := func(ms int, payload string, out bool, why string) {
		h.tell(LostPacket{At: at(ms), Frame: frameOf(2, payload), Length: 12 + len(payload), Outbound: out, Why: why})
	}
	add(0, "same", true)
	add(10, "same", false)
	add(20, "same", true)
	add(30, "same", true)
	add(40, "other", true)
	lose(21, "same", true, "second")
	lose(45, "same", true, "third")
	lose(46, "inbound", false, "never came")
	lose(47, "unseen", true, "captured too late")
	if h.settle(at(50)); h.next(at(50)) != nil {
		t.Error("written while a loss could still be told")
	}
	var got []string
	for ms := 51; ms < 400; ms += 7 {
		h.settle(at(ms))
		for p := h.next(at(ms)); p != nil; p = h.next(at(ms)) {
			got = append(got, fmt.Sprintf("%s %s", p.data[12:], p.why))
		}
	}
	want := []string{"same ", "same ", "same second", "same third", "other ", "inbound never came", "unseen captured too late"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if len(h.packets)+len(h.extra)+len(h.like)+len(h.told) > 0 {
		t.Errorf("left: %d packets, %d losses", len(h.packets)+len(h.extra), len(h.told))
	}
}

// TestCaptureEntersLosses finds the comment in the file. What is neither from nor to the node is not captured.
func TestCaptureEntersLosses(t *testing.T) {
	n := newNetwork(t, "node1")
	one := node(t, n, "node1")
	var file bytes.Buffer
	c, err := one.Capture(t.Context(), &file)
	if err != nil {
		t.Fatal(err)
	}
	c.Lost(LostPacket{At: time.Now(), Frame: frameOf(3, "\x08\x00"), Length: 99, Why: "node1 isolated"})
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	r, err := pcapgo.NewNgReader(&file, pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	if r.LinkType() != layers.LinkTypeEthernet {
		t.Error(r.LinkType())
	}
	found := false
	for range c.Stats().Packets { // the kernel has its own to say
		_, ci, options, err := r.ReadPacketDataWithOptions()
		if err != nil {
			t.Fatal(err)
		}
		found = found || ci.Length == 99 && len(options.Comments) == 1 && options.Comments[0] == "node1 isolated"
	}
	if s := c.Stats(); s.Lost != 1 || !found {
		t.Errorf("%+v, found: %v", s, found)
	}
	probed := Capture{node: one}
	probed.take(frameOf(4, "\x08\x00 a probe"), gopacket.CaptureInfo{Timestamp: time.Now()})
	if len(probed.held.packets) > 0 {
		t.Error("a packet of others was captured")
	}
}
