package world

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"brine.test/brine/containers/clock"
	"brine.test/brine/world/record"
)

const (
	// proveTime is how long a clock inside a node may take to be read.
	proveTime = 10 * time.Second
	// proveSlack is how far a reading inside may be off.
	proveSlack = 20 * time.Millisecond
)

// nodeClock is the wall clock of one node, and what harms made of it.
type nodeClock struct {
	mu    sync.Mutex
	node  *Node
	c     *clock.Clock
	skews []nodeSkew
	had   []string // the processes that ran when it was changed last
}

// nodeSkew is one change, and since when it has been on.
type nodeSkew struct {
	id    string
	skew  clock.Skew
	since time.Time
}

// open prepares the clock once; fresh tells that it did.
func (n *nodeClock) open(ctx context.Context, node *Node) (fresh bool, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.c != nil {
		return false, nil
	}
	c, err := clock.New(ctx, clock.Config{Name: node.Name, Cgroup: node.box.CgroupPath()})
	if err != nil {
		return false, err
	}
	n.c, n.node = c, node
	return true, nil
}

// put changes the clock.
func (n *nodeClock) put(ctx context.Context, id string, s clock.Skew) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.c.Set(ctx, s); err != nil {
		return err
	}
	n.skews = append(n.skews, nodeSkew{id, s, time.Now()})
	if up := n.running(); len(up) > 0 {
		n.had = up
	}
	return nil
}

// running names the processes of the services that run.
func (n *nodeClock) running() []string {
	var up []*Service
	for _, s := range n.node.services {
		if s.isUp() {
			up = append(up, s)
		}
	}
	return processes(up)
}

// drop takes one change back: a jump jumps back, a drift ends and what it made is
// taken back too. With the last change the clock is right.
func (n *nodeClock) drop(ctx context.Context, id string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	var left []nodeSkew
	var gone *nodeSkew
	for _, s := range n.skews {
		if s.id == id {
			gone = &s
			continue
		}
		left = append(left, s)
	}
	if gone == nil || n.c == nil {
		return nil
	}
	if len(left) == 0 {
		if err := unlessHarmless(n.c.Restore(ctx)); err != nil {
			return err
		}
		n.skews = nil
		return nil
	}
	back := clock.Skew{Offset: -gone.skew.Offset}
	if gone.skew.Rate != 0 {
		back.Rate = 1
		for _, s := range left {
			if s.skew.Rate != 0 {
				back.Rate = s.skew.Rate
			}
		}
		back.Offset -= time.Duration(float64(time.Since(gone.since)) * (gone.skew.Rate - 1))
	}
	if err := n.c.Set(ctx, back); err != nil {
		return err
	}
	n.skews = left
	return nil
}

// prove reads the clock in a program that is started inside the node, and the
// machine's own.
func (n *nodeClock) prove(ctx context.Context) (string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, proveTime)
	defer cancel()
	before := n.c.Skew().Offset
	r, err := n.c.Probe(ctx)
	if err != nil {
		return "", err
	}
	after := n.c.Skew().Offset // another when it drifts
	if got := r.Skew(); got < min(before, after)-proveSlack || got > max(before, after)+proveSlack {
		return "", fmt.Errorf("%s: expected its clock to be wrong by %s, got %s", n.node.Name, signed(after), signed(got))
	}
	if off := time.Until(r.Host).Abs(); off > proveTime {
		return "", fmt.Errorf("%s: expected the machine's clock to be right, got one that is wrong by %s", n.node.Name, round(off))
	}
	return fmt.Sprintf("%s: a program inside read a clock that is wrong by %s, the machine's own is right", n.node.Name, signed(r.Skew())), nil
}

// receipt names the services whose clock was changed.
func (n *nodeClock) receipt(proof string) record.Receipt {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.c == nil {
		return record.Receipt{Proof: proof}
	}
	r := n.c.Receipt()
	if len(r.Uncovered) > 0 {
		proof += "; not changed in " + strings.Join(r.Uncovered, ", ")
	}
	up := n.running()
	if len(up) == 0 {
		up = n.had // killed since
	}
	return counted(r.Processes > 0, up, proof)
}

// watchdog is the process that sees to the clock, 0 when none has to.
func (n *nodeClock) watchdog() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.c == nil {
		return 0
	}
	return n.c.Watchdog()
}

// close sets the clock right and lets go of it.
func (n *nodeClock) close(context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.c == nil {
		return nil
	}
	err := n.c.Close()
	n.c, n.skews = nil, nil
	return err
}

// unlessHarmless forgives a patch that stayed behind in a process that is paused:
// its clock is right, and nothing calls the patch any more.
func unlessHarmless(err error) error {
	var left *clock.LeftoverError
	if errors.As(err, &left) {
		return nil
	}
	return err
}

func signed(d time.Duration) string {
	if d < 0 {
		return "-" + round(-d).String()
	}
	return "+" + round(d).String()
}
