package xdpfault

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// lineVar, when set, makes a program that links this package the delay line's
// process of the engine that started it.
const lineVar = "BRINE_DELAY_LINE"

// The process's descriptors.
const (
	lineControl = 3 + iota // requests and answers; at its end the engine's process has ended
	lineTap
	lineSets // the map of rule sets
)

func init() {
	if os.Getenv(lineVar) == "" {
		return
	}
	if err := holdPackets(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		unix.Exit(1)
	}
	unix.Exit(0) // os.Exit would sleep a second in a binary with the race detector
}

// lineThread is the delay line's process, which is this one thread.
type lineThread struct {
	tap, control int
	clock        lineClock
	snooze       snooze
	sets         []verdictRuleset // the kernel's, shared memory
	slots        [maxRules]*lineRule
	queue        lineQueue
	seq          uint64
	resolved     map[handover][]*lineRule
	spare        [spareClasses][]*packet
	message      []byte
	watched      bool   // who wants to know of packets that find a queue full
	missed       uint64 // that could not be told
}

// lineBatch is how many packets are read between two looks at what is due.
const lineBatch = 128

func holdPackets() error {
	// What is sent to end the runner must not end what its harm needs to heal.
	signal.Ignore(unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT)
	closeInherited()
	runtime.LockOSThread()
	urgent()
	memory, err := unix.Mmap(lineSets, 0, maxSets*setSize, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("map the rule sets: %w", err)
	}
	clock := newLineClock()
	l := &lineThread{
		tap: lineTap, control: lineControl, clock: clock, snooze: newSnooze(clock.now()),
		sets: rulesetsOf(memory), resolved: map[handover][]*lineRule{}, message: make([]byte, 1<<16),
	}
	return l.run()
}

// urgent gives the process's threads exact timers and lets them run before
// ordinary ones, where that is allowed; without, delays are only less exact on
// a busy machine. Threads to come take after those that start them.
func urgent() {
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	threads, _ := filepath.Glob("/proc/self/task/*")
	for _, dir := range threads {
		if id, err := strconv.Atoi(filepath.Base(dir)); err == nil {
			_ = unix.SchedSetAttr(id, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 1}, 0)
		}
	}
}

// closeInherited closes what the runner's own parent left open in it.
func closeInherited() {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return
	}
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil || fd <= lineSets {
			continue
		}
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			_ = unix.Close(fd)
		}
	}
}

// run sleeps until the device has packets, the first one in the queue is
// nearly due, or the engine asks for something. Then it looks at all three, and
// watches the clock for the little time that is left until that packet is due.
func (l *lineThread) run() error {
	buf := make([]byte, vnetHeader+1<<16+64)
	fds := []unix.PollFd{{Fd: int32(l.tap), Events: unix.POLLIN}, {Fd: int32(l.control), Events: unix.POLLIN}}
	for {
		now := l.clock.now()
		l.release(now)
		var timeout *unix.Timespec
		var sleep int64
		if len(l.queue) > 0 {
			sleep = l.snooze.sleep(now, l.queue[0].due)
			t := unix.NsecToTimespec(sleep)
			timeout = &t
		}
		n, err := unix.Ppoll(fds, timeout, nil)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("poll: %w", err)
		}
		switch woke := l.clock.now(); {
		case timeout == nil || n != 0:
		case sleep == 0:
			l.snooze.watched(woke - now)
		default:
			l.snooze.woke(woke - now - sleep)
		}
		if n <= 0 {
			continue
		}
		if fds[1].Revents != 0 && l.commands() {
			return nil
		}
		if fds[0].Revents&unix.POLLERR != 0 {
			return errors.New("the device is gone")
		}
		if fds[0].Revents != 0 {
			l.read(buf)
		}
	}
}

// heal forgets rules and lets packets that wait for them go.
func (l *lineThread) heal(slots []uint16) {
	var healed []*lineRule
	for _, slot := range slots {
		if int(slot) < len(l.slots) && l.slots[slot] != nil {
			healed = append(healed, l.slots[slot])
			l.slots[slot] = nil
		}
	}
	if len(healed) == 0 {
		return
	}
	clear(l.resolved)
	now := l.clock.now()
	for _, p := range l.queue {
		if slices.ContainsFunc(p.rules, func(r *lineRule) bool { return slices.Contains(healed, r) }) {
			p.due = min(p.due, now)
		}
	}
	l.queue.fix()
}

func (l *lineThread) read(buf []byte) {
	for range lineBatch {
		n, err := unix.Read(l.tap, buf)
		if err != nil || n < vnetHeader+14 {
			return
		}
		l.admit(buf[:n])
		if len(l.queue) > 0 {
			l.release(l.clock.now())
		}
	}
}

// admit lets the packet's rules decide when it is due.
func (l *lineThread) admit(raw []byte) {
	h := readHandover(raw[vnetHeader:])
	rules, ours := l.resolve(h)
	if !ours {
		return // the device's own chatter
	}
	frame := raw[vnetHeader:]
	restoreType(frame)
	l.seq++
	p := l.packet(len(raw))
	*p = packet{
		buf: append(p.buf, raw...), link: h.link, rules: rules,
		random: h.random, due: sent(l.clock.now(), h.stamp), seq: l.seq,
	}
	for _, r := range rules {
		if !r.pass(p) {
			l.tellLost(p, r)
			l.recycle(p)
			return
		}
	}
	l.queue.push(p)
}

// resolve finds the rules that sent a packet. A set that is no more has been
// healed: its packets wait for nothing.
func (l *lineThread) resolve(h handover) (rules []*lineRule, ours bool) {
	if int(h.set) >= len(l.sets) || h.mask == 0 {
		return nil, false
	}
	key := h
	key.link, key.random, key.stamp = Link{}, 0, 0
	if rules, ok := l.resolved[key]; ok {
		return rules, true
	}
	set := l.sets[h.set]
	if set.Tag != h.tag || set.N > setRules {
		return nil, true
	}
	for i, slot := range set.Rule[:set.N] {
		if h.mask>>i&1 == 1 && int(slot) < maxRules {
			if r := l.slots[slot]; r != nil {
				rules = append(rules, r)
			}
		}
	}
	l.resolved[key] = rules
	return rules, true
}

// release writes what is due back into the switch.
func (l *lineThread) release(now int64) {
	for len(l.queue) > 0 && l.queue[0].due <= now {
		p := l.queue.pop()
		_, _ = unix.Write(l.tap, p.buf) // one that the switch does not take back is lost, as a cut's are
		l.recycle(p)
	}
}
