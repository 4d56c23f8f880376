package cgroup

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Tree is the host's control group hierarchies as this process sees them.
type Tree struct {
	unified string            // where cgroup2 is mounted
	v1      map[string]string // v1 controller ("memory", "name=systemd") → mount point
}

// Open finds the mounted hierarchies in /proc/self/mountinfo. It fails when no
// cgroup2 hierarchy is mounted.
func Open() (*Tree, error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("find the control groups: %w", err)
	}
	defer f.Close() //nolint:errcheck // read only
	return parse(f)
}

// parse reads mountinfo lines: "36 35 98:0 /root /mount opts - type source superopts".
func parse(r io.Reader) (*Tree, error) {
	t := &Tree{v1: map[string]string{}}
	sc := bufio.NewScanner(r)
	for sc.Scan() {
		before, after, ok := strings.Cut(sc.Text(), " - ")
		fields, tail := strings.Fields(before), strings.Fields(after)
		if !ok || len(fields) < 5 || len(tail) < 3 {
			continue
		}
		at := fields[4]
		switch tail[0] {
		case "cgroup2":
			if t.unified == "" {
				t.unified = at
			}
		case "cgroup":
			for _, opt := range strings.Split(tail[2], ",") {
				if opt != "rw" && opt != "ro" && t.v1[opt] == "" {
					t.v1[opt] = at
				}
			}
		}
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("read mountinfo: %w", err)
	}
	if t.unified == "" {
		return nil, errors.New("no cgroup2 hierarchy is mounted\nhint: mount -t cgroup2 none /sys/fs/cgroup/unified")
	}
	return t, nil
}

// V2 tells whether memory and CPU are controlled through cgroup2.
func (t *Tree) V2() bool { return t.v1["memory"] == "" }

// dirs lists the folder of path in every hierarchy, the unified one first.
func (t *Tree) dirs(path string) []string {
	out := []string{filepath.Join(t.unified, path)}
	for _, at := range t.v1 {
		if d := filepath.Join(at, path); !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	return out
}

// Group names the group at path, which begins with a slash and need not exist.
func (t *Tree) Group(path string) *Group { return &Group{tree: t, Path: path} }

// Make makes the group and its parents in the hierarchies that this package
// writes to: the unified one, and on a hybrid host those of memory and CPU.
// It is no error when it is there already.
func (t *Tree) Make(path string) (*Group, error) {
	if err := os.MkdirAll(filepath.Join(t.unified, path), 0o755); err != nil {
		return nil, fmt.Errorf("cgroup %s: %w", path, err)
	}
	if t.V2() {
		if err := t.delegate(path); err != nil {
			return nil, err
		}
	}
	for _, controller := range []string{"memory", "cpu"} {
		if at := t.v1[controller]; at != "" {
			if err := os.MkdirAll(filepath.Join(at, path), 0o755); err != nil {
				return nil, fmt.Errorf("cgroup %s: %w", path, err)
			}
		}
	}
	return t.Group(path), nil
}

// Hold makes the group's folder in every hierarchy, so that no one finds a
// parent of it empty and removes it while a runtime makes groups below.
func (t *Tree) Hold(path string) error {
	for _, dir := range t.dirs(path) {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("cgroup %s: %w", path, err)
		}
	}
	return nil
}

// MakeLeaf makes a group for processes of its own: below its parent, which Make
// makes, and without controllers for children (cgroup2 refuses processes in a
// group that delegates).
func (t *Tree) MakeLeaf(path string) (*Group, error) {
	if _, err := t.Make(filepath.Dir(path)); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(t.unified, path), 0o755); err != nil {
		return nil, fmt.Errorf("cgroup %s: %w", path, err)
	}
	return t.Group(path), nil
}

// delegate switches the controllers on for path's parents and for path's own
// children, as far as the root offers them.
func (t *Tree) delegate(path string) error {
	offered, err := os.ReadFile(filepath.Join(t.unified, "cgroup.controllers"))
	if err != nil {
		return fmt.Errorf("cgroup %s: %w", path, err)
	}
	dir := t.unified
	for _, part := range append([]string{""}, strings.Split(strings.Trim(path, "/"), "/")...) {
		dir = filepath.Join(dir, part)
		for _, c := range []string{"memory", "cpu", "pids"} {
			if !slices.Contains(strings.Fields(string(offered)), c) {
				continue
			}
			if err := write(filepath.Join(dir, "cgroup.subtree_control"), "+"+c); err != nil {
				return fmt.Errorf("cgroup %s: delegate %s: %w", path, c, err)
			}
		}
	}
	return nil
}

// List names the groups directly below path, in any hierarchy.
func (t *Tree) List(path string) []string {
	var out []string
	for _, dir := range t.dirs(path) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // not in this hierarchy
		}
		for _, e := range entries {
			if e.IsDir() && !slices.Contains(out, e.Name()) {
				out = append(out, e.Name())
			}
		}
	}
	slices.Sort(out)
	return out
}

func write(file, text string) error {
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}
