// Package diskfault gives a service's data directory a disk that can fail.
//
// A volume is a FUSE file system that passes everything through to a plain
// folder, served by a process of its own outside the container. Rules, switched
// while it runs, make chosen calls fail, wait, tear, or lie; LosePower takes back
// all that was not fsynced.
//
//	container ──► mount point ──► kernel ──► server process ──► backing folder
//	              (in containerd's            │  rules, undo      │
//	               mount namespace)           │                   └─ folder.undo: what a loss
//	runner ── control socket, JSON lines ─────┘                      of power puts back
//
// The server is the program itself, started again: the package's init function
// turns a process into it when an environment variable says so. Any program that
// imports the package has it, a test binary too. It holds nothing of the mount
// namespace that it mounts in: when the daemon and its containers are gone so is
// the mount, and then the server ends by itself.
//
//	v, err := diskfault.Start(ctx, diskfault.Config{
//		Backing:    "/run/brine/k3x9a2pq/1/node2/data",
//		Mountpoint: "/run/brine/k3x9a2pq/1/node2/data", // over itself: the folder behind it stays reachable from outside
//		MountNS:    runtime.MountNamespace(),
//		LogFile:    "/run/brine/k3x9a2pq/1/node2/disk.log",
//		Socket:     "/run/brine/k3x9a2pq/1/node2/disk.sock",
//	})
//	if err != nil {
//		return err
//	}
//	defer v.Close(ctx)
//	full, err := v.Apply(diskfault.Full())
//	…
//	err = full.Heal()
//	fmt.Println(full.Receipt().Calls[diskfault.OpWrite], "writes were refused")
//
// # What a program sees
//
// Writes go through to the server at once (no write-back cache), so write(2)
// itself returns the error of a rule. A store into a shared mapping cannot: the
// page is written later, and the error comes from msync or fsync, as it does from
// a real disk. A load from a mapping whose page cannot be read is a SIGBUS. What
// the kernel has in its page cache would hide faults of reading; so a rule about
// reads drops the cache when it is applied and when it is healed. Between the two
// the kernel caches what was read as it always does, flipped bits too.
//
// Locks (flock, fcntl) are the kernel's own. O_DIRECT is accepted and is not
// passed on to the backing folder. sync(2) and syncfs(2) do not reach a FUSE
// server: they count as nothing. O_TMPFILE, ioctl and POSIX ACLs are not there.
//
// # What a loss of power takes
//
// The durable state is what fsync, fdatasync, msync and O_SYNC writes made so:
//
//   - a file's data and size are as at its last fsync; a file never fsynced is as
//     it was at Start, or empty;
//   - names made, removed and changed are as at the last fsync of their
//     directory. Changes of one directory become durable in the order in which
//     they were made, and a rename does so as a whole;
//   - fsync of a file or directory makes its own name durable too, and those of
//     the directories above it. So do ext4, XFS, Btrfs and F2FS, and programs
//     rely on it: etcd never syncs the directory of its database. Config.Strict
//     takes POSIX by the letter, where they do not become durable so.
//
// Owners, modes, times and extended attributes are not rolled back. Nothing
// becomes durable by the passing of time: this is the worst case that a real
// disk may come to, every time. See Mohan et al., "Finding Crash-Consistency Bugs
// with Bounded Black-Box Crash Testing" (OSDI 2018) for what Linux's file systems
// promise.
//
// Needs root, /dev/fuse, and Linux 5.6 or later. The backing folder is on one
// file system that has hard links, and while a volume is mounted it is changed
// through the volume alone; after changes from outside call Sync.
package diskfault
