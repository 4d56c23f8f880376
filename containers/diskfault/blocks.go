package diskfault

import (
	"errors"
	"sync"

	"golang.org/x/sys/unix"
)

// blockSize is the unit in which the content of files is kept for undoing.
const blockSize = 4096

// hole is the slot of a block of zeros, which takes none.
const hole = -1

// blocks is where the former content of blocks is kept: slots in one file, so
// that the kernel decides what of it is in memory.
type blocks struct {
	fd int

	mu   sync.Mutex
	free []int32
	next int32
}

func openBlocks(dir int) (*blocks, error) {
	fd, err := unix.Openat(dir, "blocks", unix.O_RDWR|unix.O_CREAT|unix.O_TRUNC|unix.O_CLOEXEC, 0o600)
	return &blocks{fd: fd}, err
}

// put keeps a block, shorter at the end of a file, and returns its slot.
func (b *blocks) put(data []byte) (int32, error) {
	if allZero(data) {
		return hole, nil
	}
	b.mu.Lock()
	var slot int32
	if n := len(b.free); n > 0 {
		slot, b.free = b.free[n-1], b.free[:n-1]
	} else {
		slot = b.next
		b.next++
	}
	b.mu.Unlock()
	if err := writeAll(b.fd, data, int64(slot)*blockSize); err != nil {
		b.release(slot)
		return 0, err
	}
	return slot, nil
}

// get reads what is in a slot.
func (b *blocks) get(slot int32, data []byte) error {
	if slot == hole {
		clear(data)
		return nil
	}
	n, err := readFull(b.fd, data, int64(slot)*blockSize)
	if err == nil && n < len(data) {
		return errors.New("undo: a block was kept short")
	}
	return err
}

func (b *blocks) release(slots ...int32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range slots {
		if s != hole {
			b.free = append(b.free, s)
		}
	}
}

func allZero(data []byte) bool {
	for _, c := range data {
		if c != 0 {
			return false
		}
	}
	return true
}

// readFull reads until data is full or the file ends.
func readFull(fd int, data []byte, off int64) (int, error) {
	done := 0
	for done < len(data) {
		n, err := unix.Pread(fd, data[done:], off+int64(done))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return done, err
		}
		if n == 0 {
			break
		}
		done += n
	}
	return done, nil
}

func writeAll(fd int, data []byte, off int64) error {
	for len(data) > 0 {
		n, err := unix.Pwrite(fd, data, off)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		data, off = data[n:], off+int64(n)
	}
	return nil
}
