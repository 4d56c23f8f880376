package clock

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// Config names the node.
type Config struct {
	Name   string // of the node, for errors: "node2"
	Cgroup string // the node's control group, from the root of the cgroup2 hierarchy: "/brine/…/node2"; it and all below are the node
}

// Clock is the wall clock of one node. Its methods may be called at any time
// and from any goroutine.
type Clock struct {
	name  string
	group *group
	im    *image
	watch *watch

	mu      sync.Mutex
	on      bool // the clock is not right, or was not until someone let us set it right
	want    params
	stayed  map[int]string // processes in which a blob stayed behind, unused, and why
	receipt Receipt
	closed  bool
}

// New prepares to change the clock of a node, whose control group must be
// there; processes need not be. It changes nothing yet. The first Clock of a
// process loads the programs that see what nodes start, and starts a watchdog;
// the last one's Close removes both. Needs root, kernel 5.15 with BTF, and the
// host's pid namespace.
func New(ctx context.Context, cfg Config) (*Clock, error) {
	fail := func(err error) (*Clock, error) { return nil, fmt.Errorf("%s: clock: %w", cfg.Name, err) }
	if err := ctx.Err(); err != nil {
		return fail(err)
	}
	g, err := findGroup(cfg.Cgroup)
	if err != nil {
		return fail(err)
	}
	im, err := loadImage()
	if err != nil {
		return fail(err)
	}
	c := &Clock{name: cfg.Name, group: g, im: im}
	if c.watch, err = acquireWatch(c); err != nil {
		return fail(err)
	}
	return c, nil
}

// Set changes the clock of all processes of the node and of those that it
// starts from now on. On return the change is in force. When it fails for one
// process, it is in force for the others, and Restore mends all.
func (c *Clock) Set(ctx context.Context, s Skew) error {
	began := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return fmt.Errorf("%s: clock: closed", c.name)
	}
	next, err := c.want.then(began.UnixNano(), s)
	if err != nil {
		return fmt.Errorf("%s: clock: %w", c.name, err)
	}
	if err := c.watch.node(c.group.id, watchExec|watchFork); err != nil {
		return fmt.Errorf("%s: clock: %w", c.name, err)
	}
	c.on, c.want, c.stayed = true, next, nil
	c.receipt.Changes++
	err = c.settle(ctx)
	c.receipt.Effect = time.Since(began)
	return err
}

// Restore sets the clock right: at once for all processes, then it takes the
// patch away, byte for byte, or returns a *LeftoverError that says where it
// could not. It does nothing when the clock is right and nothing is left.
func (c *Clock) Restore(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.restore(ctx)
}

func (c *Clock) restore(ctx context.Context) error {
	if !c.on {
		if len(c.stayed) > 0 {
			return c.clean(ctx)
		}
		return nil
	}
	// Forks under way may still bring a copy of the patch: they are watched until Close.
	if err := c.watch.node(c.group.id, watchFork); err != nil {
		return fmt.Errorf("%s: clock: %w", c.name, err)
	}
	c.want = params{}
	if err := c.settle(ctx); err != nil {
		return err
	}
	c.on = false
	c.receipt.Changes++
	err := c.clean(ctx)
	var left *LeftoverError
	c.on = err != nil && !errors.As(err, &left)
	return err
}

// clean takes the patch out of all processes, whose clocks are right already.
func (c *Clock) clean(ctx context.Context) error {
	c.stayed = nil
	if err := c.settle(ctx); err != nil {
		return err
	}
	if len(c.stayed) > 0 {
		return &LeftoverError{Node: c.name, Where: slices.Sorted(maps.Values(c.stayed))}
	}
	return nil
}

// Watchdog is the process that lets go what is stopped when this one dies. It is
// there as long as the Clock, which cannot do without.
func (c *Clock) Watchdog() int { return c.watch.dog.cmd.Process.Pid }

// Skew is how wrong the clock is now: how far it is ahead (or, negative,
// behind), and how fast it runs.
func (c *Clock) Skew() Skew {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := time.Now().UnixNano()
	return Skew{Offset: time.Duration(c.want.at(t) - t), Rate: c.want.rate()}
}

// Close sets the clock right and lets go of everything. It may be called twice.
// A patch that stays, unused, in a process that is paused is no error to it.
func (c *Clock) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	err := c.restore(ctx)
	c.mu.Unlock() // what the watch handles still needs it
	var left *LeftoverError
	if errors.As(err, &left) {
		err = nil
	}
	return errors.Join(err, releaseWatch(c))
}
