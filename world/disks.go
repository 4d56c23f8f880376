package world

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"brine.test/brine/containers/diskfault"
	"brine.test/brine/world/record"
	sel "brine.test/brine/world/selector"
)

// DiskHarm is what a disk does wrong.
type DiskHarm struct {
	rule diskfault.Rule
	what string // after "the disk of node2"
}

// The ways in which a disk can fail.
var (
	DiskFull     = DiskHarm{diskfault.Full(), "full"}
	DiskFails    = DiskHarm{diskfault.Fails(), "failing"}
	ReadsFail    = DiskHarm{diskfault.ReadsFail(), "failing reads"}
	WritesFail   = DiskHarm{diskfault.WritesFail(), "failing writes"}
	FsyncFails   = DiskHarm{diskfault.FsyncFails(), "failing fsync"}
	DiskReadOnly = DiskHarm{diskfault.ReadOnly(), "read-only"}
)

// SlowDisk makes each read and change wait.
func SlowDisk(by time.Duration) DiskHarm {
	return DiskHarm{diskfault.Slow(by), "slow by " + by.String()}
}

// SlowFsync makes each fsync take so long.
func SlowFsync(takes time.Duration) DiskHarm {
	return DiskHarm{diskfault.SlowFsync(takes), "taking " + takes.String() + " for fsync"}
}

// CorruptReads flips a bit in a share (0 to 1) of what is read.
func CorruptReads(share float64) DiskHarm {
	return DiskHarm{diskfault.CorruptReads(share, 0), fmt.Sprintf("corrupting %g%% of reads", share*100)}
}

// HarmDisk lets the disks behind the data of nodes, or of the service that is
// named, go wrong.
func (w *World) HarmDisk(ctx context.Context, who sel.Selector, h DiskHarm, l Length) error {
	if h.rule.Flip > 0 && h.rule.Share <= 0 {
		return fmt.Errorf("%s: a share of nothing harms nothing\nhint: write 0.1%% or more", h.what)
	}
	nodes, disks, err := w.disks(ctx, who)
	if err != nil {
		return err
	}
	h.rule.Seed = w.draw(ctx)
	began := time.Now()
	var faults []*diskfault.Fault
	undo := parts{}
	for n, all := range disks {
		for _, s := range all {
			f, err := s.disk.Apply(h.rule)
			if err != nil {
				return errors.Join(fmt.Errorf("%s: %w", s.label(), err), undo.heal(context.WithoutCancel(ctx)))
			}
			faults = append(faults, f)
			rest := undo[n]
			undo[n] = func(ctx context.Context) error {
				err := f.Heal()
				if rest != nil {
					err = errors.Join(err, rest(ctx))
				}
				return err
			}
		}
	}
	what := "the disk of " + names(nodes) + " " + h.what
	if who.Service != "" {
		what = "the disk of " + who.String() + " " + h.what
	}
	return w.beginParts(ctx, &active{
		kind: kindDisk, who: nodes, what: what, inject: time.Since(began),
		gauge: func() record.Receipt { return diskReceipt(faults) },
	}, undo, l)
}

// RecoverDisk ends all harm to the disks of nodes.
func (w *World) RecoverDisk(ctx context.Context, who sel.Selector) error {
	nodes, _, err := w.disks(ctx, who)
	if err != nil {
		return err
	}
	hit, err := w.healOn(ctx, nodes, func(a *active) bool { return a.kind == kindDisk })
	if err == nil && !hit {
		return fmt.Errorf("the disk of %s: is not harmed\nhint: %s", names(nodes), w.onNow())
	}
	return err
}

// disks finds the services with a disk that can fail, by node.
func (w *World) disks(ctx context.Context, who sel.Selector) ([]*Node, map[*Node][]*Service, error) {
	nodes, services, err := w.targets(ctx, who)
	if err != nil {
		return nil, nil, err
	}
	out := map[*Node][]*Service{}
	for _, s := range services {
		if s.disk != nil {
			out[s.node] = append(out[s.node], s)
		}
	}
	for _, n := range nodes {
		if len(out[n]) > 0 {
			continue
		}
		if who.Service != "" {
			return nil, nil, fmt.Errorf("%s: %s keeps no data\nhint: say where it does in its service file: `data: /data`", n.Name, who.Service)
		}
		return nil, nil, fmt.Errorf("%s: none of its services (%s) keeps data\nhint: say where one does in its service file: `data: /data`", n.Name, n.serviceNames())
	}
	return nodes, out, nil
}

// diskReceipt adds up which calls were touched.
func diskReceipt(faults []*diskfault.Fault) record.Receipt {
	var all record.Receipt
	calls := map[diskfault.Op]uint64{}
	for _, f := range faults {
		r := f.Receipt()
		all = join(all, record.Receipt{Calls: r.Total(), FirstTouched: r.First, LastTouched: r.Last})
		for op, n := range r.Calls {
			calls[op] += n
		}
	}
	var words []string
	for op, n := range calls {
		if n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, op))
		}
	}
	slices.Sort(words)
	all.Proof = "calls touched: " + listWords(words)
	if slices.ContainsFunc(faults, (*diskfault.Fault).Lost) {
		all.Proof += "; it ended early, with the server of the disk"
	}
	return all
}

// LosePower kills whole nodes at once and takes back what they had not fsynced.
func (w *World) LosePower(ctx context.Context, who sel.Selector) error {
	if who.Service != "" {
		return fmt.Errorf("%s: power is lost by a node, not by a service\nhint: write `%s is killed`, or `node1 loses power`", who, who)
	}
	nodes, disks, err := w.disks(ctx, who)
	if err != nil {
		return err
	}
	var up []*Service
	for _, n := range nodes {
		for _, s := range n.services {
			if s.isUp() {
				up = append(up, s)
			}
		}
	}
	if len(up) == 0 {
		return fmt.Errorf("%s: does not run, so it cannot lose power", names(nodes))
	}
	touched := processes(up)
	for _, s := range up {
		s.expectDown()
	}
	if err := each(nodes, func(n *Node) error { return n.box.Kill(ctx) }); err != nil {
		return err
	}
	lost := make([]string, len(nodes))
	var calls [2]uint64
	err = each(nodes, func(n *Node) error {
		var files, entries int
		for _, s := range disks[n] {
			loss, err := s.disk.LosePower(ctx)
			if err != nil {
				return fmt.Errorf("%s: %w", s.label(), err)
			}
			files, entries = files+loss.Files, entries+loss.Entries
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		calls[0], calls[1] = calls[0]+uint64(files), calls[1]+uint64(entries)
		lost[slices.Index(nodes, n)] = fmt.Sprintf("%s lost what was not fsynced of %d files, and %d changes of names", n.Name, files, entries)
		return nil
	})
	if err != nil {
		return err
	}
	w.setLast("killed", nodes)
	err = w.begin(ctx, &active{
		id: w.nextID("harm"), kind: kindPower, who: nodes, what: names(nodes) + " without power",
		undo: func(ctx context.Context) error { return w.startDown(ctx, up) },
		gauge: func() record.Receipt {
			return record.Receipt{Processes: touched, Calls: calls[0] + calls[1], Proof: strings.Join(lost, "; ")}
		},
	}, Length{})
	if err != nil {
		return err
	}
	return w.thawDead(ctx)
}
