package workload

import (
	"context"
	"time"

	"brine.test/brine/world/client"
	"brine.test/brine/world/history"
)

// lock lets clients take turns. One whose call is in doubt looks whether it holds the lock: its token is in it or not.
type lock struct {
	Config
}

// held is how long a client keeps the lock.
const held = 2 * time.Millisecond

func (l *lock) key() string { return l.Prefix + "lock" }

func (l *lock) first() map[string]string { return map[string]string{l.key(): history.FreeValue("0.1")} }

func (l *lock) needs(c client.Client) error { return canCAS("take turns on a lock", c, l.key()) }

func (l *lock) do(ctx context.Context, a *actor) {
	token := a.stamp()
	got := a.update(ctx, history.Operation{Act: history.Acquire, Key: l.key(), Element: token}, func(now string, o *history.Operation) bool {
		if history.Holder(now) != "" {
			o.Act, o.Element = "", "" // taken: it was a look
			return false
		}
		o.Value = token
		return true
	})
	if got.Act != history.Acquire || got.Outcome == history.Failed || got.Kind != history.CAS {
		return
	}
	holds := got.Outcome == history.OK
	for ctx.Err() == nil {
		if !holds {
			seen, ok := a.read(ctx, l.key(), token)
			if ok && history.Holder(seen.Got) != token {
				return // never had, or given back
			}
			holds = ok
			if !ok {
				pause(ctx, a.cfg.Pause)
				continue
			}
		}
		pause(ctx, held)
		back := history.Operation{Kind: history.CAS, Act: history.Release, Key: l.key(), Element: token, Expect: token, Value: history.FreeValue(a.stamp())}
		if !a.begin(ctx, &back) {
			pause(ctx, a.cfg.Pause)
			continue
		}
		timed, cancel := a.timed(ctx)
		a.end(&back, a.peer.Client.Invoke(timed, client.Op{Kind: client.CAS, Key: back.Key, Expect: back.Expect, Value: back.Value}))
		cancel()
		if back.Outcome == history.OK || back.Conflict {
			return
		}
		holds = false
	}
}

// pause lets time go by.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

func (l *lock) last() []finalRead { return []finalRead{{key: l.key()}} }
