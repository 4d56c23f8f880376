package xdpfault

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestFaults shows each fault on real traffic, on both hooks.
func TestFaults(t *testing.T) {
	requireRoot(t)
	for _, hook := range []Hook{HookTC, HookXDP} {
		t.Run(hook.String(), func(t *testing.T) {
			for _, c := range []struct {
				name string
				run  func(*testing.T, *fabric)
			}{
				{"delay", testDelay},
				{"delay keeps TCP whole", testDelayTCP},
				{"jitter", testJitter},
				{"delay ends", testDelayEnds},
				{"cut while delayed", testCutWhileDelayed},
				{"rate", testRate},
				{"queue", testQueue},
				{"corrupt", testCorrupt},
				{"corrupt undetected", testCorruptUndetected},
				{"corrupt TCP", testCorruptTCP},
				{"duplicate", testDuplicate},
				{"reorder", testReorder},
				{"flap", testFlap},
				{"compose", testCompose},
				{"segments", testSegments},
				{"UDP segments", testUDPSegments},
				{"same seed", testSameSeed},
			} {
				t.Run(c.name, func(t *testing.T) { c.run(t, newFabric(t, hook, 5)) })
			}
		})
	}
}

// stream sends n numbered datagrams of size bytes from a to b and gives what
// arrives, until nothing has for quiet.
func (f *fabric) stream(a, b, n, size int, v6 bool, quiet time.Duration) [][]byte {
	f.t.Helper()
	src, dst := f.nodes[a].ip, f.nodes[b].ip
	if v6 {
		src, dst = f.nodes[a].ip6, f.nodes[b].ip6
	}
	in, out := f.nodes[b].listenUDP(f.t, dst, 4000), f.nodes[a].listenUDP(f.t, src, 0)
	defer in.Close()
	defer out.Close()
	got := make(chan []byte, n*2+16)
	go func() {
		buf := make([]byte, 65536)
		for {
			k, _, err := in.ReadFromUDP(buf)
			if err != nil {
				close(got)
				return
			}
			got <- slices.Clone(buf[:k])
		}
	}()
	to := &net.UDPAddr{IP: dst.AsSlice(), Port: 4000}
	for i := range n {
		if _, err := out.WriteToUDP(numbered(i, size), to); err != nil {
			f.t.Fatal(err)
		}
		if i%50 == 49 {
			time.Sleep(200 * time.Microsecond) // paces the sender
		}
	}
	var all [][]byte
	timer := time.NewTimer(quiet)
	defer timer.Stop()
	for {
		select {
		case data := <-got:
			all = append(all, data)
			timer.Reset(quiet)
		case <-timer.C:
			return all
		}
	}
}

// numbered is a payload that starts with i and repeats it.
func numbered(i, size int) []byte {
	data := make([]byte, size)
	for at := 0; at+8 <= size; at += 8 {
		binary.BigEndian.PutUint64(data[at:], uint64(i))
	}
	return data
}

func number(data []byte) int { return int(binary.BigEndian.Uint64(data)) }

// oneWay measures the time from a to b of n datagrams, one at a time.
func (f *fabric) oneWay(a, b, n int) []time.Duration {
	f.t.Helper()
	in, out := f.nodes[b].listenUDP(f.t, f.nodes[b].ip, 4000), f.nodes[a].listenUDP(f.t, f.nodes[a].ip, 0)
	defer in.Close()
	defer out.Close()
	to := &net.UDPAddr{IP: f.nodes[b].ip.AsSlice(), Port: 4000}
	var times []time.Duration
	buf := make([]byte, 64)
	for i := range n {
		begin := time.Now()
		if _, err := out.WriteToUDP(numbered(i, 16), to); err != nil {
			f.t.Fatal(err)
		}
		if err := in.SetReadDeadline(begin.Add(5 * time.Second)); err != nil {
			f.t.Fatal(err)
		}
		if _, _, err := in.ReadFromUDP(buf); err != nil {
			f.t.Fatalf("datagram %d: %v", i, err)
		}
		times = append(times, time.Since(begin))
	}
	slices.Sort(times)
	return times
}

func testDelay(t *testing.T, f *fabric) {
	for _, by := range []time.Duration{time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond} {
		h := f.apply(Rule{Links: []Link{{2, 3}}, Action: Delay{By: by}})
		n, rounds := int(min(200, time.Second/by)), 0
		var got []time.Duration
		for late := true; late && rounds < 3; rounds++ { // a busy machine makes it later
			got = f.oneWay(2, 3, n)
			late = got[n/2]-by > 2*time.Millisecond
		}
		if got[0] < by {
			t.Errorf("%s: one datagram took only %s", by, got[0])
		}
		if late := got[n/2] - by; late > 2*time.Millisecond {
			t.Errorf("%s: the median is %s late", by, late)
		}
		t.Logf("%s: median +%s, p99 +%s", by, got[n/2]-by, got[n*99/100]-by)
		if back := f.oneWay(3, 2, 5); back[2] > by && by > time.Millisecond {
			t.Errorf("%s: the way back took %s", by, back[2])
		}
		if r := h.Receipt(); r.Delayed.Packets != uint64(n*rounds) || r.Matched != r.Delayed {
			t.Errorf("%s: receipt %v, want %d delayed", by, r, n*rounds)
		}
		f.heal(h)
		if again := f.oneWay(2, 3, 5); again[2] > by && by > time.Millisecond {
			t.Errorf("%s: after healing it took %s", by, again[2])
		}
	}
}

// testDelayTCP sends large segments of random bytes over both IP versions.
func testDelayTCP(t *testing.T, f *fabric) {
	for _, v6 := range []bool{false, true} {
		h := f.apply(Rule{Links: both(2, 3), Action: Delay{By: 5 * time.Millisecond}})
		begin := time.Now()
		f.transfer(2, 3, 8<<20, v6)
		t.Logf("8 MiB in %s (IPv6 %v)", time.Since(begin), v6)
		if r := h.Receipt(); r.Delayed.Bytes < 8<<20 {
			t.Errorf("receipt: %v, want at least 8 MiB delayed", r)
		}
		f.heal(h)
		if s := f.snmp(3, "Udp", "InCsumErrors") + f.snmp(3, "Tcp", "InCsumErrors"); s != 0 {
			t.Errorf("%d checksum errors", s)
		}
	}
}

// transfer sends n patterned bytes over TCP and demands that they arrive unchanged.
func (f *fabric) transfer(a, b, n int, v6 bool) {
	f.t.Helper()
	addr := f.nodes[b].ip
	if v6 {
		addr = f.nodes[b].ip6
	}
	l := f.nodes[b].listenTCP(f.t, addr, 0)
	defer l.Close()
	want := make([]byte, n)
	for i := 0; i+8 <= n; i += 8 {
		binary.LittleEndian.PutUint64(want[i:], mix64(uint64(i)))
	}
	result := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			result <- err
			return
		}
		defer c.Close()
		if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
			result <- err
			return
		}
		var got bytes.Buffer
		_, err = got.ReadFrom(c)
		if err == nil && !bytes.Equal(got.Bytes(), want) {
			err = fmt.Errorf("%d bytes arrived, not the %d that were sent", got.Len(), n)
		}
		result <- err
	}()
	c, err := f.nodes[a].dialTCP(l.Addr(), net.Dialer{Timeout: 10 * time.Second})
	if err != nil {
		f.t.Fatal(err)
	}
	if _, err := c.Write(want); err != nil {
		f.t.Error(err)
	}
	if err := c.Close(); err != nil {
		f.t.Error(err)
	}
	if err := <-result; err != nil {
		f.t.Errorf("transfer %d→%d: %v", a, b, err)
	}
}

// snmp reads a counter of a node's kernel.
func (f *fabric) snmp(node int, proto, name string) (value int) {
	f.t.Helper()
	err := f.nodes[node].ns.Do(func() error {
		data, err := os.ReadFile("/proc/thread-self/net/snmp")
		var names []string
		for line := range strings.Lines(string(data)) {
			fields := strings.Fields(line)
			if fields[0] != proto+":" {
				continue
			}
			if names == nil {
				names = fields
				continue
			}
			_, err := fmt.Sscan(fields[slices.Index(names, name)], &value)
			return err
		}
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return value
}

func testJitter(t *testing.T, f *fabric) {
	const by, jitter = 20 * time.Millisecond, 15 * time.Millisecond
	h := f.apply(Rule{Links: []Link{{2, 3}}, Action: Delay{By: by, Jitter: jitter}})
	got := f.oneWay(2, 3, 30)
	if got[0] < by-jitter || got[25]-got[4] < jitter/2 {
		t.Errorf("from %s to %s: want them spread over %s ± %s", got[0], got[29], by, jitter)
	}
	if n := inversions(f.stream(2, 3, 500, 64, false, 100*time.Millisecond)); n != 0 {
		t.Errorf("jitter reordered %d packets", n)
	}
	f.heal(h)
}

func inversions(got [][]byte) (n int) {
	high := -1
	for _, data := range got {
		if number(data) < high {
			n++
		}
		high = max(high, number(data))
	}
	return n
}

// testDelayEnds heals a long delay: what waited goes at once, in order.
func testDelayEnds(t *testing.T, f *fabric) {
	h := f.apply(Rule{Links: []Link{{2, 3}}, Action: Delay{By: time.Minute}})
	s := newSink(f.nodes[3].listenUDP(t, f.nodes[3].ip, 4000))
	out := f.nodes[2].listenUDP(t, f.nodes[2].ip, 0)
	for i := range 10 {
		if _, err := out.WriteToUDP(numbered(i, 16), &net.UDPAddr{IP: f.nodes[3].ip.AsSlice(), Port: 4000}); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.settle(1, 50*time.Millisecond); got != 0 {
		t.Errorf("%d arrived before their time", got)
	}
	f.heal(h)
	if got := s.settle(10, time.Second); got != 10 {
		t.Errorf("%d of 10 arrived after healing", got)
	}
}

func testCutWhileDelayed(t *testing.T, f *fabric) {
	delay := f.apply(Rule{Links: []Link{{2, 3}}, Action: Delay{By: 100 * time.Millisecond}})
	s := newSink(f.nodes[3].listenUDP(t, f.nodes[3].ip, 4000))
	out := f.nodes[2].listenUDP(t, f.nodes[2].ip, 0)
	to := &net.UDPAddr{IP: f.nodes[3].ip.AsSlice(), Port: 4000}
	for i := range 10 {
		if _, err := out.WriteToUDP(numbered(i, 16), to); err != nil {
			t.Fatal(err)
		}
	}
	cut := f.drop(Link{2, 3})
	if got := s.settle(1, 250*time.Millisecond); got != 0 {
		t.Errorf("%d packets outlived the cut", got)
	}
	if r := cut.Receipt(); r.Dropped.Packets != 10 {
		t.Errorf("receipt of the cut: %v, want 10 dropped", r)
	}
	if st := f.engine.LinkStats(Link{2, 3}, Match{}); st.Sent.Packets != 10 || st.Arrived.Packets != 0 {
		t.Errorf("link: %+v, want 10 sent, none arrived", st)
	}
	f.heal(cut)
	_ = s.conn.Close()
	if got := f.stream(2, 3, 10, 16, true, time.Second); len(got) != 10 {
		t.Errorf("%d of 10 arrived after healing", len(got))
	}
	if st := f.engine.LinkStats(Link{2, 3}, Match{}); st.Sent.Packets != 20 || st.Arrived.Packets != 10 {
		t.Errorf("link: %+v, want 20 sent, 10 arrived", st)
	}
	f.heal(delay)
}

func testRate(t *testing.T, f *fabric) {
	for _, mbit := range []float64{1, 10, 100} {
		h := f.apply(Rule{Links: []Link{{2, 3}}, Action: Rate{BitsPerSecond: mbit * 1e6, Queue: 10000}})
		var got float64
		for range 3 { // a busy machine makes it slower, nothing makes it faster
			if got = f.rateOf(2, 3, int(mbit*1e6/8/1514/2)); got >= mbit*0.95 {
				break
			}
		}
		t.Logf("%g Mbit/s: got %.2f", mbit, got)
		if got < mbit*0.95 || got > mbit*1.05 {
			t.Errorf("%g Mbit/s: got %.2f", mbit, got)
		}
		f.heal(h)
	}
}

// rateOf sends n full packets at once and measures the Mbit/s of their arrival.
func (f *fabric) rateOf(a, b, n int) float64 {
	f.t.Helper()
	in, out := f.nodes[b].listenUDP(f.t, f.nodes[b].ip, 4000), f.nodes[a].listenUDP(f.t, f.nodes[a].ip, 0)
	defer in.Close()
	defer out.Close()
	begin := time.Now()
	go func() {
		for i := range n {
			_, _ = out.WriteToUDP(numbered(i, 1472), &net.UDPAddr{IP: f.nodes[b].ip.AsSlice(), Port: 4000})
		}
	}()
	buf := make([]byte, 2048)
	for i := range n {
		if err := in.SetReadDeadline(time.Now().Add(3 * time.Second)); err != nil {
			f.t.Fatal(err)
		}
		if _, _, err := in.ReadFromUDP(buf); err != nil {
			f.t.Fatalf("%d of %d arrived: %v", i, n, err)
		}
	}
	return float64(n) * 1514 * 8 / time.Since(begin).Seconds() / 1e6
}

func testQueue(t *testing.T, f *fabric) {
	h := f.apply(Rule{Links: []Link{{2, 3}}, Action: Rate{BitsPerSecond: 1e6, Queue: 8}})
	got := len(f.stream(2, 3, 50, 1000, false, 100*time.Millisecond))
	if got < 8 || got > 10 {
		t.Errorf("%d of 50 passed a queue of 8, want 8 to 10", got)
	}
	if r := h.Receipt(); int(r.Dropped.Packets) != 50-got || r.Delayed.Packets != 50 {
		t.Errorf("receipt: %v, want 50 delayed and %d of them dropped", r, 50-got)
	}
	f.heal(h)
}

func testCorrupt(t *testing.T, f *fabric) {
	const n = 2000
	for _, v6 := range []bool{false, true} {
		h := f.apply(Rule{Links: []Link{{2, 3}}, Action: Corrupt{Share: 0.1}})
		got := f.stream(2, 3, n, 256, v6, 50*time.Millisecond)
		r := h.Receipt()
		if r.Corrupted.Packets == 0 || len(got) != n-int(r.Corrupted.Packets) {
			t.Errorf("IPv6 %v: %d of %d arrived, receipt %v", v6, len(got), n, r)
		}
		within(t, int(r.Corrupted.Packets), n, 0.1)
		for _, data := range got {
			if !bytes.Equal(data, numbered(number(data), 256)) {
				t.Errorf("IPv6 %v: the application got changed data", v6)
				break
			}
		}
		if errs := f.snmp(3, "Udp", "InCsumErrors"); !v6 && errs != int(r.Corrupted.Packets) {
			t.Errorf("the receiver counted %d checksum errors, the receipt says %v", errs, r)
		}
		f.heal(h)
	}
}

func testCorruptUndetected(t *testing.T, f *fabric) {
	const n = 2000
	for _, v6 := range []bool{false, true} {
		h := f.apply(Rule{Links: []Link{{2, 3}}, Action: Corrupt{Share: 0.1, Undetected: true}})
		got := f.stream(2, 3, n, 255, v6, 50*time.Millisecond)
		if len(got) != n {
			t.Errorf("IPv6 %v: %d of %d arrived", v6, len(got), n)
		}
		changed := 0
		for i, data := range got {
			if !bytes.Equal(data, numbered(i, 255)) {
				changed++
			}
		}
		if r := h.Receipt(); changed != int(r.Corrupted.Packets) || changed == 0 {
			t.Errorf("IPv6 %v: %d changed, receipt %v", v6, changed, r)
		}
		f.heal(h)
	}
}

// testCorruptTCP: TCP repairs what the checksum detects.
func testCorruptTCP(t *testing.T, f *fabric) {
	h := f.apply(Rule{Links: both(2, 3), Action: Corrupt{Share: 0.01}})
	f.transfer(2, 3, 2<<20, false)
	r := h.Receipt()
	if errs := f.snmp(3, "Tcp", "InCsumErrors"); errs == 0 || r.Corrupted.Packets == 0 {
		t.Errorf("%d checksum errors, receipt %v", errs, r)
	}
	if per := r.Matched.Bytes / r.Matched.Packets; per > 1514 {
		t.Errorf("verdicts fell on %d bytes each, want wire packets", per)
	}
	f.heal(h)
}

func testDuplicate(t *testing.T, f *fabric) {
	const n = 2000
	h := f.apply(Rule{Links: []Link{{2, 3}}, Action: Duplicate{Share: 0.1}})
	got := f.stream(2, 3, n, 64, false, 50*time.Millisecond)
	r := h.Receipt()
	if len(got) != n+int(r.Duplicated.Packets) {
		t.Errorf("%d of %d arrived, receipt %v", len(got), n, r)
	}
	within(t, int(r.Duplicated.Packets), n, 0.1)
	if s := f.engine.LinkStats(Link{2, 3}, Match{}); int(s.Arrived.Packets) != len(got) {
		t.Errorf("link: %+v, want %d arrived", s, len(got))
	}
	f.heal(h)
}

func testReorder(t *testing.T, f *fabric) {
	const n = 2000
	h := f.apply(Rule{Links: []Link{{2, 3}}, Action: Reorder{Share: 0.05, By: 2 * time.Millisecond}})
	got := f.stream(2, 3, n, 64, false, 50*time.Millisecond)
	r := h.Receipt()
	if len(got) != n {
		t.Errorf("%d of %d arrived", len(got), n)
	}
	if late := inversions(got); late < int(r.Reordered.Packets)*8/10 || r.Reordered.Packets == 0 {
		t.Errorf("%d were overtaken, receipt %v", late, r)
	}
	f.heal(h)
}

func testFlap(t *testing.T, f *fabric) {
	h := f.apply(Rule{Links: []Link{{2, 3}}, Action: Flap{Every: 50 * time.Millisecond}})
	s := newSink(f.nodes[3].listenUDP(t, f.nodes[3].ip, 4000))
	out := f.nodes[2].listenUDP(t, f.nodes[2].ip, 0)
	to := &net.UDPAddr{IP: f.nodes[3].ip.AsSlice(), Port: 4000}
	sent := 0
	for begin := time.Now(); time.Since(begin) < 400*time.Millisecond; sent++ {
		if _, err := out.WriteToUDP(numbered(sent, 16), to); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond) // spreads them over the flaps
	}
	got := s.settle(sent, 50*time.Millisecond)
	if got < sent/3 || got > sent*2/3 {
		t.Errorf("%d of %d passed, want about half", got, sent)
	}
	if r := h.Receipt(); int(r.Dropped.Packets) != sent-got {
		t.Errorf("receipt: %v, want %d dropped", r, sent-got)
	}
	f.heal(h)
}

// testCompose: a second fault adds to the first, healing one leaves the other.
func testCompose(t *testing.T, f *fabric) {
	delay := f.apply(Rule{Links: []Link{{2, 3}}, Action: Delay{By: 20 * time.Millisecond}})
	more := f.apply(Rule{Links: []Link{{2, 3}}, Action: Delay{By: 10 * time.Millisecond}})
	if got := f.oneWay(2, 3, 5)[0]; got < 30*time.Millisecond {
		t.Errorf("two delays: %s, want 30ms", got)
	}
	f.heal(delay)
	if got := f.oneWay(2, 3, 5); got[0] < 10*time.Millisecond || got[2] > 20*time.Millisecond {
		t.Errorf("one delay left: %s, want 10ms", got[2])
	}
	loss := f.apply(Rule{Links: []Link{{2, 3}}, Action: Loss{Share: 0.5}})
	got := f.stream(2, 3, 1000, 64, false, 50*time.Millisecond)
	if r := loss.Receipt(); len(got) != 1000-int(r.Dropped.Packets) {
		t.Errorf("delay and loss: %d of 1000 arrived, receipt %v", len(got), r)
	}
	f.heal(more)
	got = f.stream(2, 3, 1000, 64, false, 50*time.Millisecond)
	if len(got) < 400 || len(got) > 600 {
		t.Errorf("loss alone: %d of 1000 arrived", len(got))
	}
	f.heal(loss)
	f.reach(2, 3, true)
}

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
		for _, data := range f.stream(2, 3, 500, 64, false, 50*time.Millisecond) {
			fmt.Fprintf(&b, "%d ", number(data))
		}
		return b.String()
	}
	first := lost(f)
	if second := lost(newFabric(t, f.engine.Hook(), 5)); first != second {
		t.Errorf("the same seed lost other packets:\n%s\n%s", first, second)
	}
}
