package xdpfault

import (
	"bytes"
	"encoding/binary"
	"sync"
	"testing"
	"time"
)

// witness collects what is told of lost packets.
type witness struct {
	mu   sync.Mutex
	lost []Lost
}

func (w *witness) tell(l Lost) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost = append(w.lost, l)
}

func watchPort(f *fabric, index int) (*witness, func() uint64) {
	f.t.Helper()
	w := &witness{}
	stop, err := f.engine.Watch(index, w.tell)
	if err != nil {
		f.t.Fatal(err)
	}
	return w, stop
}

// TestWatch: every packet of a watched port that a harm drops is told, with
// its bytes and its harm, and no other.
func TestWatch(t *testing.T) {
	requireRoot(t)
	for _, hook := range []Hook{HookTC, HookXDP} {
		t.Run(hook.String(), func(t *testing.T) {
			f := newFabric(t, hook, 5)
			from, stopFrom := watchPort(f, 2)
			to, stopTo := watchPort(f, 3)
			cut := f.drop(Link{2, 3}, Link{4, 3})
			if err := f.engine.Prove(t.Context(), cut); err != nil {
				t.Fatal(err)
			}
			f.burst(2, 3, 4000, 50, false)
			f.burst(4, 3, 4000, 30, true)
			f.burst(2, 4, 4000, 20, false)
			f.heal(cut)
			f.burst(2, 3, 4000, 10, false)
			if missed := stopFrom() + stopTo(); missed > 0 {
				t.Errorf("%d were missed", missed)
			}
			checkLost(t, from, 50, cut, []Link{{2, 3}})
			checkLost(t, to, 80, cut, []Link{{2, 3}, {4, 3}})
			f.burst(2, 3, 4000, 1, false)
			if len(from.lost) != 50 {
				t.Error("told after the watch ended")
			}
			for _, l := range from.lost {
				if !bytes.Equal(l.Frame[:6], f.nodes[3].port.PeerMAC) || !bytes.Equal(l.Frame[6:12], f.nodes[2].port.PeerMAC) {
					t.Fatalf("addresses % x", l.Frame[:12])
				}
				if n := binary.BigEndian.Uint16(l.Frame[16:]); int(n)+14 != l.Length || len(l.Frame) != l.Length {
					t.Fatalf("%d bytes told, %d in all, IP says %d", len(l.Frame), l.Length, n)
				}
			}
		})
	}
}

func checkLost(t *testing.T, w *witness, n int, by *Handle, links []Link) {
	t.Helper()
	if len(w.lost) != n {
		t.Errorf("%d lost packets told, want %d", len(w.lost), n)
	}
	for _, l := range w.lost {
		if l.By != by || time.Since(l.At) > time.Minute || time.Since(l.At) < 0 {
			t.Fatalf("lost at %s by %p, want by %p", l.At, l.By, by)
		}
		if l.Link != links[0] && l.Link != links[len(links)-1] {
			t.Fatalf("lost on %s", l.Link)
		}
	}
}

// Packets that a full queue drops, and those that a cut takes out of the delay
// line, are told as well.
func TestWatchLine(t *testing.T) {
	requireRoot(t)
	f := newFabric(t, HookTC, 4)
	w, stop := watchPort(f, 2)
	narrow := f.apply(Rule{Links: []Link{{2, 3}}, Action: Rate{BitsPerSecond: 1e5, Queue: 4}})
	if got := f.burst(2, 3, 4000, 20, false); got > 20 {
		t.Fatal(got)
	}
	full := narrow.Receipt().Dropped.Packets
	if full == 0 {
		t.Fatal("the queue dropped nothing")
	}
	f.heal(narrow)
	slow := f.apply(Rule{Links: []Link{{2, 3}}, Action: Delay{By: 500 * time.Millisecond}})
	f.burst(2, 3, 4000, 7, false)
	cut := f.drop(Link{2, 3})
	waitFor(t, func() bool { return cut.Receipt().Dropped.Packets == 7 })
	stop()
	f.heal(slow)
	f.heal(cut)
	by := map[*Handle]int{}
	for _, l := range w.lost {
		by[l.By]++
	}
	if by[narrow] != int(full) || by[cut] != 7 || len(w.lost) != int(full)+7 {
		t.Errorf("told %d by the queue, %d by the cut, %d in all; want %d and 7", by[narrow], by[cut], len(w.lost), full)
	}
	if _, err := f.engine.Watch(99, w.tell); err == nil {
		t.Error("watched a port that is not there")
	}
}

// waitFor polls until a state is reached.
func waitFor(t *testing.T, reached func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !reached(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("not reached within 5 s")
		}
	}
}
