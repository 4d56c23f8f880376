package clock

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if os.Getenv(victimVar) != "" {
		victim()
	}
	code := m.Run()
	if built != "" {
		_ = os.RemoveAll(built)
	}
	if left := leaks(); len(left) > 0 {
		fmt.Fprintln(os.Stderr, "left behind:\n ", strings.Join(left, "\n  "))
		code = 1
	}
	os.Exit(code)
}

// leaks waits for the kernel to free what was closed, and lists what stays:
// watchdogs, control groups, descriptors of BPF objects, processes that are traced by us.
func leaks() []string {
	deadline := time.Now().Add(5 * time.Second)
	for {
		var left []string
		processes, _ := filepath.Glob("/proc/[0-9]*/cmdline")
		for _, p := range processes {
			status, _ := os.ReadFile(filepath.Join(filepath.Dir(p), "status"))
			ours := strings.Contains(string(status), fmt.Sprintf("\nPPid:\t%d\n", os.Getpid()))
			if text, _ := os.ReadFile(p); ours && strings.HasPrefix(string(text), "brine-clock-watchdog") {
				left = append(left, "watchdog "+p)
			}
			if strings.Contains(string(status), fmt.Sprintf("TracerPid:\t%d\n", os.Getpid())) {
				left = append(left, "traced "+p)
			}
		}
		groups, _ := filepath.Glob(fmt.Sprintf("/sys/fs/cgroup/*/brine/clk%d*", os.Getpid()))
		left = append(left, groups...)
		fds, _ := os.ReadDir("/proc/self/fd")
		for _, fd := range fds {
			if to, _ := os.Readlink("/proc/self/fd/" + fd.Name()); strings.Contains(to, "bpf") {
				left = append(left, "descriptor of "+to)
			}
		}
		if len(left) == 0 || time.Now().After(deadline) {
			return left
		}
		time.Sleep(10 * time.Millisecond)
	}
}
