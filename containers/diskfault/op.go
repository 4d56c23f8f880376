package diskfault

// Op is an operation as the kernel asks for it. A system call may be several: an
// open of a path looks up each of its elements.
type Op string

// The operations that rules name and receipts count.
const (
	OpLookup      Op = "lookup" // of one name in a directory
	OpGetattr     Op = "getattr"
	OpSetattr     Op = "setattr" // owner, mode, times
	OpOpen        Op = "open"    // for reading
	OpOpenWrite   Op = "openwrite"
	OpCreate      Op = "create"
	OpRead        Op = "read" // by the kernel, ahead of need: 128 KiB at a time
	OpWrite       Op = "write"
	OpFsync       Op = "fsync" // of a file
	OpFdatasync   Op = "fdatasync"
	OpFsyncdir    Op = "fsyncdir"
	OpAllocate    Op = "allocate"
	OpTruncate    Op = "truncate"
	OpMkdir       Op = "mkdir"
	OpMknod       Op = "mknod"
	OpSymlink     Op = "symlink"
	OpLink        Op = "link"
	OpUnlink      Op = "unlink"
	OpRmdir       Op = "rmdir"
	OpRename      Op = "rename"
	OpReadlink    Op = "readlink"
	OpOpendir     Op = "opendir"
	OpReaddir     Op = "readdir"
	OpGetxattr    Op = "getxattr"
	OpListxattr   Op = "listxattr"
	OpSetxattr    Op = "setxattr"
	OpRemovexattr Op = "removexattr"
	OpStatfs      Op = "statfs"
)

var allOps = []Op{
	OpLookup, OpGetattr, OpSetattr, OpOpen, OpOpenWrite, OpCreate, OpRead, OpWrite,
	OpFsync, OpFdatasync, OpFsyncdir, OpAllocate, OpTruncate, OpMkdir, OpMknod,
	OpSymlink, OpLink, OpUnlink, OpRmdir, OpRename, OpReadlink, OpOpendir, OpReaddir,
	OpGetxattr, OpListxattr, OpSetxattr, OpRemovexattr, OpStatfs,
}

// What a disk is asked for when nothing is in memory; names and attributes mostly
// are.
var (
	changing = []Op{
		OpSetattr, OpOpenWrite, OpCreate, OpWrite, OpAllocate, OpTruncate, OpMkdir, OpMknod, OpSymlink,
		OpLink, OpUnlink, OpRmdir, OpRename, OpSetxattr, OpRemovexattr,
	}
	allocating = []Op{OpWrite, OpAllocate, OpCreate, OpMkdir, OpMknod, OpSymlink, OpLink, OpSetxattr}
	reading    = []Op{OpRead, OpReaddir, OpReadlink}
	syncing    = []Op{OpFsync, OpFdatasync, OpFsyncdir}
	moving     = []Op{
		OpRead, OpWrite, OpFsync, OpFdatasync, OpFsyncdir, OpAllocate, OpTruncate, OpCreate, OpMkdir,
		OpMknod, OpSymlink, OpLink, OpUnlink, OpRmdir, OpRename, OpReaddir,
	}
)

var opIndex = func() map[Op]int {
	m := make(map[Op]int, len(allOps))
	for i, op := range allOps {
		m[op] = i
	}
	return m
}()

// opSet is a set of operations, one bit each.
type opSet uint64

func setOf(ops []Op) opSet {
	if len(ops) == 0 {
		ops = allOps
	}
	var s opSet
	for _, op := range ops {
		s |= 1 << opIndex[op]
	}
	return s
}

func (s opSet) has(op Op) bool { return s&(1<<opIndex[op]) != 0 }
