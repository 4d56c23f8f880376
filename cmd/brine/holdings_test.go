package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
)

// held is what a living suite has, as the kernel tells of it.
type held struct {
	runs       []string // ids
	programs   []int    // BPF programs and maps that it has open
	maps       []int
	namespaces []string // net:[inode]
	helpers    []helper
}

func (h held) String() string {
	return fmt.Sprintf("run %v, %d programs, %d maps, %d network namespaces, helpers %v", h.runs, len(h.programs), len(h.maps), len(h.namespaces), h.helpers)
}

// holdings lists what a process has open, and its run's id.
func holdings(t *testing.T, pid int, dir string) held {
	t.Helper()
	var h held
	runs, _ := os.ReadDir(filepath.Join(dir, "state/runs"))
	for _, r := range runs {
		h.runs = append(h.runs, r.Name())
	}
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fdinfo", pid))
	if err != nil {
		t.Fatal(err)
	}
	own, _ := os.Readlink("/proc/self/ns/net")
	for _, f := range files {
		info, _ := os.ReadFile(fmt.Sprintf("/proc/%d/fdinfo/%s", pid, f.Name()))
		for line := range strings.Lines(string(info)) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
			id, _ := strconv.Atoi(strings.TrimSpace(value))
			switch name {
			case "prog_id":
				h.programs = append(h.programs, id)
			case "map_id":
				h.maps = append(h.maps, id)
			}
		}
		to, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", pid, f.Name()))
		if strings.HasPrefix(to, "net:[") && to != own {
			h.namespaces = append(h.namespaces, to)
		}
	}
	for _, p := range processes() {
		status, _ := os.ReadFile(p + "/status")
		if h1, ok := helperOf(p); ok && strings.Contains(string(status), fmt.Sprintf("\nPPid:\t%d\n", pid)) {
			h.helpers = append(h.helpers, h1)
		}
	}
	return h
}

// helper is a process that a suite started: the program itself in another part.
type helper struct{ pid, start, kind string }

func (h helper) String() string { return h.kind + " " + h.pid }

// helperKinds are the parts that the program plays. The engine is not among them:
// it is shared by runs, and its own reaper is the next run.
var helperKinds = []string{"brine-diskfault", "brine-clock-watchdog", "brine-delay-line", "brine-guest", outlives}

// outlives is the kind that is there to outlive its suite.
const outlives = "brine-reaper"

// helperOf tells whether a process is one. Its start tells it from another one with
// its number.
func helperOf(process string) (helper, bool) {
	text, _ := os.ReadFile(process + "/cmdline")
	kind, _, _ := strings.Cut(string(text), "\x00")
	if !slices.Contains(helperKinds, kind) {
		return helper{}, false
	}
	stat, _ := os.ReadFile(process + "/stat")
	_, after, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(after)
	if len(fields) < 20 {
		return helper{}, false
	}
	return helper{filepath.Base(process), fields[19], kind}, true
}

// kinds counts the helpers by kind.
func (h held) kinds() map[string]int {
	n := map[string]int{}
	for _, one := range h.helpers {
		n[one.kind]++
	}
	return n
}

// helping lists the helpers that live still, but for those of one kind.
func (h held) helping(but string) []string {
	var left []string
	for _, p := range processes() {
		if one, ok := helperOf(p); ok && one.kind != but && slices.Contains(h.helpers, one) {
			left = append(left, "helper "+one.String())
		}
	}
	return left
}

// running lists what of it is alive in the kernel: processes in its cgroups and
// namespaces, programs and maps. A veth lives as long as its namespace does.
func (h held) running() []string {
	left := h.processes()
	for _, p := range processes() {
		// Soon after the kill: later the number may be another namespace's.
		if ns, err := os.Readlink(p + "/ns/net"); err == nil && slices.Contains(h.namespaces, ns) {
			left = append(left, fmt.Sprintf("process %s (%s) in %s", filepath.Base(p), comm(p), ns))
		}
	}
	for _, id := range h.programs {
		if p, err := ebpf.NewProgramFromID(ebpf.ProgramID(id)); err == nil {
			_ = p.Close()
			left = append(left, fmt.Sprintf("BPF program %d", id))
		}
	}
	for _, id := range h.maps {
		if m, err := ebpf.NewMapFromID(ebpf.MapID(id)); err == nil {
			_ = m.Close()
			left = append(left, fmt.Sprintf("BPF map %d", id))
		}
	}
	return left
}

// processes lists the processes in cgroups of its runs.
func (h held) processes() []string {
	var left []string
	for _, p := range processes() {
		text, _ := os.ReadFile(p + "/cgroup")
		for _, id := range h.runs {
			if strings.Contains(string(text), "/brine/"+id) {
				left = append(left, fmt.Sprintf("process %s (%s) in a cgroup of run %s", filepath.Base(p), comm(p), id))
			}
		}
	}
	return left
}

// processes lists the folders of living processes. Zombies hold nothing any more;
// how soon they go is the matter of the machine's init.
func processes() []string {
	all, _ := filepath.Glob("/proc/[0-9]*")
	return slices.DeleteFunc(all, func(p string) bool {
		text, _ := os.ReadFile(p + "/stat")
		threads, _ := filepath.Glob(p + "/task/*")
		return strings.Contains(string(text), ") Z ") && len(threads) == 1
	})
}

// remains lists what of it is left anywhere: what runs, shims, mounts, cgroups and files.
func (h held) remains(dir string) []string {
	left := h.processes()
	state := filepath.Join(dir, "state")
	for _, p := range processes() {
		text, _ := os.ReadFile(p + "/cmdline")
		words := strings.Split(string(text), "\x00")
		for _, id := range h.runs {
			if slices.Contains(words, "brine-"+id) || slices.Contains(words, id) {
				left = append(left, fmt.Sprintf("process %s: %q", filepath.Base(p), words))
			}
		}
	}
	left = append(left, mountsBelow(state)...)
	for _, id := range h.runs {
		for _, pattern := range []string{"/sys/fs/cgroup/brine/", "/sys/fs/cgroup/*/brine/"} {
			groups, _ := filepath.Glob(pattern + id)
			left = append(left, groups...)
		}
	}
	ofRun := regexp.MustCompile(`\b(` + strings.Join(h.runs, "|") + `)\b`)
	for _, root := range []string{state, os.TempDir()} {
		entries, _ := os.ReadDir(root)
		for _, e := range entries {
			if len(h.runs) > 0 && ofRun.MatchString(e.Name()) {
				left = append(left, filepath.Join(root, e.Name()))
			}
		}
	}
	runs, _ := filepath.Glob(state + "/runs/*")
	hidden, _ := filepath.Glob(state + "/runs/.*")
	return slices.Concat(left, runs, hidden)
}

// mountsBelow lists the mounts below a folder, in every mount namespace: those of
// disks are in the engine's.
func mountsBelow(dir string) []string {
	var left []string
	seen := map[string]bool{}
	for _, p := range processes() {
		ns, err := os.Readlink(p + "/ns/mnt")
		if err != nil || seen[ns] {
			continue
		}
		seen[ns] = true
		mounts, _ := os.ReadFile(p + "/mountinfo")
		for line := range strings.Lines(string(mounts)) {
			if strings.Contains(line, " "+dir) {
				left = append(left, "mount in "+ns+": "+strings.TrimSpace(line))
			}
		}
	}
	return left
}

func comm(process string) string {
	text, _ := os.ReadFile(process + "/comm")
	return strings.TrimSpace(string(text))
}
