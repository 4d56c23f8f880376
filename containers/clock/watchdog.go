package clock

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// watchdogVar, when set, makes a program that links this package the watchdog.
const watchdogVar = "BRINE_CLOCK_WATCHDOG"

// The watchdog's descriptors.
const (
	dogPipe  = 3 + iota // at its end the runner has ended
	dogNodes            // the map of watched nodes
	dogHeld             // the map of stopped processes
)

// quiet is how long nothing may have been stopped before the watchdog ends: a
// program may have been under way on another processor when the map of watched
// nodes was emptied.
const quiet = 50 * time.Millisecond

// watchdog is a process that outlives this one, however it ends, for as long
// as it takes to let go the new programs that were stopped and not patched yet.
type watchdog struct {
	cmd  *exec.Cmd
	pipe *os.File
}

func init() {
	if os.Getenv(watchdogVar) != "" {
		if err := guard(); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
}

// startWatchdog starts this very program again, in a session of its own, with
// nothing but the two maps and a pipe.
func startWatchdog(maps *programsMaps) (*watchdog, error) {
	end, ours, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	files := []*os.File{end}
	defer func() {
		for _, f := range files {
			f.Close() //nolint:errcheck // the child has its own
		}
	}()
	for _, m := range []*ebpf.Map{maps.BrineNodes, maps.BrineHeld} {
		fd, err := unix.FcntlInt(uintptr(m.FD()), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("start the clock's watchdog: %w", err), ours.Close())
		}
		files = append(files, os.NewFile(uintptr(fd), "map"))
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{"brine-clock-watchdog"}
	cmd.Env = []string{watchdogVar + "=1"}
	cmd.Dir = "/"
	cmd.ExtraFiles = files
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start the clock's watchdog: %w", err), ours.Close())
	}
	return &watchdog{cmd: cmd, pipe: ours}, nil
}

// dogTime is how long the watchdog may take to end. It takes milliseconds.
const dogTime = 5 * time.Second

// stop ends the watchdog in order: nothing is being stopped any more. One that does
// not end is killed.
func (d *watchdog) stop() error {
	_, _ = d.pipe.Write([]byte{0}) // of one that is gone its end tells
	err := d.pipe.Close()
	kill := time.AfterFunc(dogTime, func() { _ = d.cmd.Process.Kill() })
	how := d.cmd.Wait()
	switch {
	case !kill.Stop():
		how = fmt.Errorf("the clocks' watchdog, process %d, did not end in %s and was killed\nhint: was it stopped?", d.cmd.Process.Pid, dogTime)
	case how != nil:
		how = fmt.Errorf("the clocks' watchdog, process %d, has ended: %w\nhint: was it killed?", d.cmd.Process.Pid, how)
	}
	return errors.Join(err, how)
}

// guard waits for the runner's end, then watches no node any more and lets go
// whoever is held.
func guard() error {
	said, err := io.ReadAll(os.NewFile(dogPipe, "pipe"))
	if err != nil {
		return err
	}
	wait := quiet
	if len(said) > 0 {
		wait = 0
	}
	nodes, err := ebpf.NewMapFromFD(dogNodes)
	if err != nil {
		return err
	}
	held, err := ebpf.NewMapFromFD(dogHeld)
	if err != nil {
		return err
	}
	var id uint64
	for nodes.NextKey(nil, &id) == nil {
		if err := nodes.Delete(id); err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
			return err
		}
	}
	for last := time.Now(); ; time.Sleep(time.Millisecond) {
		var pid uint32
		for held.NextKey(nil, &pid) == nil {
			letGo(held, pid)
			last = time.Now()
		}
		if time.Since(last) >= wait {
			return nil
		}
	}
}
