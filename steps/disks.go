package steps

import (
	"context"

	"brine.test/brine/world"
)

// disks states the sentences about a node's disk: what is behind `data:` in its services' files. In a scenario with one
// of them every such folder of the cluster is on a disk that can fail.
func disks(sc Registrar) {
	sc.Step(`^the disks? of ([^"]+?) (?:is|are) full( (?:within|for|while) .+)?$`, diskFull)
	sc.Step(`^the disks? of ([^"]+?) fails?( (?:within|for|while) .+)?$`, diskFails)
	sc.Step(`^(reads from|writes to|fsync on) the disks? of ([^"]+?) fails?( (?:within|for|while) .+)?$`, diskCallsFail)
	sc.Step(`^the disks? of ([^"]+?) (?:is|are) read-only( (?:within|for|while) .+)?$`, diskReadOnly)
	sc.Step(`^the disks? of ([^"]+?) (?:is|are) slow by (\d[^"]*?)( (?:within|for|while) .+)?$`, diskSlow)
	sc.Step(`^fsync on the disks? of ([^"]+?) takes? (\d[^"]*?)( (?:within|for|while) .+)?$`, fsyncSlow)
	sc.Step(`^(\d[\d.]* ?(?:%|percent)) of (?:the )?reads from the disks? of ([^"]+?) (?:is|are) corrupted( (?:within|for|while) .+)?$`, readsCorrupted)
	sc.Step(`^the disks? of ([^"]+?) recovers?( (?:within|for|while) .+)?$`, diskRecovers)
	sc.Step(`^((?:[^" ]| [^" \d]| \d+ r)+) loses? power( (?:within|for|while) .+)?$`, losePower)
}

// diskFull lets every write and allocation fail with ENOSPC, into space that was allocated before too.
//
//	the disk of node2 is full
//	the disk of the leader is full for 5s
//	the disk of redis on node1 is full
func diskFull(ctx context.Context, who, tail string) error {
	return read(ctx).harmDisk(ctx, who, tail, world.DiskFull)
}

// diskFails lets everything that is asked of the disk fail with EIO.
//
//	the disk of node2 fails
//	the disks of node1 and node2 fail for 5s
func diskFails(ctx context.Context, who, tail string) error {
	return read(ctx).harmDisk(ctx, who, tail, world.DiskFails)
}

// diskCallsFail lets only reads, only writes, or only fsync fail with EIO.
//
//	reads from the disk of node2 fail
//	writes to the disk of node2 fail for 5s
//	fsync on the disk of node2 fails
func diskCallsFail(ctx context.Context, calls, who, tail string) error {
	return read(ctx).harmDisk(ctx, who, tail, map[string]world.DiskHarm{
		"reads from": world.ReadsFail, "writes to": world.WritesFail, "fsync on": world.FsyncFails,
	}[calls])
}

// diskReadOnly lets everything that would change the disk fail with EROFS.
//
//	the disk of node2 is read-only
//	the disk of node2 is read-only for 5s
func diskReadOnly(ctx context.Context, who, tail string) error {
	return read(ctx).harmDisk(ctx, who, tail, world.DiskReadOnly)
}

// diskSlow lets each read and each change of the disk wait. What the kernel has in its cache is not read again.
//
//	the disk of node2 is slow by 50ms
//	the disk of node2 is slow by 50ms for 5s
func diskSlow(ctx context.Context, who, by, tail string) error {
	s := read(ctx)
	return s.harmDisk(ctx, who, tail, world.SlowDisk(s.time(by)))
}

// fsyncSlow lets each fsync and fdatasync take so long.
//
//	fsync on the disk of node2 takes 500ms
//	fsync on the disk of the leader takes 2s for 10s
func fsyncSlow(ctx context.Context, who, takes, tail string) error {
	s := read(ctx)
	return s.harmDisk(ctx, who, tail, world.SlowFsync(s.time(takes)))
}

// readsCorrupted flips a bit in a share of what is read from the disk. What the kernel has in its cache is dropped before.
//
//	1% of reads from the disk of node2 are corrupted
//	100% of reads from the disk of node2 are corrupted for 5s
func readsCorrupted(ctx context.Context, share, who, tail string) error {
	s := read(ctx)
	return s.harmDisk(ctx, who, tail, world.CorruptReads(s.share(share)))
}

// diskRecovers ends all harm to the disk.
//
//	the disk of node2 recovers
//	the disks of all nodes recover
func diskRecovers(ctx context.Context, who, tail string) error {
	s := read(ctx)
	nodes := s.who(who)
	s.none(tail, "a disk recovers at once")
	return s.do(func(w *world.World) error { return w.RecoverDisk(ctx, nodes) })
}

// losePower kills a node, and takes from its disk what it had not fsynced. `node2 is started again` is the way back. It
// is momentary, so it takes no length.
//
//	node2 loses power
//	all nodes lose power
func losePower(ctx context.Context, who, tail string) error {
	s := read(ctx)
	nodes := s.who(who)
	s.none(tail, "a loss of power is momentary and takes no length\nhint: write `node2 loses power`, and later `node2 is started again`")
	return s.do(func(w *world.World) error { return w.LosePower(ctx, nodes) })
}

func (s *words) harmDisk(ctx context.Context, who, tail string, harm world.DiskHarm) error {
	nodes, length := s.who(who), s.length(tail)
	return s.do(func(w *world.World) error { return w.HarmDisk(ctx, nodes, harm, length) })
}
