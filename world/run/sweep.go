package run

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// sweepLimit is the time limit for what is removed of one dead run, the hook of
// Sweep not counted.
const sweepLimit = 10 * time.Second

// Alive tells whether the run with that id holds its lock. It only looks. While a
// dead run is swept it is not alive.
func (r *Run) Alive(id string) bool {
	if !idForm.MatchString(id) {
		return false
	}
	f, err := os.OpenFile(filepath.Join(r.runs, id, "lock"), os.O_RDWR, 0)
	if err != nil {
		return false
	}
	l := &lock{file: f}
	defer l.close()
	held, err := l.taken(byteAlive)
	return err == nil && held
}

// DeadRuns lists the ids of runs whose folder is there and whose runner is not.
func (r *Run) DeadRuns() []string {
	entries, err := os.ReadDir(r.runs)
	if err != nil {
		return nil // it is made by Start: gone only if another removed it all
	}
	var dead []string
	for _, e := range entries {
		if idForm.MatchString(e.Name()) && !r.Alive(e.Name()) {
			dead = append(dead, e.Name())
		}
	}
	return dead
}

// Sweep removes what dead runs left. For each it takes the run's sweeping lock,
// kills what is in its cgroups and what it had adopted, calls also (which may be
// nil) for what this package does not know, and then removes cgroups, mounts
// under the run's folder, and the folder. When also fails, the folder stays, so that the
// next sweep finds the run again; the other runs are swept all the same.
//
// Living runs are never touched, and a run that another process is sweeping is
// left to it.
func (r *Run) Sweep(ctx context.Context, also func(ctx context.Context, id string) error) error {
	errs := []error{removeGone(r.runs)}
	for _, id := range r.DeadRuns() {
		if err := r.sweep(ctx, id, also); err != nil {
			errs = append(errs, fmt.Errorf("sweep of dead run %s: %w", id, err))
		}
	}
	return errors.Join(errs...)
}

// RemoveDead removes what one dead run left, as Sweep does. It is no error if
// nothing is left or another is removing it; it is one if the run lives.
func (r *Run) RemoveDead(ctx context.Context, id string) error {
	if !idForm.MatchString(id) {
		return fmt.Errorf("run %q: not an id of a run", id)
	}
	if r.Alive(id) {
		return fmt.Errorf("run %s: is alive", id)
	}
	return r.sweep(ctx, id, nil)
}

func (r *Run) sweep(ctx context.Context, id string, also func(context.Context, string) error) error {
	dir := filepath.Join(r.runs, id)
	held, err := lockDead(dir)
	if errors.Is(err, errBusy) || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer held.close()

	c, err := cgroupsOf(id)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, sweepLimit)
	defer cancel()
	if err := killAll(limited, c, dir); err != nil {
		return err
	}
	if also != nil {
		if err := also(ctx, id); err != nil {
			return err
		}
	}
	if err := c.remove(limited); err != nil {
		return err
	}
	return retire(dir)
}
