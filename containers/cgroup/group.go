package cgroup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Group is one control group, the same path in every hierarchy.
type Group struct {
	Path string // below the hierarchies' roots, begins with a slash

	tree *Tree
}

// Exists tells whether the group is there in any hierarchy.
func (g *Group) Exists() bool {
	for _, d := range g.tree.dirs(g.Path) {
		if _, err := os.Stat(d); err == nil {
			return true
		}
	}
	return false
}

// Child names the group called name below g.
func (g *Group) Child(name string) *Group {
	return g.tree.Group(filepath.Join(g.Path, name))
}

func (g *Group) unified(file string) string {
	return filepath.Join(g.tree.unified, g.Path, file)
}

// Join moves the process pid into the group, in the unified hierarchy alone.
func (g *Group) Join(pid int) error {
	if err := write(g.unified("cgroup.procs"), strconv.Itoa(pid)); err != nil {
		return fmt.Errorf("cgroup %s: take in process %d: %w", g.Path, pid, err)
	}
	return nil
}

// Pids lists the processes of the group and of the groups below it.
func (g *Group) Pids() ([]int, error) {
	var out []int
	err := filepath.WalkDir(g.unified(""), func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed meanwhile
		}
		if err != nil || !d.IsDir() {
			return err
		}
		text, err := os.ReadFile(filepath.Join(path, "cgroup.procs"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.ENODEV) {
			return err
		}
		for _, word := range strings.Fields(string(text)) {
			if pid, err := strconv.Atoi(word); err == nil {
				out = append(out, pid)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("cgroup %s: list processes: %w", g.Path, err)
	}
	return out, nil
}

// Kill sends SIGKILL to every process of the group and below, frozen ones too,
// and returns when none is left. A group that does not exist is no error.
func (g *Group) Kill(ctx context.Context) error {
	err := write(g.unified("cgroup.kill"), "1")
	if errors.Is(err, fs.ErrNotExist) {
		if _, serr := os.Stat(g.unified("")); serr != nil {
			return nil
		}
		err = g.killEach(ctx)
	}
	if err != nil && !errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("cgroup %s: kill: %w", g.Path, err)
	}
	return g.await(ctx, "populated 0")
}

// killEach stands in for cgroup.kill before Linux 5.14: frozen processes
// cannot fork away from the list.
func (g *Group) killEach(ctx context.Context) error {
	if err := g.Freeze(ctx); err != nil {
		return err
	}
	pids, err := g.Pids()
	if err != nil {
		return err
	}
	for _, pid := range pids {
		if err := unix.Kill(pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
			return err
		}
	}
	return write(g.unified("cgroup.freeze"), "0")
}

// Freeze stops every process of the group and below where it is and returns
// when they stand.
func (g *Group) Freeze(ctx context.Context) error {
	if err := write(g.unified("cgroup.freeze"), "1"); err != nil {
		return fmt.Errorf("cgroup %s: freeze: %w", g.Path, err)
	}
	return g.await(ctx, "frozen 1")
}

// Thaw lets the processes of a frozen group go on.
func (g *Group) Thaw(ctx context.Context) error {
	if err := write(g.unified("cgroup.freeze"), "0"); err != nil {
		return fmt.Errorf("cgroup %s: thaw: %w", g.Path, err)
	}
	return g.await(ctx, "frozen 0")
}

// WaitEmpty returns when no process is left in the group or below it.
func (g *Group) WaitEmpty(ctx context.Context) error { return g.await(ctx, "populated 0") }

// await returns when a line of cgroup.events is as given, or the group is gone.
// The kernel wakes poll on every change of that file.
func (g *Group) await(ctx context.Context, line string) error {
	f, err := os.Open(g.unified("cgroup.events"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cgroup %s: %w", g.Path, err)
	}
	defer f.Close() //nolint:errcheck // read only
	buf := make([]byte, 256)
	for {
		n, err := f.ReadAt(buf, 0)
		if errors.Is(err, unix.ENODEV) {
			return nil
		}
		for _, l := range strings.Split(string(buf[:n]), "\n") {
			if l == line {
				return nil
			}
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("cgroup %s: wait for %q: %w", g.Path, line, err)
		}
		fds := []unix.PollFd{{Fd: int32(f.Fd()), Events: unix.POLLPRI}}
		if _, err := unix.Poll(fds, 50); err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("cgroup %s: poll: %w", g.Path, err)
		}
	}
}

// Remove removes the group and all below it from every hierarchy. What still
// runs there is killed first.
func (g *Group) Remove(ctx context.Context) error {
	if err := g.Kill(ctx); err != nil {
		return err
	}
	var errs []error
	for _, dir := range g.tree.dirs(g.Path) {
		errs = append(errs, removeTree(ctx, dir))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("cgroup %s: remove: %w", g.Path, err)
	}
	return nil
}

// removeTree removes folders from the deepest up. A v1 group may be busy for a
// moment after its last process ended.
func removeTree(ctx context.Context, dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() {
			if err := removeTree(ctx, filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	for {
		err := unix.Rmdir(dir)
		if err == nil || errors.Is(err, unix.ENOENT) {
			return nil
		}
		if !errors.Is(err, unix.EBUSY) {
			return fmt.Errorf("%s: %w", dir, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", dir, err)
		case <-time.After(2 * time.Millisecond):
		}
	}
}
