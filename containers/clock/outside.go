package clock

import (
	"bytes"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// kcmpVM compares two processes' memory (KCMP_VM, linux/kcmp.h).
const kcmpVM = 1

// borrows tells whether a process still has the memory of a parent outside of
// the node, as one has between vfork and exec: container runtimes start
// processes in a node so. It is patched when it executes its program.
func (g *group) borrows(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	// "pid (comm) state ppid …": comm may have anything in it.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 2 {
		return false
	}
	parent, err := strconv.Atoi(string(fields[1]))
	if err != nil || parent == 0 || g.holds(parent) {
		return false
	}
	order, _, errno := unix.Syscall6(unix.SYS_KCMP, uintptr(pid), uintptr(parent), kcmpVM, 0, 0, 0)
	return errno == 0 && order == 0
}
