package xdpfault

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// line is the delay line: a TAP in the switch namespace and a process of one
// thread that holds packets.
//
//	verdict ──divert──► TAP ──read──► rules move the due time ──► heap ──write──► TAP ingress ──► eth0
//
// Only packets of links with delay, rate, reordering or failing checksums
// come here. On release a program at the TAP's ingress looks whether the link
// has been cut meanwhile.
//
// It is a process of its own as a thread of this one waits for Go's scheduler
// after each sleep: beside two busy goroutines on two processors packets were
// late by 3 to 15 ms. Alone, and before ordinary processes, by some 20 µs
// (bench/delay.txt). It ends with the engine, or with the end of the engine's
// process, and the TAP with it.
type line struct {
	ifindex int
	prog    *ebpf.Program
	cmd     *exec.Cmd
	conn    *net.UnixConn
	said    *os.File      // what the process wrote to its stderr
	ended   chan struct{} // closed when nothing more is heard of it
	over    chan struct{} // closed when nobody listens any more
	giveUp  sync.Once
	answers chan lineAnswer
	lost    atomic.Pointer[func(lineLoss)]

	asking sync.Mutex            // one request at a time
	rules  map[uint16]*queueLoss // by slot, those in force; guarded by the engine's lock
}

// queueLoss is what the queue of a rule has dropped, as last known here.
type queueLoss struct {
	slot  uint16
	rate  bool // only a rate has a queue that can be full
	drops map[Link]Count
}

func (q *queueLoss) on(l Link) Count { return q.drops[l] }

// lineWait is how long the process may take to carry out a request. It takes
// microseconds; who has stopped it with a debugger gets an error.
const lineWait = 10 * time.Second

func newLine(ns NetNS, tc *tcHook, prog *ebpf.Program, sets *ebpf.Map) (_ *line, err error) {
	l := &line{prog: prog, ended: make(chan struct{}), over: make(chan struct{}), answers: make(chan lineAnswer), rules: map[uint16]*queueLoss{}}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("delay line: %w", err), l.end())
		}
	}()
	tap, ifindex, err := openLineDevice(ns)
	if err != nil {
		return nil, err
	}
	l.ifindex = ifindex
	defer func() { err = errors.Join(err, unix.Close(tap)) }() // the process has its own
	if err := tc.attachProgram(l.ifindex, prog, "brine_line"); err != nil {
		return nil, err
	}
	if err := l.start(tap, sets.FD()); err != nil {
		return nil, fmt.Errorf("start its process: %w", err)
	}
	return l, nil
}

// start starts this very program again, in a session of its own, with nothing
// but the device, the rule sets and a socket.
func (l *line) start(tap, sets int) (err error) {
	said, err := unix.MemfdCreate("brine-line", unix.MFD_CLOEXEC)
	if err != nil {
		return fmt.Errorf("memfd: %w", err)
	}
	l.said = os.NewFile(uintptr(said), "said")
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socket pair: %w", err)
	}
	theirs, ours := os.NewFile(uintptr(pair[0]), "control"), os.NewFile(uintptr(pair[1]), "control")
	files := []*os.File{theirs}
	defer func() {
		for _, f := range append(files, ours) {
			err = errors.Join(err, f.Close())
		}
	}()
	conn, err := net.FileConn(ours)
	if err != nil {
		return fmt.Errorf("socket pair: %w", err)
	}
	l.conn = conn.(*net.UnixConn)
	for _, fd := range []int{tap, sets} {
		dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("descriptor: %w", err)
		}
		files = append(files, os.NewFile(uintptr(dup), "descriptor"))
	}
	cmd := &exec.Cmd{
		Path: "/proc/self/exe", Args: []string{"brine-delay-line"}, Env: []string{lineVar + "=1"}, Dir: "/",
		Stderr: l.said, ExtraFiles: files, SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	l.cmd = cmd
	go l.listen()
	return nil
}

// listen takes what the process says until it ends.
func (l *line) listen() {
	defer close(l.ended)
	b := make([]byte, 1<<17)
	for {
		n, err := l.conn.Read(b)
		if err != nil || n == 0 {
			return
		}
		if b[0] == msgLost {
			if tell := l.lost.Load(); tell != nil {
				if loss, err := parseLineLoss(b[:n]); err == nil {
					(*tell)(loss)
				}
			}
			continue
		}
		var a lineAnswer
		if err := json.Unmarshal(b[1:n], &a); err != nil {
			a = lineAnswer{Error: err.Error()}
		}
		select {
		case l.answers <- a:
		case <-l.over:
			return
		}
	}
}

// ask has the process carry out a request and waits for it.
func (l *line) ask(req lineRequest) (all lineAnswer, err error) {
	l.asking.Lock()
	defer l.asking.Unlock()
	text, err := json.Marshal(req)
	if err != nil {
		return all, err
	}
	select {
	case <-l.over:
		return all, l.gone(io.EOF)
	default:
	}
	if err := l.conn.SetWriteDeadline(time.Now().Add(lineWait)); err != nil {
		return all, l.gone(err)
	}
	if _, err := l.conn.Write(text); err != nil {
		return all, l.gone(err)
	}
	timer := time.NewTimer(lineWait)
	defer timer.Stop()
	for {
		select {
		case a := <-l.answers:
			all.Drops = append(all.Drops, a.Drops...)
			if a.Error != "" {
				return all, fmt.Errorf("delay line: %s", a.Error)
			}
			if !a.More {
				return all, nil
			}
		case <-l.ended:
			return all, l.gone(io.EOF)
		case <-timer.C: // a late answer must not be taken for that of another request
			l.giveUp.Do(func() { close(l.over) })
			_ = l.cmd.Process.Kill()
			return all, fmt.Errorf("delay line: process %d: no answer for %s\nhint: was it stopped?", l.cmd.Process.Pid, lineWait)
		}
	}
}

// gone says that the process ended before it should, and what it said last.
func (l *line) gone(err error) error {
	text := make([]byte, 4096)
	n, _ := l.said.ReadAt(text, 0) // what there is
	if last := strings.TrimSpace(string(text[:n])); last != "" {
		return fmt.Errorf("delay line: its process %d has ended: %s", l.cmd.Process.Pid, last)
	}
	return fmt.Errorf("delay line: its process %d has ended: %w\nhint: was it killed? packets of delayed links are lost", l.cmd.Process.Pid, err)
}

// close ends the process; packets that still wait are dropped.
func (l *line) close() error {
	if l == nil {
		return nil
	}
	_, err := l.ask(lineRequest{Stop: true})
	return errors.Join(err, l.end())
}

// end gives up what was made, as far as it came.
func (l *line) end() error {
	var errs []error
	l.giveUp.Do(func() { close(l.over) })
	if l.conn != nil {
		errs = append(errs, l.conn.Close()) // at which the process ends, if it has not yet
	}
	if l.cmd != nil {
		<-l.ended
		kill := time.AfterFunc(lineWait, func() { _ = l.cmd.Process.Kill() }) // one that a debugger has stopped
		defer kill.Stop()
		_ = l.cmd.Wait() // how it ended was told by the request that it did not answer
	}
	if l.said != nil {
		errs = append(errs, l.said.Close())
	}
	return errors.Join(append(errs, l.prog.Close())...)
}

// put makes a rule known, before its slot is in any set that is on.
func (l *line) put(slot uint16, id uint32, seed uint64, action lineAction) (*queueLoss, error) {
	if _, err := l.ask(lineRequest{Put: newLinePut(slot, id, seed, action)}); err != nil {
		return nil, err
	}
	_, rate := action.(Rate)
	q := &queueLoss{slot: slot, rate: rate}
	l.rules[slot] = q
	return q, nil
}

// watch says who is told of packets that find a queue full.
func (l *line) watch(tell func(lineLoss)) error {
	if l == nil {
		return nil
	}
	l.lost.Store(&tell)
	_, err := l.ask(lineRequest{Watch: true})
	return err
}

// flush returns when who watches has been told of all that was lost before.
func (l *line) flush() {
	if l != nil {
		_, _ = l.ask(lineRequest{}) // told in the order of the socket; one that has ended tells nothing more
	}
}

// heal forgets rules and lets packets that wait for them go.
func (l *line) heal(slots []uint16) error {
	if l == nil {
		return nil
	}
	var known []uint16
	healed := map[uint16]*queueLoss{}
	for _, slot := range slots {
		if q := l.rules[slot]; q != nil {
			known, healed[slot] = append(known, slot), q
			delete(l.rules, slot)
		}
	}
	if len(known) == 0 {
		return nil
	}
	a, err := l.ask(lineRequest{Heal: known})
	for _, q := range healed {
		q.learn(a.Drops)
	}
	return err
}

// count asks what a rule's queue has dropped by now. A process that has ended
// has said so where the harm was to be healed.
func (l *line) count(q *queueLoss) {
	if l == nil || q == nil || !q.rate || l.rules[q.slot] != q {
		return
	}
	if a, err := l.ask(lineRequest{Drops: &q.slot}); err == nil {
		q.learn(a.Drops)
	}
}

func (q *queueLoss) learn(drops []lineDrops) {
	if !q.rate {
		return
	}
	q.drops = map[Link]Count{}
	for _, d := range drops {
		if d.Slot == q.slot {
			q.drops[d.Link] = d.Count
		}
	}
}
