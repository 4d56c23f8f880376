// Package run makes a run of the suite known to the machine, and sees to it that
// a run which ends badly leaves nothing running.
//
//	runner ── lock byte 0 ──► StateDir/runs/k3x9a2pq/   lock, reaper.log, pids/, what others put there
//	  │                       cgroup brine/k3x9a2pq     in every hierarchy
//	  └── pipe ──► reaper     own session; woken by EOF: the runner is gone
//
// A run is alive as long as its process holds byte 0 of the lock file, so it
// needs no heartbeat, and a pid that is used again means nothing. When the runner
// dies without a goodbye, even of SIGKILL, its reaper kills the cgroups of the
// run and the processes it had adopted, within two seconds; and with them goes
// what they held, such as network namespaces. What does not die with processes
// (mounts, folders, objects in a shared daemon) is the matter of the next run's
// Sweep, which is also the second line if the reaper died too.
//
//	r, err := run.Start(ctx, run.Options{StateDir: "/run/brine"})
//	if err != nil {
//		return err
//	}
//	defer r.Close()
//	err = r.Sweep(ctx, func(ctx context.Context, dead string) error {
//		return containers.Sweep(ctx, config, []string{dead}, r.Alive)
//	})
//
// The reaper is the program itself, started again: the package's init function
// turns a process into it when an environment variable says so. Any program that
// imports the package has it, a test binary too.
//
// Guard is the other half: it tells a process that is asked to end, or about to
// run into its test's time limit, while there is still time to tear down.
package run
