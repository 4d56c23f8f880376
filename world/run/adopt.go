package run

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
)

// Adopt notes a process that is in none of the run's cgroups, such as a FUSE
// server, so that it dies with the run: name says what it is, in errors. Where it
// leads a process group the group dies too. A pid that another process has by
// then is left alone.
func (r *Run) Adopt(name string, pid int) error { return adopt(r.Dir, name, pid) }

// Disown forgets a process that was adopted and has been ended by its owner.
func (r *Run) Disown(pid int) error {
	err := os.Remove(filepath.Join(r.Dir, "pids", strconv.Itoa(pid)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// An adopted process is a file in the run's folder pids: it is called as the pid,
// and its lines are the process's birth and what it is.
type adopted struct {
	pid        int
	born, name string
}

func (a adopted) String() string { return fmt.Sprintf("%s (pid %d)", a.name, a.pid) }

func adopt(dir, name string, pid int) error {
	born, err := birth(pid)
	if err != nil {
		return fmt.Errorf("%s: adopt pid %d: %w", name, pid, err)
	}
	// Written beside and renamed, so that a reaper never reads half of it.
	path := filepath.Join(dir, "pids", strconv.Itoa(pid))
	if err := os.WriteFile(path+".new", []byte(born+"\n"+name+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// adoptedIn lists what the run with that folder had adopted and is still alive.
func adoptedIn(dir string) []adopted {
	entries, err := os.ReadDir(filepath.Join(dir, "pids"))
	if err != nil {
		return nil // the folder is gone, or the run died before it was made
	}
	var all []adopted
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, "pids", e.Name()))
		if err != nil {
			continue
		}
		born, name, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
		if a := (adopted{pid: pid, born: born, name: name}); aliveBorn(pid, born) {
			all = append(all, a)
		}
	}
	return all
}

// killAdopted kills what the run had adopted until all is dead or ctx ends, and
// returns what is left.
func killAdopted(ctx context.Context, dir string) []adopted {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		all := adoptedIn(dir)
		if len(all) == 0 {
			return nil
		}
		for _, a := range all {
			killBorn(a.pid, a.born)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return adoptedIn(dir)
		}
	}
}
