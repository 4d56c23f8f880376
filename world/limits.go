package world

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"brine.test/brine/containers"
	"brine.test/brine/world/record"
	sel "brine.test/brine/world/selector"
)

// limits are those of a node or of a service.
type limits struct {
	memory limited[int64]   // bytes
	cpu    limited[float64] // CPUs
}

// limited is a number that harms set. The last one counts; when it ends, the one
// before it does again, and at last what the node or service was made with.
type limited[T int64 | float64] struct {
	mu sync.Mutex
	on []setting[T]
}

type setting[T any] struct {
	id    string
	value T
}

// put sets a value, under the id of a harm. What was refused is not kept.
func (l *limited[T]) put(ctx context.Context, id string, value T, set func(context.Context, T) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := set(ctx, value); err != nil {
		return err
	}
	l.on = append(l.on, setting[T]{id, value})
	return nil
}

// drop takes a value back.
func (l *limited[T]) drop(ctx context.Context, id string, base T, set func(context.Context, T) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	left := slices.DeleteFunc(slices.Clone(l.on), func(s setting[T]) bool { return s.id == id })
	value := base
	if len(left) > 0 {
		value = left[len(left)-1].value
	}
	if err := set(ctx, value); err != nil {
		return err
	}
	l.on = left
	return nil
}

// place is where memory and CPU are counted: a whole node, or one service of it.
type place struct {
	label    string
	node     *Node
	services []*Service
	limits   *limits
	memory   int64 // what it was made with
	cpu      float64
	box      interface {
		SetMemory(context.Context, int64) error
		SetCPU(context.Context, float64) error
		Usage() (containers.Usage, error)
	}
}

// places are the nodes of a selector, or the service that it names on each.
func (w *World) places(ctx context.Context, who sel.Selector) ([]*Node, []place, error) {
	nodes, err := w.Resolve(ctx, who)
	if err != nil {
		return nil, nil, err
	}
	out := make([]place, len(nodes))
	for i, n := range nodes {
		out[i] = place{label: n.Name, node: n, services: n.services, limits: &n.limits, memory: n.spec.Memory, cpu: n.spec.CPU, box: n.box}
		if who.Service == "" {
			continue
		}
		s, err := n.service(who.Service)
		if err != nil {
			return nil, nil, err
		}
		out[i] = place{label: s.label(), node: n, services: []*Service{s}, limits: &s.limits, memory: s.inst.Memory, cpu: s.inst.CPU, box: s.box}
	}
	return nodes, out, nil
}

// up lists the services of the place that run.
func (p place) up() []*Service { return running(p.services) }

// LimitMemory limits the memory of nodes or services, in bytes. What is in use
// beyond it and cannot be written out is killed for by the kernel.
func (w *World) LimitMemory(ctx context.Context, who sel.Selector, bytes int64, l Length) error {
	if bytes <= 0 {
		return fmt.Errorf("%d bytes of memory: nothing runs with that", bytes)
	}
	var squeezed sync.Map // places where the limit killed at once, by label
	return w.limit(ctx, who, kindMemory, fmt.Sprintf("memory of %%s limited to %s", byteSize(bytes)), l,
		func(id string, p place) error {
			err := p.limits.memory.put(ctx, id, bytes, p.box.SetMemory)
			if !errors.Is(err, unix.EBUSY) {
				return err
			}
			// Control groups of version 1 refuse what version 2 kills for.
			if err := w.runOut(ctx, p); err != nil {
				return err
			}
			squeezed.Store(p.label, true)
			if err := p.limits.memory.put(ctx, id, bytes, p.box.SetMemory); !errors.Is(err, unix.EBUSY) {
				return err
			}
			return fmt.Errorf("%s: %s of memory: less than the kernel itself holds for it\nhint: write 1 MiB or more", p.label, byteSize(bytes))
		},
		func(ctx context.Context, id string, p place) error {
			return p.limits.memory.drop(ctx, id, p.memory, p.box.SetMemory)
		},
		func(p place, from, to containers.Usage) record.Receipt {
			if _, ok := squeezed.Load(p.label); ok {
				return counted(true, processes(p.services), p.label+": more was in use, and the kernel killed for it")
			}
			reached := risen(from.Reached, to.Reached)
			if reached == 0 && to.Peak < bytes-bytes/100 {
				return record.Receipt{Proof: p.label + ": the limit was never reached"}
			}
			return counted(true, processes(p.services), fmt.Sprintf("%s: the limit was reached %d times", p.label, max(reached, 1)))
		})
}

// LimitCPU limits the CPU time of nodes or services: 1 is one processor.
func (w *World) LimitCPU(ctx context.Context, who sel.Selector, cpus float64, l Length) error {
	if cpus <= 0 {
		return fmt.Errorf("%g%% of a CPU: nothing runs with that\nhint: write `node2 is paused`", cpus*100)
	}
	return w.limit(ctx, who, kindCPU, fmt.Sprintf("CPU of %%s limited to %g%%%%", cpus*100), l,
		func(id string, p place) error { return p.limits.cpu.put(ctx, id, cpus, p.box.SetCPU) },
		func(ctx context.Context, id string, p place) error {
			return p.limits.cpu.drop(ctx, id, p.cpu, p.box.SetCPU)
		},
		func(p place, from, to containers.Usage) record.Receipt {
			held := risen(from.Held, to.Held)
			return counted(held > 0, processes(p.services), fmt.Sprintf("%s: throttled in %d of %d periods, for %s in all",
				p.label, held, risen(from.Periods, to.Periods), round(max(0, to.Throttled-from.Throttled))))
		})
}

// limit puts a limit on every place, and judges by its counters whether it was
// felt. what has one verb, for the places' names.
func (w *World) limit(ctx context.Context, who sel.Selector, kind harmKind, what string, l Length,
	put func(id string, p place) error, drop func(ctx context.Context, id string, p place) error,
	felt func(p place, from, to containers.Usage) record.Receipt,
) error {
	nodes, places, err := w.places(ctx, who)
	if err != nil {
		return err
	}
	id := w.nextID("limit")
	undo, from := parts{}, make([]containers.Usage, len(places))
	last := make([]containers.Usage, len(places))
	for i, p := range places {
		from[i], _ = p.box.Usage() // a service that does not run has none yet
		last[i] = from[i]
		undo[p.node] = func(ctx context.Context) error {
			if now, err := p.box.Usage(); err == nil {
				last[i] = now
			}
			return drop(ctx, id, p)
		}
	}
	if err := each(places, func(p place) error { return put(id, p) }); err != nil {
		return errors.Join(err, undo.heal(context.WithoutCancel(ctx)))
	}
	gauge := func() record.Receipt {
		var all record.Receipt
		for i, p := range places {
			all = join(all, felt(p, from[i], last[i]))
		}
		return all
	}
	return w.beginParts(ctx, &active{kind: kind, who: nodes, what: fmt.Sprintf(what, labels(places)), gauge: gauge}, undo, l)
}

// risen is how far a counter went; one that began anew began at 0.
func risen(from, to uint64) uint64 {
	if to < from {
		return to
	}
	return to - from
}
