package xdpfault

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// testSegments: while a share acts, verdicts fall on wire packets, also of
// connections that were open before; afterwards the sender is as it was.
func testSegments(t *testing.T, f *fabric) {
	offloads := func() (on string) {
		err := f.nodes[2].ns.Do(func() error {
			bits, err := segmentationBits("eth0")
			if err != nil {
				return err
			}
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				return err
			}
			defer unix.Close(fd)
			active, err := activeFeatures(fd, "eth0")
			for _, bit := range bits {
				on += fmt.Sprint(bit, active.has(bit), " ")
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return on
	}
	before := offloads()
	if f.engine.Hook() == HookTC && !strings.Contains(before, "true") {
		t.Fatalf("no offload is on: %s", before)
	}
	first := f.apply(Rule{Links: []Link{{2, 3}}, Action: Loss{Share: 0.001}})
	second := f.apply(Rule{Links: []Link{{2, All}}, Action: Duplicate{Share: 0.001}})
	f.transfer(2, 3, 4<<20, false)
	for _, h := range []*Handle{first, second} {
		if r := h.Receipt(); r.Matched.Bytes/r.Matched.Packets > 1514 {
			t.Errorf("verdicts fell on more than wire packets: %v", r)
		}
	}
	f.heal(first)
	if got := offloads(); f.engine.Hook() == HookTC && strings.Contains(got, "true") {
		t.Errorf("wire mode ended with the first of two rules: %s", got)
	}
	f.heal(second)
	if got := offloads(); got != before {
		t.Errorf("offloads after healing: %s, before: %s", got, before)
	}
}

// testUDPSegments sends datagrams in one segmented send, with a trailing short
// one, through the delay line, and under loss.
func testUDPSegments(t *testing.T, f *fabric) {
	const size, n = 1400, 30
	want := make([]byte, size*n-100)
	for i := 0; i+8 <= len(want); i += 8 {
		binary.LittleEndian.PutUint64(want[i:], mix64(uint64(i)))
	}
	for _, v6 := range []bool{false, true} {
		for name, rule := range map[string]Rule{
			"plain": {Links: []Link{{4, 3}}, Action: Drop{}},
			"delay": {Links: []Link{{2, 3}}, Action: Delay{By: 2 * time.Millisecond}},
			"loss":  {Links: []Link{{2, 3}}, Action: Loss{Share: 1e-9}},
			"rate":  {Links: []Link{{2, 3}}, Action: Rate{BitsPerSecond: 1e9}},
		} {
			h := f.apply(rule)
			before := f.engine.LinkStats(Link{2, 3}, Match{})
			got := f.sendSegmented(2, 3, want, size, v6)
			if !bytes.Equal(got, want) {
				t.Errorf("%s, IPv6 %v: %d bytes arrived, not the %d sent", name, v6, len(got), len(want))
			}
			if r := h.Receipt(); name != "plain" && r.Matched.Packets != n {
				t.Errorf("%s, IPv6 %v: receipt %v, want %d wire packets", name, v6, r, n)
			}
			after := f.engine.LinkStats(Link{2, 3}, Match{})
			if sent, arrived := after.Sent.Packets-before.Sent.Packets, after.Arrived.Packets-before.Arrived.Packets; sent != n || arrived != n {
				t.Errorf("%s, IPv6 %v: link: %d sent, %d arrived, want %d", name, v6, sent, arrived, n)
			}
			f.heal(h)
		}
	}
	if errs := f.snmp(3, "Udp", "InCsumErrors"); errs != 0 {
		t.Errorf("%d checksum errors", errs)
	}
}

// sendSegmented sends data in one call as datagrams of size, and gives what arrives.
func (f *fabric) sendSegmented(a, b int, data []byte, size int, v6 bool) []byte {
	f.t.Helper()
	src, dst := f.nodes[a].ip, f.nodes[b].ip
	if v6 {
		src, dst = f.nodes[a].ip6, f.nodes[b].ip6
	}
	in, out := f.nodes[b].listenUDP(f.t, dst, 4000), f.nodes[a].listenUDP(f.t, src, 0)
	defer in.Close()
	defer out.Close()
	control := make([]byte, unix.CmsgSpace(2))
	h := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
	h.Level, h.Type = unix.SOL_UDP, unix.UDP_SEGMENT
	h.SetLen(unix.CmsgLen(2))
	binary.NativeEndian.PutUint16(control[unix.CmsgLen(0):], uint16(size))
	if _, _, err := out.WriteMsgUDP(data, control, &net.UDPAddr{IP: dst.AsSlice(), Port: 4000}); err != nil {
		f.t.Fatal(err)
	}
	var got []byte
	buf := make([]byte, 65536)
	for len(got) < len(data) {
		if err := in.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
			f.t.Fatal(err)
		}
		n, _, err := in.ReadFromUDP(buf)
		if err != nil {
			return got
		}
		got = append(got, buf[:n]...)
	}
	return got
}

// testSameSeed: the same seed and the same packets decide the same.
func testSameSeed(t *testing.T, f *fabric) {
	lost := func(f *fabric) string {
		var b strings.Builder
		f.apply(
			Rule{Links: []Link{{2, 3}}, Action: Loss{Share: 0.2}},
			Rule{Links: []Link{{2, 3}}, Action: Loss{Share: 0.1, Burst: 4}},
		)
		for _, data := range f.stream(2, 3, 500, 64, false, quiet) {
			fmt.Fprintf(&b, "%d ", number(data))
		}
		return b.String()
	}
	first := lost(f)
	if second := lost(newFabric(t, f.engine.Hook(), 5)); first != second {
		t.Errorf("the same seed lost other packets:\n%s\n%s", first, second)
	}
}
