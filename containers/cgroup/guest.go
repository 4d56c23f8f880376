package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// CPU weights of a group on v1: the usual, and the most. On v2 they are 100 and 10,000.
const (
	defaultShares = 1024
	maxShares     = 262_144
)

// MakeGuest makes a group for processes that are added to g from outside: below
// it, in the hierarchies that this package writes to. When there is not CPU for
// all of g, the guest gets weight times as much as another group of g.
func (g *Group) MakeGuest(name string, weight int) (*Group, error) {
	guest, err := g.tree.MakeLeaf(filepath.Join(g.Path, name))
	if err != nil {
		return nil, err
	}
	for _, controller := range []string{"memory", "cpu"} {
		if at := g.tree.v1[controller]; at != "" {
			if err := os.MkdirAll(filepath.Join(at, guest.Path), 0o755); err != nil {
				return nil, fmt.Errorf("cgroup %s: %w", guest.Path, err)
			}
		}
	}
	if weight > 1 {
		text := strconv.Itoa(min(weight*defaultShares, maxShares))
		if g.tree.v1["cpu"] == "" {
			text = strconv.Itoa(min(weight*100, 10_000))
		}
		if err := write(guest.file("cpu", "cpu.shares", "cpu.weight"), text); err != nil {
			return nil, fmt.Errorf("cgroup %s: CPU weight %d: %w", guest.Path, weight, err)
		}
	}
	return guest, nil
}

// JoinAll moves the process pid into the group in every hierarchy that has it.
func (g *Group) JoinAll(pid int) error {
	for _, dir := range g.tree.dirs(g.Path) {
		err := write(filepath.Join(dir, "cgroup.procs"), strconv.Itoa(pid))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("cgroup %s: take in process %d: %w", g.Path, pid, err)
		}
	}
	return nil
}

// OpenFolder opens the group's folder in the unified hierarchy, for a process
// that is to be started in the group (clone3, Linux 5.7).
func (g *Group) OpenFolder() (*os.File, error) { return os.Open(g.unified("")) }
