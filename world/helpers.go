package world

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// keeper is a process of ours that keeps containers or harm up, or sees to its end.
type keeper struct {
	what string // "the server of the disk of node1: etcd"
	pid  int
	gone error // it is known to have ended
}

// keepers lists those of this scenario.
func (w *World) keepers() []keeper {
	var all []keeper
	if w.rt != nil {
		all = append(all, keeper{what: "containerd", pid: w.rt.Daemon(), gone: w.rt.Ended()})
	}
	if w.group != nil {
		all = append(all, keeper{what: "the shim, which serves the containers", pid: w.group.Shim()})
	}
	if w.faults != nil {
		all = append(all, keeper{what: "the delay line, which holds back packets", pid: w.faults.DelayLine()})
	}
	for _, n := range w.allNodes() {
		all = append(all, keeper{what: "the clocks' watchdog, which sees to the clock of " + n.Name, pid: n.clock.watchdog()})
		for _, s := range n.services {
			if s.disk != nil {
				all = append(all, keeper{what: "the server of the disk of " + s.label(), pid: s.disk.PID(), gone: s.disk.Gone()})
			}
		}
	}
	return slices.DeleteFunc(all, func(k keeper) bool { return k.pid == 0 && k.gone == nil })
}

// hintBroken is what there is to say of them.
const hintBroken = "something else than Brine killed or stopped it; without it, what the sentences say is not so"

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

// wake lets those go on that were stopped, so that nothing waits for them when all
// is taken down.
func (w *World) wake() {
	for _, k := range w.keepers() {
		if k.gone == nil && processState(k.pid) == "T" {
			_ = unix.Kill(k.pid, unix.SIGCONT) // it may have ended meanwhile
		}
	}
}

func (k keeper) name() string {
	if k.pid == 0 {
		return k.what
	}
	return fmt.Sprintf("%s (process %d)", k.what, k.pid)
}

func (k keeper) check() error {
	if k.gone != nil {
		return fmt.Errorf("%s: %w", k.name(), k.gone)
	}
	switch processState(k.pid) {
	case "T":
		return fmt.Errorf("%s does not run: it was stopped", k.name())
	case "Z", "X", "":
		return fmt.Errorf("%s has ended", k.name())
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
