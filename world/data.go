package world

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"brine.test/brine/world/catalogue"
	"brine.test/brine/world/client"
	"brine.test/brine/world/record"
	sel "brine.test/brine/world/selector"
)

// Expect is what a sentence expects of an operation.
type Expect int

const (
	// Succeeds wants an attempt that was acknowledged.
	Succeeds Expect = iota
	// Fails wants none that was acknowledged.
	Fails
	// TimesOut wants none that was even answered.
	TimesOut
)

// String says it as the sentence does.
func (e Expect) String() string {
	return [...]string{"to succeed", "to fail", "to time out"}[e]
}

// ReadOptions say how a read is made and what it must find.
type ReadOptions struct {
	Stale   bool // what the asked node has, without asking the others
	Nothing bool // there must be no value
}

// operate does one operation on one service as a sentence does: in attempts of
// at most 1 s, until one is acknowledged or the operation's time is over.
func (w *World) operate(ctx context.Context, s *Service, op client.Op) (client.TryResult, error) {
	c, err := s.fromClients()
	if err != nil {
		return client.TryResult{}, err
	}
	limit := s.inst.Timeout
	if deadline, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(deadline))
	}
	start := w.suite.rec.Now()
	r := client.Try(ctx, c, op, limit)
	w.recordOperation(s, op, r, start)
	return r, nil
}

func (w *World) recordOperation(s *Service, op client.Op, r client.TryResult, start record.Time) {
	end := w.suite.rec.Now()
	o := record.Operation{
		Client: "clients", Kind: op.Kind.String(), Service: s.Name, Node: s.node.Name, Key: op.Key, Value: op.Value,
		Start: start.Mono, End: end.Mono, Outcome: outcomeOf(r.Result()),
	}
	if last := r.Result(); last.Outcome == client.OK {
		o.Returned, o.Nothing = last.Value, (op.Kind == client.Read || op.Kind == client.StaleRead) && !last.Found
	} else if last.Err != nil {
		o.Error = last.Err.Error()
	}
	for _, a := range r.Attempts {
		at := start.Mono + a.Start.Sub(r.Attempts[0].Start).Nanoseconds()
		attempt := record.Attempt{Start: at, End: at + a.Took.Nanoseconds(), Outcome: outcomeOf(a.Result)}
		if a.Result.Err != nil {
			attempt.Error = a.Result.Err.Error()
		}
		o.Attempts = append(o.Attempts, attempt)
	}
	w.rec.Operation(o)
}

func outcomeOf(r client.Result) record.Outcome {
	switch r.Outcome {
	case client.OK:
		return record.OutcomeOK
	case client.Failed:
		return record.OutcomeFailed
	}
	return record.OutcomeUnknown
}

// usable finds, on each node, the service that a read or write goes to: the one
// named, or the only one with a client.
func (w *World) usable(ctx context.Context, who sel.Selector) ([]*Service, error) {
	nodes, err := w.Resolve(ctx, who)
	if err != nil {
		return nil, err
	}
	// Who names nodes means each of them; "all nodes" means those that can.
	each := who.Kind == sel.Named || who.Kind == sel.List || who.Service != ""
	var out []*Service
	for _, n := range nodes {
		if !each && len(nodes) > 1 && !n.hasClient() {
			continue
		}
		s, err := n.withClient(who.Service)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s: none of their services can be read or written\nhint: give a service file a client", names(nodes))
	}
	return out, nil
}

func (n *Node) hasClient() bool {
	for _, s := range n.services {
		if s.def.Client != nil {
			return true
		}
	}
	return false
}

func (n *Node) withClient(name string) (*Service, error) {
	if name != "" {
		return n.service(name)
	}
	var can []*Service
	for _, s := range n.services {
		if s.def.Client != nil {
			can = append(can, s)
		}
	}
	switch can = meant(can); len(can) {
	case 1:
		return can[0], nil
	case 0:
		return nil, fmt.Errorf("%s: none of its services (%s) can be read or written\nhint: give a service file a client", n.Name, n.serviceNames())
	}
	return n.service("")
}

// Write writes a value under a key on each of the nodes; it must be acknowledged.
func (w *World) Write(ctx context.Context, key, value string, on sel.Selector, b Bound) error {
	return w.onEach(ctx, on, b, func(ctx context.Context, s *Service) error {
		r, err := w.operate(ctx, s, client.Op{Kind: client.Write, Key: key, Value: value})
		if err != nil {
			return err
		}
		if !r.Acknowledged {
			return outcomeError(r, "write of %q on %s: expected an acknowledgement, got %s", key, s.label(), r)
		}
		return nil
	})
}

// Read reads a key from each of the nodes; it must be answered.
func (w *World) Read(ctx context.Context, key string, from sel.Selector, b Bound) error {
	return w.onEach(ctx, from, b, func(ctx context.Context, s *Service) error {
		r, err := w.operate(ctx, s, client.Op{Kind: client.Read, Key: key})
		if err != nil {
			return err
		}
		if !r.Acknowledged {
			return outcomeError(r, "read of %q from %s: expected an answer, got %s", key, s.label(), r)
		}
		return nil
	})
}

// WriteExpect writes a fresh key on each of the nodes and judges the outcome.
func (w *World) WriteExpect(ctx context.Context, on sel.Selector, want Expect, b Bound) error {
	return w.onEach(ctx, on, b, func(ctx context.Context, s *Service) error {
		return w.expect(ctx, s, client.Op{Kind: client.Write, Key: w.freshKey(), Value: "written"}, "a write to", want)
	})
}

// ReadExpect reads a key from each of the nodes, one that was never written
// when key is "", and judges whether it was answered.
func (w *World) ReadExpect(ctx context.Context, key string, from sel.Selector, o ReadOptions, want Expect, b Bound) error {
	return w.onEach(ctx, from, b, func(ctx context.Context, s *Service) error {
		op := client.Op{Kind: client.Read, Key: key}
		if o.Stale {
			op.Kind = client.StaleRead
		}
		if key == "" {
			op.Key = w.freshKey()
		}
		return w.expect(ctx, s, op, "a read from", want)
	})
}

func (w *World) expect(ctx context.Context, s *Service, op client.Op, what string, want Expect) error {
	r, err := w.operate(ctx, s, op)
	if err != nil {
		return err
	}
	ok := map[Expect]bool{Succeeds: r.Acknowledged, Fails: !r.Acknowledged, TimesOut: r.TimedOut}[want]
	if !ok {
		return outcomeError(r, "expected %s %s %s, got %s", what, s.node.Name, want, r)
	}
	return nil
}

// outcomeError is the error of an operation that came out otherwise than expected. Where nobody answered it is a
// client.ErrNoAnswer too.
func outcomeError(r client.TryResult, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if r.TimedOut {
		return silence{err}
	}
	return err
}

type silence struct{ error }

func (s silence) Unwrap() error        { return s.error }
func (s silence) Is(target error) bool { return target == client.ErrNoAnswer }

// freshKey is a key that nobody used.
func (w *World) freshKey() string { return strings.ReplaceAll(w.nextID("key"), ".", "-") }

func (w *World) onEach(ctx context.Context, who sel.Selector, b Bound, f func(context.Context, *Service) error) error {
	services, err := w.usable(ctx, who)
	if err != nil {
		return err
	}
	return w.Check(ctx, b, func(ctx context.Context) error {
		return each(services, func(s *Service) error { return f(ctx, s) })
	})
}

// ReadReturns reads a key from each of the nodes and compares what it holds.
func (w *World) ReadReturns(ctx context.Context, key string, from sel.Selector, want string, o ReadOptions, b Bound) error {
	return w.onEach(ctx, from, b, func(ctx context.Context, s *Service) error {
		got, found, err := w.get(ctx, s, key, o.Stale)
		switch {
		case err != nil:
			return err
		case o.Nothing && found:
			return fmt.Errorf("read of %q from %s: expected nothing, got %q", key, s.node.Name, got)
		case !o.Nothing && !found:
			return fmt.Errorf("read of %q from %s: expected %q, got nothing", key, s.node.Name, want)
		case !o.Nothing && got != want:
			return fmt.Errorf("read of %q from %s: expected %q, got %q", key, s.node.Name, want, got)
		}
		return nil
	})
}

func (w *World) get(ctx context.Context, s *Service, key string, stale bool) (value string, found bool, err error) {
	op := client.Op{Kind: client.Read, Key: key}
	if stale {
		op.Kind = client.StaleRead
	}
	r, err := w.operate(ctx, s, op)
	if err != nil {
		return "", false, err
	}
	if !r.Acknowledged {
		return "", false, outcomeError(r, "read of %q from %s: expected an answer, got %s", key, s.label(), r)
	}
	last := r.Result()
	return last.Value, last.Found, nil
}

// AllAgree holds when a read of the key gives the same on every node.
func (w *World) AllAgree(ctx context.Context, key string, b Bound) error {
	services, err := w.usable(ctx, sel.Selector{Kind: sel.All, Text: "all nodes"})
	if err != nil {
		return err
	}
	return w.Check(ctx, b, func(ctx context.Context) error {
		answers := make([]string, len(services))
		index := map[*Service]int{}
		for i, s := range services {
			index[s] = i
		}
		err := each(services, func(s *Service) error {
			v, found, err := w.get(ctx, s, key, false)
			answers[index[s]] = fmt.Sprintf("%q", v)
			if !found {
				answers[index[s]] = "nothing"
			}
			return err
		})
		if err != nil {
			return err
		}
		for _, a := range answers {
			if a != answers[0] {
				words := make([]string, len(answers))
				for i, s := range services {
					words[i] = fmt.Sprintf("%s has %s", s.node.Name, answers[i])
				}
				return fmt.Errorf("expected all nodes to agree on %q, but %s", key, listWords(words))
			}
		}
		return nil
	})
}

// CaughtUp holds when the nodes' replication is as far as the leader's was when
// the sentence looked.
func (w *World) CaughtUp(ctx context.Context, who sel.Selector, of string, b Bound) error {
	nodes, err := w.Resolve(ctx, who)
	if err != nil {
		return err
	}
	e, err := w.electorate(word(of, who.Service), nodes...)
	if err != nil {
		return err
	}
	return w.Check(ctx, b, func(ctx context.Context) error {
		leader, err := w.findLeader(ctx, e)
		if err != nil {
			return err
		}
		goal, err := leader.position(ctx, e.service)
		if err != nil {
			return err
		}
		return each(nodes, func(n *Node) error {
			at, err := n.position(ctx, e.service)
			if err != nil {
				return err
			}
			if at < goal {
				return fmt.Errorf("expected %s to have caught up with %s, it is at %d and the leader at %d", n.Name, leader.Name, at, goal)
			}
			return nil
		})
	})
}

func (n *Node) position(ctx context.Context, service string) (uint64, error) {
	s, err := n.service(service)
	if err != nil {
		return 0, err
	}
	if !s.isUp() {
		return 0, fmt.Errorf("%s: %s", s.label(), s.downState())
	}
	c, err := s.fromInside()
	if err != nil {
		return 0, err
	}
	if !client.Can(s.def.Client, catalogue.OpPosition) {
		return 0, errors.New(s.Name + ": its client cannot tell a replication position\nhint: give its service file a client with \"position\"")
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	at, err := c.(client.Positioner).Position(ctx)
	if err != nil {
		return 0, fmt.Errorf("%s: position: %w", s.label(), err)
	}
	return at, nil
}
