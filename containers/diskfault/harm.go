package diskfault

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/bits"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// harms are the rules in force in a server.
type harms struct {
	mu     sync.Mutex // of writers
	active atomic.Pointer[[]*harm]
	calls  counters // all calls, touched or not
}

// harm is one rule in force.
type harm struct {
	Rule
	id     string
	ops    opSet
	drawn  atomic.Uint64 // matching calls so far
	count  counters
	healed chan struct{}
}

// counters of calls by operation.
type counters struct {
	calls       [64]atomic.Uint64
	bytes       atomic.Uint64
	first, last atomic.Int64
}

func (c *counters) receipt() Receipt {
	r := Receipt{Calls: map[Op]uint64{}, Bytes: c.bytes.Load(), First: c.first.Load(), Last: c.last.Load()}
	for i, op := range allOps {
		if n := c.calls[i].Load(); n > 0 {
			r.Calls[op] = n
		}
	}
	return r
}

func (c *counters) touch(op Op, n int) {
	now := monotonic()
	c.first.CompareAndSwap(0, now)
	c.last.Store(now)
	c.calls[opIndex[op]].Add(1)
	c.bytes.Add(uint64(n))
}

func monotonic() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return 0
	}
	return ts.Nano()
}

func (h *harms) list() []*harm {
	if p := h.active.Load(); p != nil {
		return *p
	}
	return nil
}

func (h *harms) add(id string, r Rule) {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := append(append([]*harm(nil), h.list()...), &harm{Rule: r, id: id, ops: setOf(r.Ops), healed: make(chan struct{})})
	h.active.Store(&all)
}

// remove ends a rule and the waits for it; nil when there is none of that id.
func (h *harms) remove(id string) *harm {
	h.mu.Lock()
	defer h.mu.Unlock()
	var rest []*harm
	var found *harm
	for _, a := range h.list() {
		if a.id == id {
			found = a
			continue
		}
		rest = append(rest, a)
	}
	if found == nil {
		return nil
	}
	if len(rest) == 0 {
		h.active.Store(nil)
	} else {
		h.active.Store(&rest)
	}
	close(found.healed)
	return found
}

func (h *harms) get(id string) *harm {
	for _, a := range h.list() {
		if a.id == id {
			return a
		}
	}
	return nil
}

// full tells whether a rule lets nothing be written for lack of space.
func (h *harms) full() bool {
	for _, a := range h.list() {
		if a.Errno == syscall.ENOSPC && a.Share == 0 && a.Path == "" && a.ops.has(OpWrite) {
			return true
		}
	}
	return false
}

// verdict is what is to become of one call.
type verdict struct {
	errno syscall.Errno
	torn  bool
	flip  int
	draw  uint64 // where to tear and flip
}

// judge says what becomes of a call about n bytes, having waited as rules tell.
// paths yields the paths that the call names; it is called when a rule asks.
func (h *harms) judge(ctx context.Context, op Op, n int, paths ...func() string) verdict {
	h.calls.calls[opIndex[op]].Add(1)
	var v verdict
	for _, a := range h.list() {
		if !a.ops.has(op) || !a.matches(paths) {
			continue
		}
		draw, hit := a.draw()
		if !hit {
			continue
		}
		a.count.touch(op, n)
		if a.Delay > 0 && !a.wait(ctx) {
			return verdict{errno: syscall.EINTR}
		}
		if a.isHealed() {
			continue
		}
		if v.errno == 0 {
			v.errno = a.Errno
		}
		if (a.Torn && op == OpWrite) || (a.Flip > 0 && op == OpRead) {
			v.torn, v.flip, v.draw = a.Torn, a.Flip, draw
		}
	}
	return v
}

func (a *harm) matches(paths []func() string) bool {
	if a.Path == "" {
		return true
	}
	for _, p := range paths {
		if matchPath(a.Path, p()) {
			return true
		}
	}
	return false
}

// draw decides on the next matching call: the same calls in the same order get
// the same decisions for a seed.
func (a *harm) draw() (uint64, bool) {
	k := a.drawn.Add(1)
	x := mix(a.Seed + k*0x9e3779b97f4a7c15)
	if a.Share == 0 || a.Share == 1 {
		return x, true
	}
	return mix(x), float64(x>>11)/(1<<53) < a.Share
}

// mix is the output function of SplitMix64 (Steele, Lea, Flood, 2014).
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// wait waits as the rule says; false when the caller is being killed. Of a signal, a
// pause or a tracer that interrupts the call the kernel tells the same way, and only
// once; a disk lets none of them end a call, least of all a sync.
func (a *harm) wait(ctx context.Context) bool {
	t := time.NewTimer(a.Delay)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-a.healed:
		return true
	case <-ctx.Done():
	}
	look := time.NewTicker(lookTime)
	defer look.Stop()
	for !dying(ctx) {
		select {
		case <-t.C:
			return true
		case <-a.healed:
			return true
		case <-look.C:
		}
	}
	return false
}

// lookTime is how often a call that was interrupted looks whether its caller is
// being killed.
const lookTime = 10 * time.Millisecond

// dying tells whether the thread that makes a call has SIGKILL pending, or is gone.
func dying(ctx context.Context) bool {
	caller, ok := fuse.FromContext(ctx)
	if !ok || caller.Pid == 0 {
		return false // not to be seen from here
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", caller.Pid))
	if err != nil {
		return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH)
	}
	for line := range strings.Lines(string(text)) {
		name, mask, _ := strings.Cut(strings.TrimSpace(line), ":\t")
		if name != "SigPnd" && name != "ShdPnd" {
			continue
		}
		if pending, err := strconv.ParseUint(mask, 16, 64); err == nil && pending&(1<<(syscall.SIGKILL-1)) != 0 {
			return true
		}
	}
	return false
}

func (a *harm) isHealed() bool {
	select {
	case <-a.healed:
		return true
	default:
		return false
	}
}

// sector is what a disk writes whole.
const sector = 512

// tear is how much of a write of n bytes reaches the disk: fewer sectors than
// there are.
func (v verdict) tear(n int) int {
	sectors := uint64((n + sector - 1) / sector)
	if sectors == 0 {
		return 0
	}
	return int(v.draw%sectors) * sector
}

// flipBits flips bits of what was read.
func (v verdict) flipBits(data []byte) {
	if len(data) == 0 {
		return
	}
	x := v.draw
	for range v.flip {
		at, _ := bits.Mul64(x, uint64(len(data))*8)
		data[at/8] ^= 1 << (at % 8)
		x = mix(x + 0x9e3779b97f4a7c15)
	}
}
