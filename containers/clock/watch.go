package clock

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"
)

// What is watched of a node, and what happened: bpf/programs.c.
const (
	watchExec = 1
	watchFork = 2
)

// firstPidNamespace is the inode of the host's pid namespace (PROC_PID_INIT_INO,
// linux/proc_ns.h). The programs name processes as it does.
const firstPidNamespace = 0xEFFFFFFC

// watch sees the programs that nodes start: one for all Clocks of this process.
// Nothing of it is pinned, so that it ends with the process.
type watch struct {
	objects programsObjects
	links   []link.Link
	events  *ringbuf.Reader
	dog     *watchdog
	work    sync.WaitGroup

	mu     sync.Mutex
	clocks map[uint64]*Clock // by control group
}

var shared struct {
	sync.Mutex
	watch *watch
}

// acquireWatch adds a Clock to the watch, which the first one starts.
func acquireWatch(c *Clock) (*watch, error) {
	shared.Lock()
	defer shared.Unlock()
	if shared.watch == nil {
		w, err := startWatch()
		if err != nil {
			return nil, err
		}
		shared.watch = w
	}
	w := shared.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.clocks[c.group.id] != nil {
		return nil, fmt.Errorf("control group %s has a clock already", c.group.path)
	}
	w.clocks[c.group.id] = c
	return w, nil
}

// releaseWatch takes a Clock off the watch, which the last one stops.
func releaseWatch(c *Clock) error {
	shared.Lock()
	defer shared.Unlock()
	w := shared.watch
	err := w.node(c.group.id, 0)
	w.mu.Lock()
	delete(w.clocks, c.group.id)
	last := len(w.clocks) == 0
	w.mu.Unlock()
	if last {
		shared.watch = nil
		err = errors.Join(err, w.stop())
	}
	return err
}

func startWatch() (_ *watch, err error) {
	var st unix.Stat_t
	if err := unix.Stat("/proc/self/ns/pid", &st); err != nil {
		return nil, err
	}
	if st.Ino != firstPidNamespace {
		return nil, &UnsupportedError{Feature: "changing clocks from inside a container", Needs: "the host's pid namespace"}
	}
	w := &watch{clocks: map[uint64]*Clock{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.stop())
		}
	}()
	if err := loadProgramsObjects(&w.objects, nil); err != nil {
		if errors.Is(err, ebpf.ErrNotSupported) || errors.Is(err, unix.EINVAL) {
			return nil, &UnsupportedError{Feature: "seeing new programs", Needs: "kernel 5.15 with BTF", Err: err}
		}
		return nil, fmt.Errorf("load the programs that see new programs: %w\nhint: run as root, or give CAP_BPF and CAP_PERFMON", err)
	}
	if w.dog, err = startWatchdog(&w.objects.programsMaps); err != nil {
		return nil, err
	}
	for name, prog := range map[string]*ebpf.Program{"sched_process_exec": w.objects.BrineExec, "sched_process_fork": w.objects.BrineFork} {
		l, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: name, Program: prog})
		if err != nil {
			return nil, fmt.Errorf("attach to %s: %w", name, err)
		}
		w.links = append(w.links, l)
	}
	if w.events, err = ringbuf.NewReader(w.objects.BrineHappened); err != nil {
		return nil, err
	}
	w.work.Add(1)
	go w.read()
	return w, nil
}

// node says what is watched of a control group: 0 is nothing.
func (w *watch) node(id uint64, what uint32) error {
	if what != 0 {
		return w.objects.BrineNodes.Put(id, what)
	}
	if err := w.objects.BrineNodes.Delete(id); !errors.Is(err, ebpf.ErrKeyNotExist) {
		return err
	}
	return nil
}

// read handles what happens until the watch stops. Each process is handled
// apart, so that one that is slow to stop does not hold up others.
func (w *watch) read() {
	defer w.work.Done()
	for {
		record, err := w.events.Read()
		if err != nil {
			return // closed
		}
		var h programsHappened
		if err := binary.Read(bytes.NewReader(record.RawSample), binary.NativeEndian, &h); err != nil {
			continue // not one of ours
		}
		w.mu.Lock()
		c := w.clocks[h.Cgroup]
		w.mu.Unlock()
		w.work.Go(func() { w.handle(c, h) })
	}
}

func (w *watch) handle(c *Clock, h programsHappened) {
	held := h.Kind == watchExec
	if held {
		defer letGo(w.objects.BrineHeld, h.Pid)
	} else if w.objects.BrineHeld.Lookup(h.Pid, &programsHappened{}) == nil {
		return // it has executed a program meanwhile
	}
	if c != nil {
		c.adopt(int(h.Pid), held)
	}
}

// adopt brings a process that has just been started or forked to what is
// wanted. What cannot be done is in the receipt.
func (c *Clock) adopt(pid int, held bool) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	if held && !c.on {
		return
	}
	if _, err := c.bring(ctx, pid, held); err != nil {
		c.receipt.Uncovered = append(c.receipt.Uncovered, fmt.Sprintf("pid %d (%s): %v", pid, command(pid), err))
	} else if held {
		c.receipt.Started++
	}
}

// letGo lets a process go on that brine_exec stopped. A stop that has not
// happened yet does not happen then.
func letGo(held *ebpf.Map, pid uint32) {
	_ = unix.Kill(int(pid), unix.SIGCONT) // fails when it is gone
	_ = held.Delete(pid)
}

// stop ends the watch and what is held, as far as it was started.
func (w *watch) stop() error {
	var errs []error
	for _, l := range w.links {
		errs = append(errs, l.Close())
	}
	if w.events != nil {
		errs = append(errs, w.events.Close())
	}
	w.work.Wait()
	if w.dog != nil {
		errs = append(errs, w.dog.stop()) // lets go what is held still
	}
	if err := w.objects.Close(); !errors.Is(err, os.ErrClosed) {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
