package diskfault

import (
	"syscall"
	"time"
)

// Full is a full disk: every write and allocation gets ENOSPC, into space that
// was allocated before too, and statfs says that nothing is free.
func Full() Rule { return Rule{Ops: allocating, Errno: syscall.ENOSPC} }

// Fails is a dead disk: everything gets EIO.
func Fails() Rule { return Rule{Errno: syscall.EIO} }

// ReadsFail gives reads of files, directories and links EIO.
func ReadsFail() Rule { return Rule{Ops: reading, Errno: syscall.EIO} }

// WritesFail gives writes, allocations and truncations EIO.
func WritesFail() Rule {
	return Rule{Ops: []Op{OpWrite, OpAllocate, OpTruncate}, Errno: syscall.EIO}
}

// FsyncFails gives fsync and fdatasync of files and directories EIO. What they
// were to make durable is not.
func FsyncFails() Rule { return Rule{Ops: syncing, Errno: syscall.EIO} }

// ReadOnly gives everything that changes the disk EROFS, opening for writing too.
func ReadOnly() Rule { return Rule{Ops: changing, Errno: syscall.EROFS} }

// Slow makes everything that reads or changes the disk wait. Looking up names and
// attributes does not: they are in memory.
func Slow(by time.Duration) Rule { return Rule{Ops: moving, Delay: by} }

// SlowFsync makes fsync and fdatasync of files and directories wait.
func SlowFsync(by time.Duration) Rule { return Rule{Ops: syncing, Delay: by} }

// CorruptReads flips a bit in a share of the reads, above 0 and up to 1, that
// reach the disk.
func CorruptReads(share float64, seed uint64) Rule {
	return Rule{Ops: []Op{OpRead}, Share: share, Seed: seed, Flip: 1}
}
