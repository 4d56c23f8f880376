package diskfault

import (
	"container/list"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// entries is the journal of the changes of names that are not durable yet, in
// the order in which they were made.
//
// A change becomes durable when a directory that it changed is fsynced, and then
// so do, to keep what is left undoable:
//
//   - all earlier changes of those directories;
//   - for a rename, and unless strict for every change, those by which these
//     directories themselves are where they are.
//
// So what is not durable is at any time the youngest part of each directory's
// changes, and can be undone from the last to the first.
type entries struct {
	grave  int              // descriptor of the folder for what was removed
	strict bool             // an fsync of x does not make x's own name durable
	gone   func(ino uint64) // told when an inode has no name left

	mu    sync.Mutex
	seq   uint64
	all   *list.List           // of *change
	dirs  map[uint64]*dirLog   // by the directory's inode
	named map[uint64][]*change // by the inode that a change gave a name, or took one from
	kept  map[uint64]int       // names of an inode in the grave
}

// dirLog is the part of the journal that is about one directory.
type dirLog struct {
	ino     uint64
	fd      int // its own, O_PATH
	changes []*change
}

type changeKind int

const (
	made    changeKind = iota // a name appeared
	removed                   // a name went, and what it named is in the grave
	moved                     // a name went and appeared elsewhere, maybe in place of what is in the grave
	swapped                   // two names changed places
)

// change is one change of names.
type change struct {
	seq      uint64
	kind     changeKind
	at       *dirLog
	name     string
	to       *dirLog // moved, swapped
	toName   string
	ino      uint64 // what was named
	other    uint64 // what was replaced, or swapped with
	grave    string // name in the grave of what was removed or replaced; "" none
	isDir    bool   // what was removed or replaced is a directory
	inside   *dirLog
	done     bool
	position *list.Element
}

// touches are the directories whose changes must stay in order with it. A
// directory's own changes come before its removal.
func (c *change) touches() []*dirLog {
	dirs := []*dirLog{c.at}
	for _, d := range []*dirLog{c.to, c.inside} {
		if d != nil && !slices.Contains(dirs, d) {
			dirs = append(dirs, d)
		}
	}
	return dirs
}

// log finds or begins the part of a directory; fd is any descriptor of it.
func (e *entries) log(ino uint64, fd int) (*dirLog, error) {
	if d := e.dirs[ino]; d != nil {
		return d, nil
	}
	own, err := unix.Openat(fd, ".", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	d := &dirLog{ino: ino, fd: own}
	e.dirs[ino] = d
	return d, nil
}

// add writes a change down that has just been made.
func (e *entries) add(c *change) {
	e.seq++
	c.seq = e.seq
	c.position = e.all.PushBack(c)
	for _, d := range c.touches() {
		d.changes = append(d.changes, c)
	}
	e.named[c.ino] = append(e.named[c.ino], c)
	if c.kind == swapped {
		e.named[c.other] = append(e.named[c.other], c)
	}
	if c.grave != "" {
		e.kept[c.graveIno()]++
	}
}

func (c *change) graveIno() uint64 {
	if c.kind == removed {
		return c.ino
	}
	return c.other
}

// newGrave is a name in the grave that is free.
func (e *entries) newGrave() string { return fmt.Sprintf("g%d", e.seq+1) }

// hidden is how many of an inode's links are in the grave alone.
func (e *entries) hidden(ino uint64) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.kept[ino]
}

// now is the moment up to which an fsync that begins now makes changes durable.
func (e *entries) now() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.seq
}

// syncDir makes durable what changed in a directory up to a moment.
func (e *entries) syncDir(ino, upTo uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if d := e.dirs[ino]; d != nil {
		e.settleLog(d, upTo)
	}
	if !e.strict {
		e.settleNames(ino, upTo)
	}
}

// syncFile makes durable the names of a file that was fsynced.
func (e *entries) syncFile(ino, upTo uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.strict {
		e.settleNames(ino, upTo)
	}
}

// settleLog makes the changes of one directory durable, up to a moment.
func (e *entries) settleLog(d *dirLog, upTo uint64) {
	for len(d.changes) > 0 && d.changes[0].seq <= upTo {
		first := d.changes[0]
		d.changes = d.changes[1:]
		e.settle(first)
	}
	e.release(d)
}

// settleNames makes the changes durable by which an inode is where it was at a
// moment.
func (e *entries) settleNames(ino, upTo uint64) {
	for _, c := range slices.Clone(e.named[ino]) {
		if c.seq <= upTo {
			e.settle(c)
		}
	}
}

// settle makes a change durable and all that must be with it.
func (e *entries) settle(c *change) {
	if c.done {
		return
	}
	c.done = true
	for _, d := range c.touches() {
		e.settleLog(d, c.seq-1)
		if len(d.changes) > 0 && d.changes[0] == c {
			d.changes = d.changes[1:]
		}
	}
	if !e.strict || c.to != nil {
		for _, d := range c.touches() {
			e.settleNames(d.ino, c.seq-1)
		}
	}
	e.forget(c)
	if c.grave != "" {
		e.bury(c)
	}
}

// forget takes a change off the journal.
func (e *entries) forget(c *change) {
	e.all.Remove(c.position)
	for _, ino := range []uint64{c.ino, c.other} {
		rest := slices.DeleteFunc(e.named[ino], func(o *change) bool { return o == c })
		if e.named[ino] = rest; len(rest) == 0 {
			delete(e.named, ino)
		}
	}
	if c.grave != "" {
		ino := c.graveIno()
		if e.kept[ino]--; e.kept[ino] == 0 {
			delete(e.kept, ino)
		}
	}
	for _, d := range c.touches() {
		e.release(d)
	}
}

// bury removes for good what a durable change removed.
func (e *entries) bury(c *change) {
	flags := 0
	if c.isDir {
		flags = unix.AT_REMOVEDIR
	} else if x, err := statAt(e.grave, c.grave); err == nil && x.Nlink == 1 {
		e.gone(x.Ino)
	}
	// What cannot be removed goes with the folder when the volume is closed.
	_ = unix.Unlinkat(e.grave, c.grave, flags)
}

// release closes the descriptor of a directory with no changes left.
func (e *entries) release(d *dirLog) {
	if len(d.changes) == 0 && e.dirs[d.ino] == d {
		delete(e.dirs, d.ino)
		_ = unix.Close(d.fd) // O_PATH: cannot fail
	}
}

// settleAll makes every change durable.
func (e *entries) settleAll() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for e.all.Len() > 0 {
		e.settle(e.all.Front().Value.(*change))
	}
}
