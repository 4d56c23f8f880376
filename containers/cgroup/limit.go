package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// period of the CPU quota, in microseconds: the kernel's default.
const period = 100_000

// file names a controller's file of the group in the hierarchy that has it.
func (g *Group) file(controller, v1, v2 string) string {
	if at := g.tree.v1[controller]; at != "" {
		return filepath.Join(at, g.Path, v1)
	}
	return g.unified(v2)
}

// SetMemory limits the memory of all processes of the group together, in
// bytes; 0 lifts the limit. Swap does not widen it. On v1 a limit below what
// is in use and cannot be reclaimed is refused with EBUSY, on v2 the kernel
// kills until it holds.
func (g *Group) SetMemory(bytes int64) error {
	v1, v2 := strconv.FormatInt(bytes, 10), strconv.FormatInt(bytes, 10)
	if bytes == 0 {
		v1, v2 = "-1", "max"
	}
	text := v2
	if !g.tree.V2() {
		text = v1
	}
	if err := g.lowerSwap(text); err != nil {
		return err
	}
	err := write(g.file("memory", "memory.limit_in_bytes", "memory.max"), text)
	if err != nil {
		return fmt.Errorf("cgroup %s: limit memory to %d bytes: %w", g.Path, bytes, err)
	}
	return errors.Join(g.raiseSwap(text), g.forgetPeak())
}

// lowerSwap and raiseSwap keep v1's rule that memory+swap is never below
// memory, and switch swap off on v2. Kernels without swap accounting lack the
// files.
func (g *Group) lowerSwap(text string) error {
	if g.tree.V2() {
		limit := "0"
		if text == "max" {
			limit = text
		}
		return optional(write(g.unified("memory.swap.max"), limit))
	}
	return optional(write(g.file("memory", "memory.memsw.limit_in_bytes", ""), "-1"))
}

func (g *Group) raiseSwap(text string) error {
	if g.tree.V2() || text == "-1" {
		return nil
	}
	return optional(write(g.file("memory", "memory.memsw.limit_in_bytes", ""), text))
}

func optional(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// SetCPU limits the CPU time of all processes of the group together, in CPUs
// (0.1 is a tenth of one); 0 lifts the limit. The least is 0.01.
func (g *Group) SetCPU(cpus float64) error {
	quota := "-1"
	if cpus > 0 {
		quota = strconv.Itoa(max(int(cpus*period), period/100))
	}
	var err error
	if g.tree.V2() {
		if cpus <= 0 {
			quota = "max"
		}
		err = write(g.unified("cpu.max"), fmt.Sprintf("%s %d", quota, period))
	} else {
		err = errors.Join(
			write(g.file("cpu", "cpu.cfs_period_us", ""), strconv.Itoa(period)),
			write(g.file("cpu", "cpu.cfs_quota_us", ""), quota))
	}
	if err != nil {
		return fmt.Errorf("cgroup %s: limit to %g CPUs: %w", g.Path, cpus, err)
	}
	return nil
}

// MemoryUsed is the memory in use by the group and all below it, in bytes,
// page cache included.
func (g *Group) MemoryUsed() (int64, error) {
	text, err := os.ReadFile(g.file("memory", "memory.usage_in_bytes", "memory.current"))
	if err != nil {
		return 0, fmt.Errorf("cgroup %s: %w", g.Path, err)
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("cgroup %s: memory in use: %w", g.Path, err)
	}
	return n, nil
}

// OOMKills is how many processes of the group and of those below it the kernel
// has killed for lack of memory, whichever group's limit was reached.
// Linux 4.13 on v1.
func (g *Group) OOMKills() (int, error) {
	text, err := os.ReadFile(g.file("memory", "memory.oom_control", "memory.events"))
	if err != nil {
		return 0, fmt.Errorf("cgroup %s: %w", g.Path, err)
	}
	for _, line := range strings.Split(string(text), "\n") {
		if count, ok := strings.CutPrefix(line, "oom_kill "); ok {
			n, err := strconv.Atoi(count)
			if err != nil {
				return 0, fmt.Errorf("cgroup %s: killed for lack of memory: %w", g.Path, err)
			}
			return n, nil
		}
	}
	return 0, nil
}
