package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"
)

// Usage is what the processes of a group and of those below it used, and how its
// own limits were felt.
type Usage struct {
	CPU       time.Duration // used
	Throttled time.Duration // waited for the quota, summed over CPUs
	Periods   uint64        // of the quota in which something ran
	Held      uint64        // of these, those in which something had to wait
	Memory    int64         // in use, bytes, page cache included
	Reached   uint64        // how often the memory limit was reached; on v1 at times not counted
	Peak      int64         // on v1, the most memory that was in use since the limit was set, bytes; else 0
}

// Usage reads the group's counters. Without a CPU quota no periods are counted.
func (g *Group) Usage() (u Usage, err error) {
	if u.Memory, err = g.MemoryUsed(); err != nil {
		return u, err
	}
	all, err := counters(g.unified("cpu.stat"))
	if err != nil {
		return u, fmt.Errorf("cgroup %s: %w", g.Path, err)
	}
	u.CPU = time.Duration(all["usage_usec"]) * time.Microsecond
	cpu, err := counters(g.file("cpu", "cpu.stat", "cpu.stat"))
	if err != nil {
		return u, fmt.Errorf("cgroup %s: %w", g.Path, err)
	}
	u.Periods, u.Held = cpu["nr_periods"], cpu["nr_throttled"]
	u.Throttled = time.Duration(cpu["throttled_usec"])*time.Microsecond + time.Duration(cpu["throttled_time"]) // v2; v1: ns
	if u.Reached, err = g.memoryReached(); err != nil {
		return u, fmt.Errorf("cgroup %s: %w", g.Path, err)
	}
	if u.Peak, err = g.memoryPeak(); err != nil {
		return u, fmt.Errorf("cgroup %s: %w", g.Path, err)
	}
	return u, nil
}

func (g *Group) memoryReached() (uint64, error) {
	if g.tree.V2() {
		events, err := counters(g.unified("memory.events"))
		return events["max"], err
	}
	return number(g.file("memory", "memory.failcnt", ""))
}

// memoryPeak is what SetMemory begins anew: where memory and swap together are
// what is limited, Linux 6.18 does not count in failcnt.
func (g *Group) memoryPeak() (int64, error) {
	if g.tree.V2() {
		return 0, nil
	}
	n, err := number(g.file("memory", "memory.max_usage_in_bytes", ""))
	return int64(n), err
}

// forgetPeak begins the peak anew.
func (g *Group) forgetPeak() error {
	if g.tree.V2() {
		return nil
	}
	return optional(write(g.file("memory", "memory.max_usage_in_bytes", ""), "0"))
}

func number(file string) (uint64, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
}

// counters reads a file of lines "name number"; one that is not there has none.
func counters(file string) (map[string]uint64, error) {
	out := map[string]uint64{}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		name, number, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			continue
		}
		if n, err := strconv.ParseUint(number, 10, 64); err == nil {
			out[name] = n
		}
	}
	return out, nil
}
