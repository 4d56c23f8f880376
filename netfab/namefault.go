package netfab

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// NameFault is a way in which name resolution fails.
type NameFault int

const (
	// NamesServFail answers every question with SERVFAIL, at once.
	NamesServFail NameFault = iota + 1
	// NamesTimeOut answers nothing.
	NamesTimeOut
)

// NameHarm is harm on the questions that one node asks the name server, and
// those that dialling from that node asks. It lasts until healed.
type NameHarm struct {
	node   *Node
	fault  NameFault     // 0 for delay alone
	delay  time.Duration // before the answer
	healed chan struct{}
	once   sync.Once

	touched     atomic.Uint64
	first, last atomic.Int64
}

// nameFaults are the harms on one node's questions.
type nameFaults struct {
	mu   sync.RWMutex
	list []*NameHarm
}

// FailNames lets every question of this node fail until the harm is healed.
func (n *Node) FailNames(mode NameFault) *NameHarm { return n.harmNames(mode, 0) }

// SlowNames lets every question of this node wait for d before it is
// answered, until the harm is healed. Several delays add up.
func (n *Node) SlowNames(d time.Duration) *NameHarm { return n.harmNames(0, d) }

func (n *Node) harmNames(mode NameFault, d time.Duration) *NameHarm {
	h := &NameHarm{node: n, fault: mode, delay: d, healed: make(chan struct{})}
	n.faults.mu.Lock()
	defer n.faults.mu.Unlock()
	n.faults.list = append(n.faults.list[:len(n.faults.list):len(n.faults.list)], h)
	return h
}

// Heal ends the harm. Questions that wait because of it are answered at once.
// Healing twice is harmless.
func (h *NameHarm) Heal() error {
	h.once.Do(func() {
		f := &h.node.faults
		f.mu.Lock()
		defer f.mu.Unlock()
		var rest []*NameHarm
		for _, o := range f.list {
			if o != h {
				rest = append(rest, o)
			}
		}
		f.list = rest
		close(h.healed)
	})
	return nil
}

// Touched is how many questions the harm has acted on.
func (h *NameHarm) Touched() uint64 { return h.touched.Load() }

// Window is when the first and the last question was touched, in nanoseconds
// of CLOCK_MONOTONIC; 0 when none was.
func (h *NameHarm) Window() (first, last int64) { return h.first.Load(), h.last.Load() }

func (h *NameHarm) touch() {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) == nil {
		now := ts.Nano()
		h.first.CompareAndSwap(0, now)
		h.last.Store(now)
	}
	h.touched.Add(1)
}

// suffer makes one question of the node wait, and says how it fails: 0 for
// not at all. It returns early, with ctx's error, when ctx ends.
func (f *nameFaults) suffer(ctx context.Context) (NameFault, error) {
	f.mu.RLock()
	list := f.list
	f.mu.RUnlock()
	var worst NameFault
	for _, h := range list {
		h.touch()
		worst = max(worst, h.fault)
		if h.delay <= 0 {
			continue
		}
		t := time.NewTimer(h.delay)
		select {
		case <-t.C:
		case <-h.healed:
		case <-ctx.Done():
			t.Stop()
			return 0, ctx.Err()
		}
		t.Stop()
	}
	return worst, nil
}
