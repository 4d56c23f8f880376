// Package containers runs the programs of clusters in containers, and harms
// them: kills, pauses, starves.
//
// It owns the containerd namespace of the run, leases, snapshots, tasks,
// control groups and log files. A node is a network namespace that somebody
// else made, a control group, and one container per service:
//
//	Runtime ─ namespace brine-RUN              engine: the private containerd
//	  └─ Group ─ one per scenario              one shim for all its containers, one lease
//	       └─ Node ─ cgroup /brine/RUN/SCENARIO/NODE   pause, kill, memory, CPU of all its services
//	            └─ Service ─ one container     own snapshot and volume, kept over kill and start
//
// Images and snapshots are in the containerd namespace "brine", which the runs
// share: an image is unpacked once in the life of the daemon.
//
// Example:
//
//	rt, err := containers.Connect(ctx, containers.Config{RunID: "k3x9a2pq"})
//	img, err := rt.Image(ctx, "go:example.test/kv@v1.2.0", "features")
//	group, err := rt.NewGroup(ctx, "k3x9a2pq-1")
//	node, err := group.NewNode(ctx, containers.NodeSpec{Name: "node1", NetNS: ns.Path(), Dir: dir})
//	kv, err := node.Add(ctx, containers.ServiceSpec{Name: "kv", Image: img, Data: "/data"})
//	err = kv.Start(ctx)
//	res, err := kv.Exec(ctx, containers.ExecSpec{Args: []string{"kv", "get", "a"}})
//	err = kv.Kill(ctx)  // SIGKILL, and gone when it returns
//	err = kv.Start(ctx) // on the same disk
//	err = group.Close(ctx)
//
// What happened to a process is read from containerd's events, never assumed.
// All methods may be called from many goroutines.
package containers
