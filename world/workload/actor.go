package workload

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"brine.test/brine/world/client"
	"brine.test/brine/world/history"
)

// actor is one client while it works.
type actor struct {
	cfg  *Config
	who  Who
	rng  *rand.Rand
	seq  int
	due  int64         // in an open loop, when the operation at hand was due
	last client.Result // of its last call
	peer Peer
}

// stamp is a text that nobody else makes: "3.17".
func (a *actor) stamp() string {
	a.seq++
	return fmt.Sprintf("%d.%d", a.who.Number, a.seq)
}

// begin starts an operation: whom it asks is chosen now, and stays. It gives false when there is nobody to ask, which is
// written down: the client was not served.
func (a *actor) begin(ctx context.Context, o *history.Operation) bool {
	o.Work, o.Run, o.Client, o.Due = a.cfg.Work, a.cfg.Run, a.who.Number, a.due
	o.Start = a.cfg.Now()
	peer, err := a.cfg.Router.Next(ctx, a.who, a.rng, a.last)
	if err == nil {
		a.peer, o.Node = peer, peer.Node
		return true
	}
	a.last = client.Result{Outcome: client.Failed, Err: err}
	a.end(o, a.last)
	return false
}

// end writes an operation down.
func (a *actor) end(o *history.Operation, r client.Result) {
	o.End = a.cfg.Now()
	a.last = r
	fill(o, r)
	a.cfg.Record(*o)
}

// fill puts a call's result into an operation.
func fill(o *history.Operation, r client.Result) {
	switch r.Outcome {
	case client.OK:
		o.Outcome = history.OK
	case client.Failed:
		o.Outcome = history.Failed
	default:
		o.Outcome = history.Unknown
	}
	if r.Err != nil {
		o.Error = r.Err.Error()
	}
	if o.Kind == history.Read && r.Outcome == client.OK {
		o.Found, o.Got = r.Found, r.Value
	}
	o.Conflict = o.Kind != history.Read && r.Outcome == client.Failed && errors.Is(r.Err, client.ErrConflict)
}

// timed gives an operation its time.
func (a *actor) timed(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, a.cfg.Timeout)
}

// read reads a key and writes it down.
func (a *actor) read(ctx context.Context, key, element string) (history.Operation, bool) {
	o := history.Operation{Kind: history.Read, Key: key, Element: element}
	if !a.begin(ctx, &o) {
		return o, false
	}
	ctx, cancel := a.timed(ctx)
	defer cancel()
	kind := client.Read
	if a.cfg.Stale {
		kind = client.StaleRead
	}
	a.end(&o, a.peer.Client.Invoke(ctx, client.Op{Kind: kind, Key: key}))
	return o, o.Outcome == history.OK
}

// write writes a key and writes it down.
func (a *actor) write(ctx context.Context, o history.Operation) history.Operation {
	o.Kind = history.Write
	if !a.begin(ctx, &o) {
		return o
	}
	ctx, cancel := a.timed(ctx)
	defer cancel()
	a.end(&o, a.peer.Client.Invoke(ctx, client.Op{Kind: client.Write, Key: o.Key, Value: o.Value}))
	return o
}

// update reads a key and compares and sets it to what next makes of it, until that is done, or refused for another
// reason than that another value was there by then, or in doubt, or the operation's time is over. It is one operation in
// the history: its last compare-and-set. next gives false when there is nothing to do; then it was a read.
func (a *actor) update(ctx context.Context, o history.Operation, next func(now string, o *history.Operation) bool) history.Operation {
	o.Kind = history.CAS
	if !a.begin(ctx, &o) {
		return o
	}
	ctx, cancel := a.timed(ctx)
	defer cancel()
	for {
		seen := a.peer.Client.Invoke(ctx, client.Op{Kind: client.Read, Key: o.Key})
		if seen.Outcome != client.OK || !seen.Found {
			a.unread(&o, seen)
			return o
		}
		o.Expect = seen.Value
		if !next(seen.Value, &o) {
			o.Kind, o.Expect, o.Value = history.Read, "", ""
			a.end(&o, seen)
			return o
		}
		r := a.peer.Client.Invoke(ctx, client.Op{Kind: client.CAS, Key: o.Key, Expect: o.Expect, Value: o.Value})
		if r.Beaten() && ctx.Err() == nil {
			continue
		}
		a.end(&o, r)
		return o
	}
}

// unread ends an update that did not come to change anything. Without an answer it was given up, which for one who waits
// for it is the same as a doubt: but it is certain that nothing was done.
func (a *actor) unread(o *history.Operation, seen client.Result) {
	if seen.Outcome == client.OK {
		seen = client.Result{Outcome: client.Failed, Answered: true, Err: fmt.Errorf("nothing is under %q", o.Key)}
	}
	o.Expect, o.Value = "", ""
	if seen.Outcome == client.Unknown {
		o.Kind = history.Read
	}
	a.end(o, seen)
}

// canCAS tells whether a service has compare-and-set, by asking for one that cannot succeed.
func canCAS(what string, c client.Client, key string) error {
	return can(what, c, client.Op{Kind: client.CAS, Key: key, Expect: "never written", Value: "never written"}, "cas")
}

// can tells whether a service's client can do something, which part of a client in a service file would make it able to.
func can(what string, c client.Client, op client.Op, part string) error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // what the client lacks it says without asking the node
	if r := c.Invoke(ctx, op); errors.Is(r.Err, client.ErrUnsupported) {
		return fmt.Errorf("%s: %w\nhint: give its service file a client with %q", what, r.Err, part)
	}
	return nil
}
