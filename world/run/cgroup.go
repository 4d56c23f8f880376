package run

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// cgroupRoot is the folder of all runs' cgroups in every hierarchy.
const cgroupRoot = "brine"

// look is how often a state that nothing announces is looked at again.
const look = 5 * time.Millisecond

// hierarchies lists where cgroup hierarchies are mounted, version 1 (several) and
// 2 (one), each once.
func hierarchies() ([]string, error) {
	all, err := mounts()
	if err != nil {
		return nil, err
	}
	var points []string
	seen := map[string]bool{}
	for _, m := range all {
		if (m.fstype != "cgroup" && m.fstype != "cgroup2") || seen[m.device] || !onCgroup(m.point) {
			continue
		}
		seen[m.device] = true
		points = append(points, m.point)
	}
	return points, nil
}

// onCgroup tells whether a path really leads to a cgroup file system, and not to
// what was mounted over it later.
func onCgroup(path string) bool {
	var fs unix.Statfs_t
	if unix.Statfs(path, &fs) != nil {
		return false
	}
	return fs.Type == unix.CGROUP2_SUPER_MAGIC || fs.Type == unix.CGROUP_SUPER_MAGIC
}

// cgroups is the cgroup brine/<run> in every hierarchy, whether it is there or not.
type cgroups struct {
	path string   // "/brine/<run>"
	dirs []string // absolute, one in each hierarchy
}

func cgroupsOf(id string) (cgroups, error) {
	points, err := hierarchies()
	c := cgroups{path: "/" + cgroupRoot + "/" + id}
	for _, p := range points {
		c.dirs = append(c.dirs, filepath.Join(p, c.path))
	}
	return c, err
}

// create makes the cgroups. They keep cgroup brine in place while the run lives,
// so that another run's end does not take it from under a mkdir of this one.
func (c cgroups) create() error {
	for _, dir := range c.dirs {
		var err error
		for range 100 { // the parent may go just then, with the last of the other runs
			if err = os.MkdirAll(dir, 0o755); !errors.Is(err, fs.ErrNotExist) {
				break
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// list lists the run's existing cgroups, in every hierarchy the deepest first.
func (c cgroups) list() []string {
	var all []string
	for _, top := range c.dirs {
		var found []string
		// A cgroup that goes while we walk is what we want: no error is one.
		_ = filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				found = append(found, path)
			}
			return nil
		})
		slices.Reverse(found)
		all = append(all, found...)
	}
	return all
}

// pids lists the processes in the run's cgroups.
func (c cgroups) pids() []int { return pidsIn(c.list()) }

func pidsIn(dirs []string) []int {
	var pids []int
	for _, dir := range dirs {
		text, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
		if err != nil {
			continue // gone
		}
		for word := range strings.FieldsSeq(string(text)) {
			if pid, err := strconv.Atoi(word); err == nil && pid > 0 {
				pids = append(pids, pid)
			}
		}
	}
	slices.Sort(pids)
	return slices.Compact(pids) // the same process is in every hierarchy
}

// kill kills what is in the cgroups until they are empty or ctx ends, and returns
// the pids that are left.
func (c cgroups) kill(ctx context.Context) []int {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		for _, top := range c.dirs {
			poke(top, "cgroup.kill", "1") // version 2, Linux 5.14: the whole tree, no fork escapes
		}
		dirs := c.list()
		pids := pidsIn(dirs)
		if len(pids) == 0 {
			return nil
		}
		for _, pid := range pids {
			killIn(pid, c.path)
		}
		for _, dir := range dirs {
			// What is frozen must run to die, in version 1 at least. The kill is
			// pending by now: it runs no instruction of its own.
			poke(dir, "freezer.state", "THAWED")
			poke(dir, "cgroup.freeze", "0")
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return c.pids()
		}
	}
}

// remove removes the cgroups, trying until ctx ends: the kernel keeps one busy
// for a moment after its last process died. It then removes cgroup brine, which
// stays where other runs have theirs.
func (c cgroups) remove(ctx context.Context) error {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		var errs []error
		for _, dir := range c.list() {
			if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, err)
			}
		}
		if len(errs) == 0 {
			break
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.Join(errs...)
		}
	}
	for _, dir := range c.dirs {
		_ = os.Remove(filepath.Dir(dir)) // refused while it is not empty
	}
	return nil
}

// poke writes to a control file that may not be there.
func poke(dir, file, text string) {
	f, err := os.OpenFile(filepath.Join(dir, file), os.O_WRONLY, 0)
	if err != nil {
		return
	}
	_, _ = f.WriteString(text)
	_ = f.Close()
}
