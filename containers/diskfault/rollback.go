package diskfault

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// rollback undoes every change of names that is not durable, from the last to
// the first, and returns how many there were.
func (e *entries) rollback() (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var errs []error
	n := 0
	for e.all.Len() > 0 {
		c := e.all.Back().Value.(*change)
		if err := e.undo(c); err != nil {
			errs = append(errs, fmt.Errorf("undo of %s: %w", c, err))
		}
		c.done = true
		for _, d := range c.touches() {
			d.changes = d.changes[:len(d.changes)-1]
		}
		e.forget(c)
		n++
	}
	return n, errors.Join(errs...)
}

func (c *change) String() string {
	kinds := map[changeKind]string{made: "making", removed: "removing", moved: "renaming", swapped: "swapping"}
	if c.to != nil {
		return fmt.Sprintf("%s %s to %s (inode %d)", kinds[c.kind], c.name, c.toName, c.ino)
	}
	return fmt.Sprintf("%s %s (inode %d)", kinds[c.kind], c.name, c.ino)
}

func (e *entries) undo(c *change) error {
	switch c.kind {
	case made:
		return unmake(c)
	case removed:
		return unix.Renameat2(e.grave, c.grave, c.at.fd, c.name, unix.RENAME_NOREPLACE)
	case swapped:
		return unix.Renameat2(c.at.fd, c.name, c.to.fd, c.toName, unix.RENAME_EXCHANGE)
	}
	err := unix.Renameat2(c.to.fd, c.toName, c.at.fd, c.name, unix.RENAME_NOREPLACE)
	if err == nil && c.grave != "" {
		err = unix.Renameat2(e.grave, c.grave, c.to.fd, c.toName, unix.RENAME_NOREPLACE)
	}
	return err
}

// unmake removes a name that had been made, and with a directory what is in it:
// what was made durable inside a directory that is not goes with it.
func unmake(c *change) error {
	x, err := statAt(c.at.fd, c.name)
	if err != nil {
		return err
	}
	if x.Ino != c.ino {
		return fmt.Errorf("inode %d is there: changed from outside the volume", x.Ino)
	}
	if x.Mode&unix.S_IFMT != unix.S_IFDIR {
		return unix.Unlinkat(c.at.fd, c.name, 0)
	}
	return os.RemoveAll(procPath(c.at.fd) + "/" + c.name)
}
