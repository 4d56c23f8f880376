package clock

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// group is the node's control group in the cgroup2 hierarchy. Everything below
// it belongs to the node, too.
type group struct {
	path   string // "/brine/…"
	folder string
	id     uint64
}

// findGroup finds the group of this path.
func findGroup(path string) (*group, error) {
	mount, err := cgroup2Mount()
	if err != nil {
		return nil, err
	}
	g := &group{path: filepath.Clean(path), folder: filepath.Join(mount, path)}
	info, err := os.Stat(g.folder)
	if err != nil {
		return nil, err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || g.path == "/" || !filepath.IsAbs(g.path) {
		return nil, fmt.Errorf("control group %s: not a node's", path)
	}
	g.id = stat.Ino // that is how the kernel numbers groups
	return g, nil
}

// cgroup2Mount finds where the cgroup2 hierarchy is mounted.
var cgroup2Mount = sync.OnceValues(func() (string, error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	defer f.Close()
	for sc := bufio.NewScanner(f); sc.Scan(); {
		before, after, _ := strings.Cut(sc.Text(), " - ")
		if fields := strings.Fields(before); strings.HasPrefix(after, "cgroup2 ") && len(fields) > 4 {
			return fields[4], nil
		}
	}
	return "", errors.New("no cgroup2 hierarchy is mounted\nhint: mount -t cgroup2 none /sys/fs/cgroup/unified")
})

// pids lists the processes of the group and of those below it.
func (g *group) pids() ([]int, error) {
	var out []int
	err := filepath.WalkDir(g.folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return ignoreMissing(err)
		}
		text, err := os.ReadFile(filepath.Join(path, "cgroup.procs"))
		if errors.Is(err, syscall.EOPNOTSUPP) {
			return nil // a threaded group: its processes are listed above it
		}
		for _, line := range bytes.Fields(text) {
			if pid, err := strconv.Atoi(string(line)); err == nil && pid > 0 && !slices.Contains(out, pid) {
				out = append(out, pid)
			}
		}
		return ignoreMissing(err)
	})
	return out, err
}

// holds tells whether pid is in the group or below it.
func (g *group) holds(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		if at, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "0::"); ok {
			return at == g.path || strings.HasPrefix(at, g.path+"/")
		}
	}
	return false
}

// paused tells whether a process stands still and will go on standing: stopped
// by a signal, or in a frozen control group.
func paused(pid int) bool {
	if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil && bytes.Contains(stat, []byte(") T ")) {
		return true
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		return false
	}
	_, path, _ := strings.Cut("\n"+string(text), "\n0::")
	path, _, _ = strings.Cut(path, "\n")
	mount, err := cgroup2Mount()
	if err != nil {
		return false
	}
	events, err := os.ReadFile(filepath.Join(mount, path, "cgroup.events"))
	return err == nil && strings.Contains(string(events), "frozen 1")
}

// ignoreMissing forgives groups and processes that end while they are listed.
func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENODEV) {
		return nil
	}
	return err
}
