package world

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"brine.test/brine/containers"
	"brine.test/brine/containers/clock"
	"brine.test/brine/world/guest"
	"brine.test/brine/world/record"
)

const (
	// proveTime is how long a clock inside a node may take to be read.
	proveTime = 10 * time.Second
	// proveSlack is how far a reading may be off, beside the time that it took.
	proveSlack = 20 * time.Millisecond
)

// nodeClock is the wall clock of one node: what harms made of it, and who reads
// it inside the node.
type nodeClock struct {
	mu      sync.Mutex
	node    *Node
	c       *clock.Clock
	skews   []nodeSkew
	witness *witness // runs since before the clock was first changed
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

// put changes the clock. In a frozen node nobody can witness it.
func (n *nodeClock) put(ctx context.Context, id string, s clock.Skew, frozen bool) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.witness == nil && !frozen {
		w, err := callWitness(n.node)
		if err != nil {
			return err
		}
		n.witness = w
		if _, _, err := w.read(ctx); err != nil {
			return fmt.Errorf("%s: read its clock: %w", n.node.Name, err)
		}
	}
	if err := n.c.Set(ctx, s); err != nil {
		return err
	}
	n.skews = append(n.skews, nodeSkew{id, s, time.Now()})
	return nil
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
		if err := n.c.Restore(ctx); err != nil {
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

// prove reads the clock inside the node, in a program that ran before and in one
// that is started now, and outside.
func (n *nodeClock) prove(ctx context.Context) (string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, proveTime)
	defer cancel()
	later, err := callWitness(n.node)
	if err != nil {
		return "", err
	}
	ahead, err := n.compare(ctx, later)
	if err := errors.Join(err, later.end(ctx)); err != nil {
		return "", fmt.Errorf("a program started now: %w", err)
	}
	if n.witness == nil || !n.witness.alive() { // killed with its node
		return fmt.Sprintf("%s: read inside, it is wrong by %s; outside it is right", n.node.Name, signed(ahead)), nil
	}
	if ahead, err = n.compare(ctx, n.witness); err != nil {
		return "", fmt.Errorf("a program that ran before: %w", err)
	}
	return fmt.Sprintf("%s: read inside, it is wrong by %s, in programs old and new; outside it is right", n.node.Name, signed(ahead)), nil
}

// compare reads a clock inside and the machine's own, and judges the difference.
func (n *nodeClock) compare(ctx context.Context, w *witness) (time.Duration, error) {
	ahead, within, err := w.read(ctx)
	if err != nil {
		return 0, fmt.Errorf("%s: read its clock: %w", n.node.Name, err)
	}
	want := n.c.Skew().Offset
	if off := ahead - want; off.Abs() > within+proveSlack {
		return ahead, fmt.Errorf("%s: expected its clock to be wrong by %s, got %s (± %s)", n.node.Name, signed(want), signed(ahead), round(within))
	}
	return ahead, nil
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
	var up []*Service
	for _, s := range n.node.services {
		if s.isUp() {
			up = append(up, s)
		}
	}
	return counted(r.Processes > 0, processes(up), proof)
}

// close sets the clock right and lets go of it.
func (n *nodeClock) close(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.c == nil {
		return nil
	}
	err := n.c.Close()
	if n.witness != nil {
		err = errors.Join(err, n.witness.end(ctx))
	}
	n.c, n.witness, n.skews = nil, nil, nil
	return err
}

func signed(d time.Duration) string {
	if d < 0 {
		return "-" + round(-d).String()
	}
	return "+" + round(d).String()
}

// witness is a program inside a node that tells what its clock shows.
type witness struct {
	g    *containers.Guest
	out  *os.File
	text *bufio.Reader
}

func callWitness(node *Node) (*witness, error) {
	out, theirs, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd := guest.Command(guest.Tell)
	cmd.Stdout = theirs
	g, err := node.box.Guest(cmd, 1)
	_ = theirs.Close() // the guest has its own
	if err != nil {
		return nil, errors.Join(err, out.Close())
	}
	return &witness{g: g, out: out, text: bufio.NewReader(out)}, nil
}

// read tells how far the clock inside is ahead of the machine's, give or take
// half of the time that asking took.
func (w *witness) read(ctx context.Context) (ahead, within time.Duration, err error) {
	if deadline, ok := ctx.Deadline(); ok {
		_ = w.out.SetReadDeadline(deadline) // a pipe takes one
	}
	asked := time.Now()
	if _, err := w.g.Write([]byte("\n")); err != nil {
		return 0, 0, err
	}
	line, err := w.text.ReadString('\n')
	took := time.Since(asked)
	if err != nil {
		return 0, 0, err
	}
	ns, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	if err != nil {
		return 0, 0, err
	}
	return time.Unix(0, ns).Sub(asked.Round(0).Add(took / 2)), took / 2, nil
}

func (w *witness) alive() bool {
	select {
	case <-w.g.Ended():
		return false
	default:
		return true
	}
}

func (w *witness) end(ctx context.Context) error {
	return errors.Join(w.g.End(ctx), w.out.Close())
}
