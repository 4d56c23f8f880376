// Package cgroup makes and steers the control groups that hold the processes
// of clusters.
//
// It owns nothing by itself: whoever makes a group removes it. One code path
// serves both layouts of the kernel's interface:
//
//	pure v2                          hybrid (v1 controllers, v2 for freeze and kill)
//	/sys/fs/cgroup/brine/…           /sys/fs/cgroup/unified/brine/…   cgroup.kill, cgroup.freeze
//	  memory.max, cpu.max,           /sys/fs/cgroup/memory/brine/…    memory.limit_in_bytes
//	  cgroup.kill, cgroup.freeze     /sys/fs/cgroup/cpu/brine/…       cpu.cfs_quota_us
//
// A cluster's groups form a tree, so that a harm done to a node reaches every
// program on it:
//
//	/brine/RUN/SCENARIO/NODE/SERVICE
//
// Example:
//
//	tree, err := cgroup.Open()
//	g, err := tree.Make("/brine/k3x9a2pq/k3x9a2pq-1/node2")
//	err = g.SetMemory(64 << 20)
//	err = g.Freeze(ctx)
//	err = g.Kill(ctx)
//	err = g.Remove(ctx)
//
// Kernel: a mounted cgroup2 hierarchy, 5.2 for cgroup.freeze; cgroup.kill
// (5.14) is used where it is and replaced by signals to a frozen group where
// it is not. Source: Documentation/admin-guide/cgroup-v2.rst and
// cgroup-v1/memory.rst of the kernel.
package cgroup
