package workload

import (
	"context"
	"errors"
	"fmt"

	"brine.test/brine/world/client"
	"brine.test/brine/world/history"
)

// accounts transfers amounts between two accounts at one instant, and reads all of them at one instant.
type accounts struct{ Config }

// mostMoved is the largest amount of a transfer.
const mostMoved = 5

func (b *accounts) key(i int) string { return fmt.Sprintf("%saccount%d", b.Prefix, i) }

func (b *accounts) keys() []string {
	var all []string
	for i := 1; i <= b.Keys; i++ {
		all = append(all, b.key(i))
	}
	return all
}

// first shares the total out; what is left over goes to the first account.
func (b *accounts) first() map[string]string {
	all := map[string]string{}
	each := b.Total / b.Keys
	for i := 1; i <= b.Keys; i++ {
		n := each
		if i == 1 {
			n += b.Total % b.Keys
		}
		all[b.key(i)] = history.AmountValue(n, fmt.Sprintf("0.%d", i))
	}
	return all
}

func (b *accounts) needs(c client.Client) error {
	if !canTransact(c, b.key(1)) {
		return fmt.Errorf("transfer between accounts: %w: it changes one key at a time, so that a total could not be kept", client.ErrUnsupported)
	}
	return nil
}

// canTransact tells whether a service's client reads and changes several keys at one instant.
func canTransact(c client.Client, key string) bool {
	t, ok := c.(client.Transactor)
	if ok {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // what the client lacks it says without asking the node
		_, r := t.ReadAll(ctx, []string{key})
		ok = !errors.Is(r.Err, client.ErrUnsupported)
	}
	return ok
}

func (b *accounts) do(ctx context.Context, a *actor) {
	o := history.Operation{Kind: history.Txn, Key: b.Prefix + "accounts"}
	if a.rng.IntN(2) == 0 {
		b.transfer(ctx, a, o)
		return
	}
	if !a.begin(ctx, &o) {
		return
	}
	ctx, cancel := a.timed(ctx)
	defer cancel()
	b.look(ctx, a, &o, b.keys())
}

// look reads accounts and writes that down.
func (b *accounts) look(ctx context.Context, a *actor, o *history.Operation, keys []string) {
	values, r := a.peer.Client.(client.Transactor).ReadAll(ctx, keys)
	o.Parts = parts(keys, values)
	a.end(o, r)
}

func parts(keys []string, values map[string]string) []history.Part {
	var all []history.Part
	for _, k := range keys {
		v, found := values[k]
		all = append(all, history.Part{Key: k, Found: found, Got: v})
	}
	return all
}

func (b *accounts) transfer(ctx context.Context, a *actor, o history.Operation) {
	two := a.rng.Perm(b.Keys)[:2]
	keys := []string{b.key(two[0] + 1), b.key(two[1] + 1)}
	amount := 1 + a.rng.IntN(mostMoved)
	o.Act, o.Element = history.Transfer, fmt.Sprint(amount)
	if !a.begin(ctx, &o) {
		return
	}
	ctx, cancel := a.timed(ctx)
	defer cancel()
	t := a.peer.Client.(client.Transactor)
	for {
		values, r := t.ReadAll(ctx, keys)
		o.Parts = parts(keys, values)
		from, errFrom := history.Amount(values[keys[0]])
		to, errTo := history.Amount(values[keys[1]])
		if r.Outcome != client.OK || errFrom != nil || errTo != nil || from < amount {
			o.Act, o.Element = history.Look, ""
			a.end(&o, r)
			return
		}
		stamp := a.stamp()
		o.Parts[0].Set, o.Parts[0].Value = true, history.AmountValue(from-amount, stamp)
		o.Parts[1].Set, o.Parts[1].Value = true, history.AmountValue(to+amount, stamp)
		r = t.ChangeAll(ctx, []client.Change{
			{Key: keys[0], Expect: o.Parts[0].Got, Value: o.Parts[0].Value},
			{Key: keys[1], Expect: o.Parts[1].Got, Value: o.Parts[1].Value},
		})
		if r.Beaten() && ctx.Err() == nil {
			continue
		}
		a.end(&o, r)
		return
	}
}

func (b *accounts) last() []finalRead {
	var all []finalRead
	for _, k := range b.keys() {
		all = append(all, finalRead{key: k})
	}
	return all
}
