package netfab

import (
	"context"
	"errors"
	"fmt"
)

// newborn is a namespace with its settings, without links, and a socket in it.
type newborn struct {
	ns *Namespace
	rt *rtSocket
}

// making is namespaces on their way, made by a thread of its own. Half of the
// time that a node costs is its namespace's, and the kernel makes one while
// another gets its links.
type making struct {
	made   chan newborn // has room for all; closed at the end
	cancel context.CancelFunc
	err    error // of the one that could not be made; good once made is closed
}

// makeAhead begins to make namespaces, in the order of their names. Its drain
// must be called.
func makeAhead(ctx context.Context, names []string) *making {
	ctx, cancel := context.WithCancel(ctx)
	m := &making{made: make(chan newborn, len(names)), cancel: cancel}
	go func() {
		defer close(m.made)
		m.err = visit(func() error { return m.run(ctx, names) })
	}()
	return m
}

// run makes the namespaces. Only a visitor may call it.
func (m *making) run(ctx context.Context, names []string) (err error) {
	var settings []sysctl
	proc := sharedProc
	defer func() { err = errors.Join(err, proc.close()) }()
	for i, name := range names {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("%s: add node: %w", name, err)
		}
		ns, err := unshareHere(name)
		if err != nil {
			return err
		}
		rt, err := func() (*rtSocket, error) {
			if i == 0 {
				if settings, err = differHere(nodeSysctls); err != nil {
					return nil, err
				}
			}
			if proc, err = proc.fresh(i); err != nil {
				return nil, err
			}
			if err := proc.setHere(settings); err != nil {
				return nil, err
			}
			return rtSocketHere()
		}()
		if err != nil {
			return errors.Join(fmt.Errorf("%s: %w", name, err), ns.Close())
		}
		m.made <- newborn{ns, rt}
	}
	return nil
}

// next waits for the next namespace.
func (m *making) next() (newborn, error) {
	b, ok := <-m.made
	if !ok {
		return b, m.err
	}
	return b, nil
}

// drain ends the making and closes what nobody took.
func (m *making) drain() error {
	m.cancel()
	var errs []error
	for b := range m.made {
		errs = append(errs, b.rt.close(), b.ns.Close())
	}
	return errors.Join(errs...)
}
