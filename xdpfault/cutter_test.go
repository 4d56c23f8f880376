package xdpfault

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// TestCutterReady: the first segments that are sent to a cutter are cut, all of
// them, and none is lost in a device that is not ready.
func TestCutterReady(t *testing.T) {
	requireRoot(t)
	f := newFabric(t, HookTC, 4)
	want := bytes.Repeat([]byte("segments"), 5000)
	for i := range 10 {
		h := f.apply(Rule{Links: []Link{{2, 3}}, Action: Loss{Share: 1e-9}})
		if got := f.sendSegmented(2, 3, want, 1400, i%2 == 1); !bytes.Equal(got, want) {
			t.Fatalf("round %d: %d of %d bytes arrived", i, len(got), len(want))
		}
		if r := h.Receipt(); r.Matched.Packets != 29 {
			t.Fatalf("round %d: receipt %v, want 29 wire packets", i, r)
		}
		f.heal(h)
		if err := f.engine.cutter.close(); err != nil {
			t.Fatal(err)
		}
		f.engine.cutter = nil
	}
}

// TestCutterOrder: datagrams that are sent alone and in segmented sends, by
// one socket, arrive in their order.
func TestCutterOrder(t *testing.T) {
	requireRoot(t)
	f := newFabric(t, HookTC, 4)
	f.apply(Rule{Links: []Link{{2, 3}}, Action: Loss{Share: 1e-9}})
	const size, each, rounds = 1000, 8, 100
	in, out := f.nodes[3].listenUDP(t, f.nodes[3].ip, 4000), f.nodes[2].listenUDP(t, f.nodes[2].ip, 0)
	defer in.Close()
	defer out.Close()
	to, next, expect := &net.UDPAddr{IP: f.nodes[3].ip.AsSlice(), Port: 4000}, 0, 0
	send := func(n int) {
		var data []byte
		for range n {
			data = append(data, numbered(next, size)...)
			next++
		}
		if err := sendSegments(out, to, data, size); err != nil {
			t.Fatal(err)
		}
	}
	buf := make([]byte, 2*size)
	for range rounds {
		send(each)
		send(1)
		send(each)
		send(1)
		for ; expect < next; expect++ {
			if err := in.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
				t.Fatal(err)
			}
			n, err := in.Read(buf)
			if err != nil {
				t.Fatalf("waiting for datagram %d: %v", expect, err)
			}
			if got := number(buf[:n]); got != expect {
				t.Fatalf("datagram %d arrived in place of %d", got, expect)
			}
		}
	}
}

// TestCutterFlows: from its first segments on, all packets of a flow go to the
// cutter, as what is not cut would overtake what is. No other packets go there.
func TestCutterFlows(t *testing.T) {
	requireRoot(t)
	f := newFabric(t, HookTC, 5)
	h := f.apply(Rule{Links: []Link{{2, 3}}, Action: Loss{Share: 1e-9}}, Rule{Links: []Link{{2, 4}}, Action: Delay{By: time.Millisecond}})
	const segments = 1400
	steps := []struct {
		what        string
		to, port    int
		gsoSize     int
		v6, goesCut bool
	}{
		{"a datagram", 3, 4000, 0, false, false},
		{"segments", 3, 4000, segments, false, true},
		{"a datagram after segments", 3, 4000, 0, false, true},
		{"one of another flow", 3, 4001, 0, false, false},
		{"segments by IPv6", 3, 4002, segments, true, true},
		{"a datagram after them", 3, 4002, 0, true, true},
		{"segments on a link with delay alone", 4, 4000, segments, false, false},
		{"segments on a link without a fault", 0, 4000, segments, false, false},
	}
	for _, s := range steps {
		if got := f.sentToCutter(2, s.to, s.port, s.gsoSize, s.v6); got != s.goesCut {
			t.Errorf("%s: sent to the cutter: %v", s.what, got)
		}
	}
	f.heal(h)
	if f.sentToCutter(2, 3, 4000, segments, false) {
		t.Error("segments after healing: sent to the cutter")
	}
}

// sentToCutter runs the verdict on a datagram, without sending it anywhere.
func (f *fabric) sentToCutter(a, b, port, gsoSize int, v6 bool) bool {
	f.t.Helper()
	from, to := f.nodes[a], f.nodes[b]
	src, dst := from.ip, to.ip
	if v6 {
		src, dst = from.ip6, to.ip6
	}
	in := skbContext{Ifindex: uint32(from.port.IfIndex), GSOSize: uint32(gsoSize)}
	if gsoSize > 0 {
		in.GSOSegs = 2
	}
	var after skbContext
	err := f.sw.Do(func() error {
		code, err := f.engine.prog.BrineTc.Run(&ebpf.RunOptions{Data: datagram(src, dst, port, 2000), Context: in, ContextOut: &after})
		if err == nil && code != tcRedirect {
			err = fmt.Errorf("the verdict is %d", code)
		}
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	if after.Mark != 0 && after.Mark != uint32(a+1) {
		f.t.Errorf("mark %d", after.Mark)
	}
	return after.Mark != 0
}

const tcRedirect = 7 // TC_ACT_REDIRECT

// skbContext is struct __sk_buff of linux/bpf.h.
type skbContext struct {
	_, _, Mark uint32
	_          [7]uint32
	Ifindex    uint32
	_          [30]uint32
	GSOSegs    uint32
	_          [2]uint32
	GSOSize    uint32
	_          [3]uint32
}

// datagram is an IPv4 or IPv6 frame with a UDP header and so many bytes.
func datagram(src, dst netip.Addr, port, size int) []byte {
	order := binary.BigEndian
	frame := make([]byte, 12, 14+40+8+size)
	if src.Is4() {
		frame = order.AppendUint16(frame, unix.ETH_P_IP)
		frame = append(frame, 0x45, 0)
		frame = order.AppendUint16(frame, uint16(20+8+size))
		frame = append(frame, 0, 0, 0, 0, 64, unix.IPPROTO_UDP, 0, 0)
	} else {
		frame = order.AppendUint16(frame, unix.ETH_P_IPV6)
		frame = append(frame, 0x60, 0, 0, 0)
		frame = order.AppendUint16(frame, uint16(8+size))
		frame = append(frame, unix.IPPROTO_UDP, 64)
	}
	frame = append(append(frame, src.AsSlice()...), dst.AsSlice()...)
	for _, v := range []int{5000, port, 8 + size, 0} {
		frame = order.AppendUint16(frame, uint16(v))
	}
	return append(frame, make([]byte, size)...)
}
