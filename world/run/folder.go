package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// gone leads the name of a run's folder that is being removed: renaming takes the
// run off the list in one step, however long the removing takes.
const gone = ".gone-"

// makePrivate makes a folder that only its owner may enter, and its parents. One
// that is there already must be so: in a folder that others can write to they
// could put links and locks of their own.
func makePrivate(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !ok || int(owner.Uid) != os.Geteuid() || info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s: %v: not a folder that only user %d can enter\nhint: remove it, or choose another state folder with BRINE_STATE",
			dir, info.Mode(), os.Geteuid())
	}
	return nil
}

// makeFolder draws ids until one has a folder and its lock to itself.
func makeFolder(runs string) (id, dir string, held *lock, err error) {
	for range 100 {
		id = newID()
		dir = filepath.Join(runs, id)
		if err = os.Mkdir(dir, 0o700); errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return "", "", nil, err
		}
		held, err = lockNew(dir)
		if !errors.Is(err, errBusy) {
			return id, dir, held, err
		}
		// A sweep took the folder for a dead run's: it, or the next one, removes it.
	}
	return "", "", nil, fmt.Errorf("%s: no new run folder: %w", runs, err)
}

// retire unmounts what is mounted under a run's folder and removes it. As long as
// something is mounted there nothing is removed: it might be another's data.
func retire(dir string) error {
	if err := detachUnder(dir); err != nil {
		return err
	}
	hidden := filepath.Join(filepath.Dir(dir), gone+filepath.Base(dir))
	if err := os.Rename(dir, hidden); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // another sweep was faster
		}
		return err
	}
	return os.RemoveAll(hidden)
}

// removeGone removes folders whose removing was cut short.
func removeGone(runs string) error {
	entries, err := os.ReadDir(runs)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), gone) {
			errs = append(errs, os.RemoveAll(filepath.Join(runs, e.Name())))
		}
	}
	return errors.Join(errs...)
}
