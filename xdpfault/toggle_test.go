package xdpfault

import (
	"encoding/binary"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestToggles puts rules on and off a hundred times under live traffic. Of
// numbered datagrams each one arrives once or is in a receipt, and TCP both
// ways loses no byte, while the link's segments go through the cutter and past it.
func TestToggles(t *testing.T) {
	requireRoot(t)
	n, size := 20_000, 1<<20
	if os.Getenv("BRINE_LONG") != "" {
		n, size = 1_000_000, 32<<20
	}
	for _, hook := range []Hook{HookTC, HookXDP} {
		t.Run(hook.String(), func(t *testing.T) {
			f := newFabric(t, hook, 5)
			t.Run("UDP", func(t *testing.T) { f.toggleUnderUDP(t, n) })
			t.Run("TCP", func(t *testing.T) { f.toggleUnderTCP(size) })
		})
	}
}

const toggles = 100

// toggled are rules of which one is on at a time: such as need wire packets, a
// cut, and one that sends packets through the delay line and takes none.
var toggled = []Action{Loss{Share: 0.2}, Drop{}, Duplicate{Share: 0}, Loss{Share: 0.05, Burst: 4}, Delay{}}

func (f *fabric) toggleUnderUDP(t *testing.T, n int) {
	in, out := f.nodes[3].listenUDP(t, f.nodes[3].ip, 4000), f.nodes[2].listenUDP(t, f.nodes[2].ip, 0)
	defer in.Close()
	defer out.Close()
	got := make([]atomic.Uint32, n)
	var arrived atomic.Int64
	go func() {
		buf := make([]byte, 64)
		for {
			k, err := in.Read(buf)
			if err != nil {
				return
			}
			if i := binary.BigEndian.Uint64(buf); k == 16 && i < uint64(n) {
				got[i].Add(1)
				arrived.Add(1)
			}
		}
	}()
	var dropped atomic.Uint64
	f.whileToggling(func() {
		to := &net.UDPAddr{IP: f.nodes[3].ip.AsSlice(), Port: 4000}
		for i := range n {
			if _, err := out.WriteToUDP(numbered(i, 16), to); err != nil {
				t.Error(err)
				return
			}
			if i%64 == 63 { // no faster than the receiver takes them
				time.Sleep(50 * time.Microsecond)
			}
		}
	}, &dropped)
	for deadline := time.Now().Add(5 * time.Second); uint64(arrived.Load())+dropped.Load() < uint64(n) && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond) // between two looks at what the reader has
	}
	for i := range got {
		if c := got[i].Load(); c > 1 {
			t.Fatalf("datagram %d arrived %d times", i, c)
		}
	}
	t.Logf("%d sent, %d arrived, %d dropped", n, arrived.Load(), dropped.Load())
	if uint64(arrived.Load())+dropped.Load() != uint64(n) || dropped.Load() == 0 || arrived.Load() == 0 {
		t.Errorf("%d sent, %d arrived and %d are in receipts", n, arrived.Load(), dropped.Load())
	}
}

// toggleUnderTCP goes on with transfers until all toggles were made.
func (f *fabric) toggleUnderTCP(size int) {
	var dropped atomic.Uint64
	done := make(chan struct{})
	var transfers sync.WaitGroup
	for _, way := range []Link{{2, 3}, {3, 2}} {
		transfers.Go(func() {
			for {
				f.transfer(way.From, way.To, size, way.From == 3)
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	f.whileToggling(func() {}, &dropped)
	close(done)
	transfers.Wait()
}

// whileToggling applies and heals rules on the link 2→3 while work goes on,
// and adds up what their receipts say was dropped.
func (f *fabric) whileToggling(work func(), dropped *atomic.Uint64) {
	f.t.Helper()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		work()
	}()
	for i := 0; ; i++ {
		h := f.apply(Rule{Links: []Link{{2, 3}}, Action: toggled[i%len(toggled)]})
		time.Sleep(500 * time.Microsecond) // some packets' time
		f.heal(h)
		defer func() { dropped.Add(h.Receipt().Dropped.Packets) }()
		if i < toggles {
			continue
		}
		select {
		case <-ended:
			return
		default:
		}
	}
}
