// Package engine builds and runs the private containerd that holds the
// clusters' containers.
//
// The programs (containerd, its shim, runc) are compiled once from the module
// proxy at the versions pinned in build/engine.mod, apart from the main module
// so that its dependencies stay few, and cached:
//
//	CACHE/engine/KEY/{containerd, containerd-shim-runc-v2, runc}
//
// One daemon serves every run of the same version and configuration:
//
//	run 1 ──shared flock──┐   users      ┌── supervisor (own session and mount namespace)
//	run 2 ──shared flock──┴── STATE/ ────┤     ├── containerd ── sockets in STATE/engine/KEY
//	                          engine/KEY │     └── tmpfs STATE/engine/KEY/fs: data, metadata, snapshots
//	                                     └── takes the exclusive flock when the last run ended
//
// The first user starts the supervisor: this very program again, chosen by an
// environment variable in an init function, so that every program that links
// this package can be it. It ends itself some time after the last user ended,
// however that user ended, and takes containerd, shims, mounts and files along.
//
// Example:
//
//	e, err := engine.Start(ctx, engine.Config{StateDir: "/run/brine", CacheDir: "/var/cache/brine"})
//	defer e.Close()
//	client, err := containerd.New(e.Address)
package engine
