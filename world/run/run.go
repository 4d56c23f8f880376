package run

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"brine.test/brine/world/cleanup"
)

// Options say where a run lives.
type Options struct {
	// StateDir is the folder for what runs leave on disk while they live, made
	// with mode 0700 if it is missing; it is the same for all runs of a machine,
	// else they cannot sweep each other's remains. It must be absolute.
	StateDir string
}

// A Run is one living run of the suite. Close ends it.
type Run struct {
	ID  string // 8 letters and digits, unique on this machine
	Dir string // StateDir/runs/ID, mode 0700; removed by Close with all that is in it

	cgroups cgroups
	runs    string // StateDir/runs
	undo    *cleanup.Stack
}

// Start makes the run's folder and takes its lock, starts its reaper, and makes
// its cgroups, brine/ID in every hierarchy where it may. It sweeps nothing: that
// is Sweep. Needs Linux 5.3 (pidfd); other rights than to write to StateDir only
// for what the run will do.
func Start(ctx context.Context, o Options) (r *Run, err error) {
	if !filepath.IsAbs(o.StateDir) {
		return nil, fmt.Errorf("state folder %q: not an absolute path", o.StateDir)
	}
	var undo cleanup.Stack
	defer undo.CloseOnError(ctx, &err)

	runs := filepath.Join(o.StateDir, "runs")
	if err := makePrivate(runs); err != nil {
		return nil, err
	}
	id, dir, held, err := makeFolder(runs)
	if err != nil {
		return nil, err
	}
	undo.Push("lock of run "+id, time.Second, func(context.Context) error {
		held.close()
		return nil
	})
	undo.Push("folder of run "+id, 10*time.Second, func(context.Context) error { return retire(dir) })

	if err := os.Mkdir(filepath.Join(dir, "pids"), 0o700); err != nil {
		return nil, err
	}
	watcher, err := startReaper(dir)
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", id, err)
	}
	undo.Push("reaper of run "+id, 5*time.Second, watcher.dismiss)

	c, err := cgroupsOf(id)
	if err != nil {
		return nil, err
	}
	r = &Run{ID: id, Dir: dir, cgroups: c, runs: runs}
	undo.Push("cgroups and processes of run "+id, 10*time.Second, r.clear)
	if err := c.create(); err != nil && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, unix.EROFS) {
		return nil, fmt.Errorf("run %s: cgroup: %w", id, err)
	}
	r.undo = undo.Release()
	return r, nil
}

// Cgroup is the path of the run's cgroup in every hierarchy, "/brine/ID". All
// that is under it is killed when the run ends in whatever way.
func (r *Run) Cgroup() string { return r.cgroups.path }

// Close ends the run: it removes the run's cgroups, mounts and folder and sends
// the reaper home. Processes still in the cgroups or adopted are killed and named
// in the error: what made them should have ended them. Closing again does nothing.
func (r *Run) Close() error {
	if err := r.undo.Close(context.Background()); err != nil {
		return fmt.Errorf("run %s: close: %w", r.ID, err)
	}
	return nil
}

// clear kills what is left of the run and removes its cgroups.
func (r *Run) clear(ctx context.Context) error {
	var errs []error
	for _, pid := range r.cgroups.pids() {
		errs = append(errs, fmt.Errorf("process %s was left in its cgroup", describe(pid)))
	}
	for _, a := range adoptedIn(r.Dir) {
		errs = append(errs, fmt.Errorf("process %s was left", a))
	}
	errs = append(errs, killAll(ctx, r.cgroups, r.Dir), r.cgroups.remove(ctx))
	return errors.Join(errs...)
}

// killAll kills what is in a run's cgroups and what it had adopted.
func killAll(ctx context.Context, c cgroups, dir string) error {
	var errs []error
	for _, pid := range c.kill(ctx) {
		errs = append(errs, fmt.Errorf("process %s does not die", describe(pid)))
	}
	for _, a := range killAdopted(ctx, dir) {
		errs = append(errs, fmt.Errorf("process %s does not die", a))
	}
	return errors.Join(errs...)
}

// describe names a process for a person.
func describe(pid int) string {
	comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		return fmt.Sprintf("pid %d", pid)
	}
	return fmt.Sprintf("%s (pid %d)", comm[:max(0, len(comm)-1)], pid)
}
