package clock

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"time"
)

// stackSeen is how much of a thread's stack is searched for what a signal
// handler will return to. Frames of signals are 1 to 11 KB.
const stackSeen = 64 << 10

// frameSeen is how much of it is searched for a return from the vDSO's own
// functions, whose frames are small.
const frameSeen = 512

// moveOn is how long threads have to leave the code that is to change. They are
// not stepped out of it: a thread dies of SIGTRAP when this program is killed
// after a step.
const moveOn = 5 * time.Second

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
	// On a busy machine a thread that is stopped again at once has not run yet.
	began := time.Now()
	for pause := 50 * time.Microsecond; ; pause = min(2*pause, 30*time.Millisecond) {
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
		if !errors.Is(err, errBusy) || time.Since(began) > moveOn || paused(p.pid) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(pause):
		}
	}
}

// inside tells whether t is in one of the spans, or will be when a signal
// handler ends. Handlers run with their signal blocked: a thread that blocks
// none is in none.
func (p *process) inside(t thread, spans []span) bool {
	if p.reaches(t.pc, t.sp, spans) {
		return true
	}
	if t.quiet {
		return false
	}
	stack := p.words(t.sp, stackSeen)
	for len(stack) >= savedWords {
		if pc, sp, ok := saved(stack); ok && p.reaches(pc, sp, spans) {
			return true
		}
		stack = stack[1:]
	}
	return false
}

// reaches tells whether a thread at pc is in one of the spans, or in a function
// of the vDSO that was called from there.
func (p *process) reaches(pc, sp uint64, spans []span) bool {
	if within(pc, spans) {
		return true
	}
	whole := []span{{uint64(p.vdso), uint64(p.vdso) + uint64(len(p.im.original))}}
	return within(pc, whole) && slices.ContainsFunc(p.words(sp, frameSeen), func(w uint64) bool { return within(w, spans) })
}

// words reads what there is of a stack.
func (p *process) words(sp uint64, size int) []uint64 {
	b := make([]byte, size)
	n, _ := p.mem.ReadAt(b, int64(sp&^7))
	out := make([]uint64, n/8)
	for i := range out {
		out[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
	return out
}

func within(pc uint64, spans []span) bool {
	for _, s := range spans {
		if s.from <= pc && pc < s.to {
			return true
		}
	}
	return false
}
