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
	keepUp := f.pace(a, b)
	for i := range n {
		if _, err := out.WriteToUDP(numbered(i, size), to); err != nil {
			f.t.Fatal(err)
		}
		if i%50 == 49 {
			keepUp(i + 1)
			time.Sleep(200 * time.Microsecond) // lets the receiver read, too
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

func testCorrupt(t *testing.T, f *fabric) {
	const n = 2000
	for _, v6 := range []bool{false, true} {
		h := f.apply(Rule{Links: []Link{{2, 3}}, Action: Corrupt{Share: 0.1}})
		got := f.stream(2, 3, n, 256, v6, quiet)
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
		got := f.stream(2, 3, n, 255, v6, quiet)
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
	got := f.stream(2, 3, n, 64, false, quiet)
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
	got := s.settle(sent, quiet)
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
	got := f.stream(2, 3, 1000, 64, false, quiet)
	if r := loss.Receipt(); len(got) != 1000-int(r.Dropped.Packets) {
		t.Errorf("delay and loss: %d of 1000 arrived, receipt %v", len(got), r)
	}
	f.heal(more)
	got = f.stream(2, 3, 1000, 64, false, quiet)
	if len(got) < 400 || len(got) > 600 {
		t.Errorf("loss alone: %d of 1000 arrived", len(got))
	}
	f.heal(loss)
	f.reach(2, 3, true)
}
