package diskfault

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// answerTime is how long a server may take to change its rules: it waits for calls
// under way that have pages of the cache locked.
const answerTime = 20 * time.Second

// patience is a context for one request about rules.
func (v *Volume) patience() (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(context.Background(), answerTime,
		fmt.Errorf("its server, process %d, does not answer for %s\nhint: was it stopped?", v.pid, answerTime))
}

// Fault is a rule in force.
type Fault struct {
	Rule Rule

	v  *Volume
	id string

	mu      sync.Mutex
	healed  bool
	lost    bool    // its server was gone before it was healed
	receipt Receipt // the last that is known
}

var faults atomic.Uint64

// Apply puts a rule in force; when it returns, calls are touched, those too on
// files that are open or mapped.
func (v *Volume) Apply(r Rule) (*Fault, error) {
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("disk %s: %w", v.cfg.Mountpoint, err)
	}
	f := &Fault{Rule: r, v: v, id: fmt.Sprint(faults.Add(1))}
	ctx, cancel := v.patience()
	defer cancel()
	if _, err := v.ask(ctx, request{Do: doApply, ID: f.id, Rule: &r}); err != nil {
		_ = f.Heal() // it may be in force; the error to tell is the first
		return nil, err
	}
	return f, nil
}

// Heal takes the rule out of force; calls that wait for it go on. It may be called
// again. Of a volume that is closed, or whose server is gone, nothing is left to
// heal.
func (f *Fault) Heal() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.healed {
		return nil
	}
	ctx, cancel := f.v.patience()
	defer cancel()
	out, err := f.v.ask(ctx, request{Do: doHeal, ID: f.id})
	if err != nil && !f.v.hasEnded() {
		return err
	}
	f.healed, f.lost = true, err != nil
	if out.Receipt != nil {
		f.receipt = *out.Receipt
	}
	return nil
}

// Lost tells whether the server was gone before the rule was healed: since then it
// was in force no more, and the receipt is what was known before.
func (f *Fault) Lost() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lost
}

// Receipt is what the rule has done so far; after Heal, in all. From a server that
// is gone it is what was known last.
func (f *Fault) Receipt() Receipt {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.healed {
		ctx, cancel := f.v.patience()
		defer cancel()
		if out, err := f.v.ask(ctx, request{Do: doReceipt, ID: f.id}); err == nil && out.Receipt != nil {
			f.receipt = *out.Receipt
		}
	}
	return f.receipt
}

func (v *Volume) hasEnded() bool {
	select {
	case <-v.ended:
		return true
	default:
		return false
	}
}
