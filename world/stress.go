package world

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"brine.test/brine/containers"
	"brine.test/brine/world/guest"
	"brine.test/brine/world/record"
	sel "brine.test/brine/world/selector"
)

// stressWeight is how much CPU the stress gets for each part that a service
// gets where both want all: the services are left with about a tenth.
const stressWeight = 9

// StressCPU keeps all processors busy in the nodes' own control groups, so that
// their services get about a tenth of what the node gets.
func (w *World) StressCPU(ctx context.Context, who sel.Selector, l Length) (err error) {
	if who.Service != "" {
		return fmt.Errorf("CPU of %s stressed: a node's CPU is stressed, not a service's\nhint: write `CPU of %s is limited to 10%%`", who, who)
	}
	nodes, err := w.Resolve(ctx, who)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	burners, undo := map[*Node]*containers.Guest{}, parts{}
	defer func() {
		if err != nil && len(burners) > 0 {
			err = errors.Join(err, undo.heal(context.WithoutCancel(ctx)))
		}
	}()
	threads := runtime.NumCPU()
	err = each(nodes, func(n *Node) error {
		// The weight is spread over the processors, a service's program with one thread is on one.
		g, err := n.box.Guest(guest.Command(guest.Burn(threads)), stressWeight*threads)
		if err != nil {
			return err
		}
		mu.Lock()
		burners[n], undo[n] = g, g.End
		mu.Unlock()
		_, err = g.Write([]byte("\n"))
		return err
	})
	if err != nil {
		return fmt.Errorf("stress the CPU of %s: %w", names(nodes), err)
	}
	last := map[*Node]string{}
	gauge := func() record.Receipt {
		mu.Lock()
		defer mu.Unlock()
		var all record.Receipt
		for _, n := range nodes {
			if used := burners[n].CPU(); used > 0 {
				last[n] = fmt.Sprintf("%s: %s of CPU time were burnt", n.Name, round(used))
			}
			all = join(all, counted(last[n] != "", []string{fmt.Sprintf("busy loops on %s (pid %d)", n.Name, burners[n].PID())}, last[n]))
		}
		return all
	}
	a := &active{kind: kindStress, who: nodes, what: "CPU of " + names(nodes) + " stressed", gauge: gauge}
	for n, end := range undo {
		undo[n] = func(ctx context.Context) error {
			gauge() // the last chance to count
			return end(ctx)
		}
	}
	return w.beginParts(ctx, a, undo, l)
}
