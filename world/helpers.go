package world

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// keeper is a process of ours that keeps harm up, or sees to its end.
type keeper struct {
	what string // "the server of the disk of node1: etcd"
	pid  int
	gone error // it is known to have ended
}

// keepers lists those of this scenario.
func (w *World) keepers() []keeper {
	var all []keeper
	if w.faults != nil {
		if pid := w.faults.DelayLine(); pid != 0 {
			all = append(all, keeper{what: "the delay line, which holds back packets", pid: pid})
		}
	}
	for _, n := range w.allNodes() {
		if pid := n.clock.watchdog(); pid != 0 {
			all = append(all, keeper{what: "the clocks' watchdog, which sees to the clock of " + n.Name, pid: pid})
		}
		for _, s := range n.services {
			if s.disk != nil {
				all = append(all, keeper{what: "the server of the disk of " + s.label(), pid: s.disk.PID(), gone: s.disk.Gone()})
			}
		}
	}
	return all
}

// hintBroken is what there is to say of them.
const hintBroken = "something else than Brine killed or stopped it; without it harm is not what the sentences say"

// broken tells which of them do nothing: they have ended, or were stopped. What
// they kept up did not happen as the sentences say, and nobody else would notice.
func (w *World) broken() []string {
	var all []string
	for _, k := range w.keepers() {
		if err := k.check(); err != nil {
			all = append(all, err.Error())
		}
	}
	return all
}

func (w *World) brokenError() error {
	all := w.broken()
	if len(all) == 0 {
		return nil
	}
	return fmt.Errorf("%s\nhint: %s", strings.Join(all, "\n"), hintBroken)
}

// endStopped kills those that were stopped, so that nothing waits for them when all
// is taken down.
func (w *World) endStopped() {
	for _, k := range w.keepers() {
		if k.gone == nil && processState(k.pid) == "T" {
			_ = unix.Kill(k.pid, unix.SIGKILL) // it is our child, not waited for
		}
	}
}

func (k keeper) check() error {
	if k.gone != nil {
		return fmt.Errorf("%s (process %d): %w", k.what, k.pid, k.gone)
	}
	switch processState(k.pid) {
	case "T":
		return fmt.Errorf("%s (process %d) does not run: it was stopped", k.what, k.pid)
	case "Z", "X", "":
		return fmt.Errorf("%s (process %d) has ended", k.what, k.pid)
	}
	return nil
}

// processState is a process's letter in proc_pid_stat(5), "" when it is gone.
func processState(pid int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The name, in brackets, may hold brackets.
	state, _, _ := strings.Cut(string(text[strings.LastIndexByte(string(text), ')')+1:])[1:], " ")
	return state
}
