package diskfault

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// contents are the files, by inode, that are open or were changed since their
// last fsync.
type contents struct {
	blocks *blocks

	mu    sync.Mutex
	files map[uint64]*content
}

// content is what one file's data was when it was last made durable.
type content struct {
	ino  uint64
	refs int // open handles; guarded by contents.mu

	mu sync.Mutex
	fd int // for reading and writing, while there is something to undo; else -1
	changes
}

// changes are what undoes what was done to a file since some moment.
type changes struct {
	dirty bool
	size  int64           // then
	saved map[int64]int32 // block number → slot with its content then
}

// open takes a handle's share in a file's content.
func (cs *contents) open(ino uint64) *content {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	c := cs.files[ino]
	if c == nil {
		c = &content{ino: ino, fd: -1}
		cs.files[ino] = c
	}
	c.refs++
	return c
}

// created is open for a file that has just been made: what is known of an older
// one with its inode number is void.
func (cs *contents) created(ino uint64) *content {
	cs.mu.Lock()
	old := cs.files[ino]
	delete(cs.files, ino)
	cs.mu.Unlock()
	if old != nil {
		old.mu.Lock()
		cs.settle(old.detach())
		old.closeFD()
		old.mu.Unlock()
	}
	return cs.open(ino)
}

// close gives a handle's share back.
func (cs *contents) close(c *content) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	c.refs--
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refs == 0 && !c.dirty {
		c.closeFD()
		if cs.files[c.ino] == c {
			delete(cs.files, c.ino)
		}
	}
}

func (c *content) closeFD() {
	if c.fd >= 0 {
		_ = unix.Close(c.fd) // nothing was written that its error could tell of
		c.fd = -1
	}
}

// before keeps what a change of n bytes at off is about to overwrite; n below
// zero is all to the end. fd is any descriptor of the file; c.mu is held.
func (cs *contents) before(c *content, fd int, off, n int64) error {
	if !c.dirty {
		if c.fd < 0 {
			own, err := unix.Open(procPath(fd), unix.O_RDWR|unix.O_CLOEXEC, 0)
			if err != nil {
				return err
			}
			c.fd = own
		}
		var st unix.Stat_t
		if err := unix.Fstat(c.fd, &st); err != nil {
			return err
		}
		c.changes = changes{dirty: true, size: st.Size, saved: map[int64]int32{}}
	}
	end := c.size
	if n >= 0 {
		end = min(end, off+n)
	}
	return cs.save(c, off/blockSize, (end+blockSize-1)/blockSize)
}

// saveAtOnce is the most blocks that are read in one go.
const saveAtOnce = 64

// save keeps the blocks from first up to last (not included) that are not kept.
func (cs *contents) save(c *content, first, last int64) error {
	for b := first; b < last; {
		if _, ok := c.saved[b]; ok {
			b++
			continue
		}
		run := b
		for run < last && run-b < saveAtOnce {
			if _, ok := c.saved[run]; ok {
				break
			}
			run++
		}
		buf := make([]byte, min((run-b)*blockSize, c.size-b*blockSize))
		if _, err := readFull(c.fd, buf, b*blockSize); err != nil {
			return err
		}
		for piece := range slices.Chunk(buf, blockSize) {
			slot, err := cs.blocks.put(piece)
			if err != nil {
				return err
			}
			c.saved[b] = slot
			b++
		}
	}
	return nil
}

// detach takes the changes off a file, at the beginning of an fsync: what is
// changed from now on is undone to the state of now. c.mu is held.
func (c *content) detach() changes {
	d := c.changes
	c.changes = changes{}
	return d
}

// settle forgets changes that have become durable.
func (cs *contents) settle(d changes) {
	if len(d.saved) > 0 {
		cs.blocks.release(slices.Collect(maps.Values(d.saved))...)
	}
}

// reattach puts changes back that an fsync failed to make durable; c.mu is held.
func (cs *contents) reattach(c *content, d changes) {
	if !d.dirty {
		return
	}
	newer := c.detach()
	if d.saved == nil {
		d.saved = map[int64]int32{}
	}
	var spare []int32
	for b, slot := range newer.saved {
		if _, ok := d.saved[b]; ok || b*blockSize >= d.size {
			spare = append(spare, slot) // the older one counts
			continue
		}
		d.saved[b] = slot
	}
	cs.blocks.release(spare...)
	c.changes = d
}

// gone forgets a file that no name leads to any longer.
func (cs *contents) gone(ino uint64) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	c := cs.files[ino]
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	cs.settle(c.detach())
	if c.refs == 0 {
		c.closeFD()
		delete(cs.files, ino)
	}
}

// settleAll makes the content of every file durable as it is.
func (cs *contents) settleAll() {
	cs.each(func(c *content) { cs.settle(c.detach()) })
}

// rollback takes all files back to what was durable of them, and returns how many
// had changed.
func (cs *contents) rollback() (int, error) {
	var errs []error
	n := 0
	cs.each(func(c *content) {
		if !c.dirty {
			return
		}
		n++
		if err := cs.restore(c); err != nil {
			errs = append(errs, fmt.Errorf("inode %d: %w", c.ino, err))
		}
		cs.settle(c.detach())
	})
	return n, errors.Join(errs...)
}

// each calls f for every file, under its lock, and drops those that need not be
// known any longer.
func (cs *contents) each(f func(*content)) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	for ino, c := range cs.files {
		c.mu.Lock()
		f(c)
		if c.refs == 0 && !c.dirty {
			c.closeFD()
			delete(cs.files, ino)
		}
		c.mu.Unlock()
	}
}

func (cs *contents) restore(c *content) error {
	if err := unix.Ftruncate(c.fd, c.size); err != nil {
		return err
	}
	buf := make([]byte, blockSize)
	for b, slot := range c.saved {
		part := buf[:min(blockSize, c.size-b*blockSize)]
		if err := cs.blocks.get(slot, part); err != nil {
			return err
		}
		if err := writeAll(c.fd, part, b*blockSize); err != nil {
			return err
		}
	}
	return nil
}
