package clock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
)

// settle brings every process of the node to what is wanted, and looks again
// until it finds nothing to do: a process that is forked meanwhile has a copy
// of its parent's memory from before or after. Forks that are still under way
// are told about by the watch. c.mu is held.
func (c *Clock) settle(ctx context.Context) error {
	failed := map[int]error{}
	for {
		pids, err := c.group.pids()
		if err != nil {
			return fmt.Errorf("%s: clock: %w", c.name, err)
		}
		again := false
		for _, pid := range pids {
			if failed[pid] != nil || c.stayed[pid] != "" {
				continue
			}
			did, err := c.bring(ctx, pid, false)
			if err != nil {
				failed[pid] = fmt.Errorf("%s: clock of pid %d (%s): %w", c.name, pid, command(pid), err)
			}
			again = again || did
		}
		if !again {
			break
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("%s: clock: %w", c.name, err)
		}
	}
	errs := make([]error, 0, len(failed))
	for _, err := range failed {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// bring makes one process's clock what is wanted and tells whether it had to
// do anything. A held process has not run yet, so that nobody needs to be
// stopped. c.mu is held.
func (c *Clock) bring(ctx context.Context, pid int, held bool) (did bool, err error) {
	defer func() {
		if errors.Is(err, errGone) {
			err = nil
		}
	}()
	if c.group.borrows(pid) {
		return false, nil // first of all: what is opened later is its own memory
	}
	p, st, err := look(pid, c.im)
	if err != nil {
		return false, err
	}
	defer p.close()
	// Only now: had the number been used again, it would be another's memory.
	if !c.group.holds(pid) {
		return false, nil
	}
	switch {
	case st.clean() && (!c.on || c.want == params{}):
		return false, nil
	case !c.on:
		if err = p.remove(ctx); errors.Is(err, errBusy) {
			if c.stayed == nil {
				c.stayed = map[int]string{}
			}
			c.stayed[pid] = fmt.Sprintf("pid %d (%s): %v", pid, command(pid), err)
			return false, nil
		}
		return err == nil, err
	case st.patched(c.im) && st.params == c.want:
		return false, nil
	case st.patched(c.im):
		return true, p.set(st, c.want)
	case held:
		err = p.fill(st, c.want)
	default:
		err = p.install(ctx, c.want)
	}
	if err == nil {
		c.receipt.Processes++
	}
	return err == nil, err
}

// look opens a process and reads its status. It tries again when a program was
// executed just between.
func look(pid int, im *image) (p *process, st status, err error) {
	for range 3 {
		if p, err = openProcess(pid, im); err != nil {
			continue
		}
		if st, err = p.status(); err == nil {
			return p, st, nil
		}
		p.close()
	}
	return nil, st, err
}

func command(pid int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		return "ended"
	}
	return strings.TrimSpace(string(text))
}
