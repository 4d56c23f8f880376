package workload

import (
	"context"

	"brine.test/brine/world/client"
	"brine.test/brine/world/history"
)

// counter increments a counter and reads it.
type counter struct{ Config }

func (c *counter) key() string { return c.Prefix + "counter" }

func (c *counter) first() map[string]string {
	return map[string]string{c.key(): history.AmountValue(0, "0.1")}
}

func (c *counter) needs(one client.Client) error {
	return canCAS("increment a counter", one, c.key())
}

func (c *counter) do(ctx context.Context, a *actor) {
	if a.rng.IntN(2) == 0 {
		a.read(ctx, c.key(), "")
		return
	}
	a.update(ctx, history.Operation{Act: history.Increment, Key: c.key()}, func(now string, o *history.Operation) bool {
		n, err := history.Amount(now)
		if err != nil {
			return false // no number: the read tells it
		}
		o.Value = history.AmountValue(n+1, a.stamp())
		return true
	})
}

func (c *counter) last() []finalRead { return []finalRead{{key: c.key()}} }
