package xdpfault

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// line is the delay line: a TAP in the switch namespace and one thread.
//
//	verdict ──divert──► TAP ──read──► rules move the due time ──► heap ──write──► TAP ingress ──► eth0
//
// Only packets of links with delay, rate, reordering or failing checksums
// come here. On release a program at the TAP's ingress looks whether the link
// has been cut meanwhile.
type line struct {
	fd      int
	wake    int // eventfd
	ifindex int
	prog    *ebpf.Program
	sets    []verdictRuleset // the kernel's, shared memory
	slots   [maxRules]atomic.Pointer[lineRule]
	lost    atomic.Pointer[func(link Link, rule uint32, frame []byte)] // told of what finds a queue full

	mu     sync.Mutex
	healed []*lineRule // packets that wait for these go at once
	stop   bool
	done   chan struct{}

	// below: the thread's own
	queue    lineQueue
	seq      uint64
	resolved map[handover][]*lineRule
	spare    [][]byte
	dropped  atomic.Uint64 // packets that the switch did not take back
}

const (
	lineBatch   = 128  // packets read between two looks at the clock
	smallPacket = 2048 // buffers of this size are used again
	maxSpare    = 4096
)

func newLine(ns NetNS, tc *tcHook, prog *ebpf.Program, sets []verdictRuleset) (_ *line, err error) {
	l := &line{fd: -1, wake: -1, prog: prog, sets: sets, done: make(chan struct{}), resolved: map[handover][]*lineRule{}}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("delay line: %w", err), l.closeFiles())
		}
	}()
	if l.fd, l.ifindex, err = openLineDevice(ns); err != nil {
		return nil, err
	}
	if l.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	if err := tc.attachProgram(l.ifindex, prog, "brine_line"); err != nil {
		return nil, err
	}
	go l.run()
	return l, nil
}

func (l *line) closeFiles() error {
	var errs []error
	for _, fd := range []int{l.fd, l.wake} {
		if fd >= 0 {
			errs = append(errs, unix.Close(fd))
		}
	}
	return errors.Join(append(errs, l.prog.Close())...)
}

// close ends the thread; packets that still wait are dropped.
func (l *line) close() error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	l.stop = true
	l.mu.Unlock()
	if err := l.kick(); err != nil {
		return err
	}
	<-l.done
	return l.closeFiles()
}

func (l *line) kick() error {
	if _, err := unix.Write(l.wake, binary.NativeEndian.AppendUint64(nil, 1)); err != nil && !errors.Is(err, unix.EAGAIN) {
		return fmt.Errorf("delay line: wake: %w", err)
	}
	return nil
}

// put makes a rule known, before its slot is in any set that is on.
func (l *line) put(slot uint16, r *lineRule) { l.slots[slot].Store(r) }

// tellLost says who is told of packets that find a queue full.
func (l *line) tellLost(tell func(link Link, rule uint32, frame []byte)) {
	if l != nil {
		l.lost.Store(&tell)
	}
}

// heal forgets rules and lets packets that wait for them go.
func (l *line) heal(slots []uint16) error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	for _, slot := range slots {
		if r := l.slots[slot].Swap(nil); r != nil {
			l.healed = append(l.healed, r)
		}
	}
	l.mu.Unlock()
	return l.kick()
}

// run is the thread. It sleeps until the device has packets, the first one in
// the queue is due, or someone kicks.
func (l *line) run() {
	defer close(l.done)
	runtime.LockOSThread() // never unlocked: the thread ends with the line
	urgent()
	buf := make([]byte, vnetHeader+1<<16+64)
	fds := []unix.PollFd{{Fd: int32(l.fd), Events: unix.POLLIN}, {Fd: int32(l.wake), Events: unix.POLLIN}}
	for {
		l.release(int64(monotonic()))
		var timeout *unix.Timespec
		if len(l.queue) > 0 {
			t := unix.NsecToTimespec(max(0, l.queue[0].due-int64(monotonic())))
			timeout = &t
		}
		if _, err := unix.Ppoll(fds, timeout, nil); err != nil && !errors.Is(err, unix.EINTR) {
			return // cannot be: the descriptors are ours until done
		}
		if fds[1].Revents != 0 && l.commands() {
			return
		}
		if fds[0].Revents != 0 {
			l.read(buf)
		}
	}
}

// urgent gives this thread exact timers and lets it run before ordinary ones,
// where that is allowed; without, delays are only less exact on a busy machine.
func urgent() {
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	_ = unix.SchedSetAttr(0, &unix.SchedAttr{
		Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 1, Flags: unix.SCHED_FLAG_RESET_ON_FORK,
	}, 0)
}

// commands takes what others asked for; true ends the thread.
func (l *line) commands() (stop bool) {
	var count [8]byte
	_, _ = unix.Read(l.wake, count[:]) // only resets it
	l.mu.Lock()
	healed := l.healed
	l.healed = nil
	stop = l.stop
	l.mu.Unlock()
	if len(healed) == 0 {
		return stop
	}
	clear(l.resolved)
	now := int64(monotonic())
	for _, p := range l.queue {
		if slices.ContainsFunc(p.rules, func(r *lineRule) bool { return slices.Contains(healed, r) }) {
			p.due = min(p.due, now)
		}
	}
	l.queue.fix()
	return stop
}

func (l *line) read(buf []byte) {
	for range lineBatch {
		n, err := unix.Read(l.fd, buf)
		if err != nil || n < vnetHeader+14 {
			return
		}
		l.admit(buf[:n])
		if len(l.queue) > 0 {
			l.release(int64(monotonic()))
		}
	}
}

// admit lets the packet's rules decide when it is due.
func (l *line) admit(raw []byte) {
	h := readHandover(raw[vnetHeader:])
	rules, ours := l.resolve(h)
	if !ours {
		return // the device's own chatter
	}
	l.seq++
	p := &packet{
		buf: append(l.buffer(len(raw)), raw...), link: h.link, rules: rules,
		random: h.random, due: int64(monotonic()), seq: l.seq,
	}
	for _, r := range rules {
		if !r.pass(p) {
			if tell := l.lost.Load(); tell != nil {
				(*tell)(p.link, r.id, p.frame())
			}
			l.recycle(p)
			return
		}
	}
	l.queue.push(p)
}

// resolve finds the rules that sent a packet. A set that is no more has been
// healed: its packets wait for nothing.
func (l *line) resolve(h handover) (rules []*lineRule, ours bool) {
	if int(h.set) >= len(l.sets) || h.mask == 0 {
		return nil, false
	}
	key := h
	key.link, key.random = Link{}, 0
	if rules, ok := l.resolved[key]; ok {
		return rules, true
	}
	set := l.sets[h.set]
	if set.Tag != h.tag || set.N > setRules {
		return nil, true
	}
	for i, slot := range set.Rule[:set.N] {
		if h.mask>>i&1 == 1 && int(slot) < maxRules {
			if r := l.slots[slot].Load(); r != nil {
				rules = append(rules, r)
			}
		}
	}
	l.resolved[key] = rules
	return rules, true
}

// release writes what is due back into the switch.
func (l *line) release(now int64) {
	for len(l.queue) > 0 && l.queue[0].due <= now {
		p := l.queue.pop()
		if _, err := unix.Write(l.fd, p.buf); err != nil {
			l.dropped.Add(1)
		}
		l.recycle(p)
	}
}

func (l *line) buffer(n int) []byte {
	if n > smallPacket {
		return make([]byte, 0, n)
	}
	if last := len(l.spare) - 1; last >= 0 {
		b := l.spare[last]
		l.spare = l.spare[:last]
		return b[:0]
	}
	return make([]byte, 0, smallPacket)
}

func (l *line) recycle(p *packet) {
	if cap(p.buf) == smallPacket && len(l.spare) < maxSpare {
		l.spare = append(l.spare, p.buf)
	}
	p.buf = nil
}
