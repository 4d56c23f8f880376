package clock

import (
	"context"
	"encoding/binary"
	"errors"
	"time"
)

// stackSeen is how much of a thread's stack is searched for the place where a
// signal handler will return to. Frames of signals are 1 to 11 KB.
const stackSeen = 64 << 10

// attempts is how often code is tried to be changed while threads run in it.
// Each leaves them a moment to move on. They are not stepped out of it: a thread
// dies of SIGTRAP when this program is killed after a step.
const attempts = 200

// span is a range of a process's code, its end excluded.
type span struct{ from, to uint64 }

// install puts the patch into a running process.
func (p *process) install(ctx context.Context, to params) error {
	var inside []span // of the jumps to be: their beginnings do no harm
	for _, h := range p.im.hooks {
		at := uint64(p.vdso) + uint64(h.at)
		inside = append(inside, span{at + 1, at + uint64(len(h.jump))})
	}
	nothing := func() error { return nil }
	return p.whenOutside(ctx, inside, nothing, func() error {
		// Anew: a child that shares the memory may have been first.
		st, err := p.status()
		if err != nil || st.patched(p.im) {
			return err
		}
		return p.fill(st, to)
	})
}

// remove takes the patch out of a running process: first nobody enters any
// more, then nobody is inside. errBusy says that the clock is right again and
// that the blob stays, unused, as a paused thread is in it.
func (p *process) remove(ctx context.Context) error {
	at := uint64(p.vdso) + uint64(p.im.blobAt)
	return p.whenOutside(ctx, []span{{at, at + uint64(len(p.im.blob.code))}}, p.unhook, p.empty)
}

// whenOutside runs first when all threads stand still, and then, when none is
// in one of the spans and none will return to one when a signal handler ends.
func (p *process) whenOutside(ctx context.Context, spans []span, first, then func() error) error {
	for try := 1; ; try++ {
		err := halted(ctx, p.pid, func(threads []thread) error {
			if err := first(); err != nil {
				return err
			}
			for _, t := range threads {
				if t.tid != 0 && p.inside(t, spans) {
					return errBusy
				}
			}
			return then()
		})
		if !errors.Is(err, errBusy) || try == attempts || paused(p.pid) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(time.Duration(try) * 10 * time.Microsecond):
		}
	}
}

// inside tells whether t is in one of the spans, or something on its stack
// looks like an address there.
func (p *process) inside(t thread, spans []span) bool {
	if within(t.pc, spans) {
		return true
	}
	stack := make([]byte, stackSeen)
	n, _ := p.mem.ReadAt(stack, int64(t.sp&^7)) // as much as there is
	for ; n >= 8; n -= 8 {
		if within(binary.LittleEndian.Uint64(stack[n-8:]), spans) {
			return true
		}
	}
	return false
}

func within(pc uint64, spans []span) bool {
	for _, s := range spans {
		if s.from <= pc && pc < s.to {
			return true
		}
	}
	return false
}
