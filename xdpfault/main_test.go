package xdpfault

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
)

// TestMain runs the tests and then looks for what they left in the kernel.
func TestMain(m *testing.M) {
	code := m.Run()
	if os.Geteuid() == 0 {
		if left := leftovers(5 * time.Second); len(left) > 0 {
			fmt.Fprintln(os.Stderr, "left in the kernel:", strings.Join(left, ", "))
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// leftovers lists programs and maps that this process still holds, and its
// namespace descriptors, waiting for the kernel to free what is on its way out.
func leftovers(wait time.Duration) []string {
	deadline := time.Now().Add(wait)
	for {
		left := held()
		if len(left) == 0 || time.Now().After(deadline) {
			return left
		}
		time.Sleep(20 * time.Millisecond) // between two looks; there is nothing to subscribe to
	}
}

// held looks through this process's descriptors, and through the kernel's
// list of programs for those that nobody holds but a device.
func held() []string {
	var left []string
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return []string{err.Error()}
	}
	for _, entry := range entries {
		target, err := os.Readlink("/proc/self/fd/" + entry.Name())
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if strings.Contains(target, "bpf") || strings.HasPrefix(target, "net:") && entry.Name() != fmt.Sprint(homeNS) {
			left = append(left, target)
		}
	}
	if os.Getenv("BRINE_ALONE") == "" {
		return left // another run's programs look like ours
	}
	for id := ebpf.ProgramID(0); ; {
		next, err := ebpf.ProgramGetNextID(id)
		if err != nil {
			return left
		}
		id = next
		if prog, err := ebpf.NewProgramFromID(id); err == nil {
			if info, err := prog.Info(); err == nil && strings.HasPrefix(info.Name, "brine_") {
				left = append(left, fmt.Sprintf("program %d %s", id, info.Name))
			}
			_ = prog.Close()
		}
	}
}
