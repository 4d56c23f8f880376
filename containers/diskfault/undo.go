package diskfault

import (
	"container/list"
	"errors"
	"sync"

	"golang.org/x/sys/unix"
)

// undo is what takes a volume back to its durable state.
//
//	write ──► contents: blocks and sizes as they were, by inode ──┐ fsync: forgotten
//	rename ─► entries:  the changes of names, in order ───────────┤ loss of power: undone
//	                    what was removed, in the grave            ┘
//
// Server calls that change something hold gate for reading, so that a loss of
// power comes between calls and not within one. Order of locks: gate, names.mu,
// files.mu, content.mu.
type undo struct {
	gate  sync.RWMutex
	files contents
	names entries
}

// newUndo keeps what is to be undone in a folder, given as a descriptor.
func newUndo(dir int, strict bool) (*undo, error) {
	b, err := openBlocks(dir)
	if err != nil {
		return nil, err
	}
	u := &undo{
		files: contents{blocks: b, files: map[uint64]*content{}},
		names: entries{
			grave: dir, strict: strict, all: list.New(),
			dirs: map[uint64]*dirLog{}, named: map[uint64][]*change{}, kept: map[uint64]int{},
		},
	}
	u.names.gone = u.files.gone
	return u, nil
}

// Loss is what a loss of power took.
type Loss struct {
	Files   int `json:"files"`   // whose data or size was taken back
	Entries int `json:"entries"` // changes of names that were undone
}

// rollback takes everything back that is not durable.
func (u *undo) rollback() (Loss, error) {
	u.gate.Lock()
	defer u.gate.Unlock()
	files, err := u.files.rollback()
	names, err2 := u.names.rollback()
	return Loss{Files: files, Entries: names}, errors.Join(err, err2)
}

// settleAll makes everything durable as it is.
func (u *undo) settleAll() {
	u.gate.Lock()
	defer u.gate.Unlock()
	u.files.settleAll()
	u.names.settleAll()
}

// change carries out a change of n bytes at off of a file (below zero: of all
// from off on).
func (u *undo) change(c *content, fd int, off, n int64, do func() error) error {
	if u == nil {
		return do()
	}
	u.gate.RLock()
	defer u.gate.RUnlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := u.files.before(c, fd, off, n); err != nil {
		return err
	}
	return do()
}

// sync makes a file durable if do does so.
func (u *undo) sync(c *content, do func() error) error {
	if u == nil {
		return do()
	}
	u.gate.RLock()
	defer u.gate.RUnlock()
	c.mu.Lock()
	pending := c.detach()
	c.mu.Unlock()
	upTo := u.names.now()
	if err := do(); err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		u.files.reattach(c, pending)
		return err
	}
	u.files.settle(pending)
	u.names.syncFile(c.ino, upTo)
	return nil
}

// syncDirectory makes a directory durable if do does so.
func (u *undo) syncDirectory(ino uint64, do func() error) error {
	if u == nil {
		return do()
	}
	u.gate.RLock()
	defer u.gate.RUnlock()
	upTo := u.names.now()
	if err := do(); err != nil {
		return err
	}
	u.names.syncDir(ino, upTo)
	return nil
}

// linked is how many names an inode has as the volume shows it.
func (u *undo) linked(x *unix.Statx_t) uint32 {
	if u == nil {
		return x.Nlink
	}
	hidden := u.names.hidden(x.Ino)
	if hidden > 0 && x.Mode&unix.S_IFMT == unix.S_IFDIR {
		return 0
	}
	return x.Nlink - uint32(min(hidden, int(x.Nlink)))
}

// rename carries out a change of names, which do writes down in e, the journal
// (nil where nothing is undone).
func (u *undo) rename(do func(e *entries) error) error {
	if u == nil {
		return do(nil)
	}
	u.gate.RLock()
	defer u.gate.RUnlock()
	u.names.mu.Lock()
	defer u.names.mu.Unlock()
	return do(&u.names)
}
