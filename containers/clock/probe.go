package clock

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// probeVar, when set, makes a program that links this package a probe.
const probeVar = "BRINE_CLOCK_PROBE"

// probeGroup is where probes run, below the node's control group.
const probeGroup = "brine-clock-probe"

// Reading is what two clocks showed at one moment.
type Reading struct {
	Node time.Time // in a program that was started in the node
	Host time.Time // the kernel's, asked by the same program without the vDSO
}

// Skew is how far the node's clock is ahead.
func (r Reading) Skew() time.Duration { return r.Node.Sub(r.Host) }

func init() {
	if os.Getenv(probeVar) != "" {
		var ts unix.Timespec
		now := time.Now()
		_, _, errno := unix.Syscall(unix.SYS_CLOCK_GETTIME, unix.CLOCK_REALTIME, uintptr(unsafe.Pointer(&ts)), 0)
		if errno != 0 {
			os.Exit(1)
		}
		fmt.Println(now.UnixNano(), ts.Nano())
		os.Exit(0)
	}
}

// Probe starts a program in the node's control group, this very one in another
// role, and returns what its clock shows. It needs nothing from the node's
// image; it is not in the node's namespaces. One probe at a time. Kernel: 5.7
// (CLONE_INTO_CGROUP).
func (c *Clock) Probe(ctx context.Context) (r Reading, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s: probe the clock: %w", c.name, err)
		}
	}()
	// Of its own: a group with groups below it may refuse processes.
	folder := filepath.Join(c.group.folder, probeGroup)
	if err := os.Mkdir(folder, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return r, err
	}
	defer func() { err = errors.Join(err, os.Remove(folder)) }()
	dir, err := os.Open(folder)
	if err != nil {
		return r, err
	}
	defer dir.Close()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Args = []string{"brine-clock-probe"}
	cmd.Env = []string{probeVar + "=1"}
	cmd.Dir = "/"
	cmd.Stdout = &out
	cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(dir.Fd())}
	if err := cmd.Run(); err != nil {
		return r, err
	}
	var node, host int64
	if _, err := fmt.Sscan(out.String(), &node, &host); err != nil {
		return r, err
	}
	return Reading{Node: time.Unix(0, node), Host: time.Unix(0, host)}, nil
}
