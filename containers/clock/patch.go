package clock

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"
)

// stackSeen is how much of a thread's stack is searched for what a signal
// handler will return to. Frames of signals are 1 to 11 KB.
const stackSeen = 64 << 10

// frameSeen is how much of it is searched for a return from the vDSO's own
// functions, whose frames are small.
const frameSeen = 512

// moveOn is how long threads have to leave the code that is to change, counted
// from when the last one was seen to leave: on a busy machine they wait for their
// turn. They are not stepped out of it: a thread dies of SIGTRAP when this
// program is killed after a step.
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
	return p.whenOutside(ctx, inside, nil, func() error {
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
// that the blob stays, unused, as a thread that stands still is in it.
func (p *process) remove(ctx context.Context) error {
	at := uint64(p.vdso) + uint64(p.im.blobAt)
	return p.whenOutside(ctx, []span{{at, at + uint64(len(p.im.blob.code))}}, p.unhook, p.empty)
}

// whenOutside runs then when no thread is in one of the spans, and none will
// return to one when a signal handler ends. shut, where there is one, keeps
// threads from entering them; it runs while all stand still. Behind it each thread
// has to be seen outside only once, not all at one moment: a busy program has
// always one that seems to be inside.
func (p *process) whenOutside(ctx context.Context, spans []span, shut, then func() error) error {
	left := map[int]bool{} // threads that cannot be inside any more
	// On a busy machine a thread that is stopped again at once has not run yet.
	last := time.Now()
	for pause := 50 * time.Microsecond; ; pause = min(2*pause, 30*time.Millisecond) {
		err := halted(ctx, p.pid, func(threads []thread) error {
			if shut != nil {
				if err := shut(); err != nil {
					return err
				}
			}
			var err error
			for _, t := range threads {
				switch {
				case t.tid == 0 || left[t.tid]:
				case p.inside(t, spans):
					err = fmt.Errorf("thread %d: %w", t.tid, errBusy)
				case shut != nil:
					left[t.tid], last = true, time.Now()
				}
			}
			if err != nil {
				return err
			}
			return then()
		})
		if !errors.Is(err, errBusy) || time.Since(last) > moveOn || paused(p.pid) {
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
	if p.reaches(t.place, spans) || t.parked && within(t.pc, p.whole()) {
		return true
	}
	if t.quiet {
		return false
	}
	stack := p.words(t.sp, stackSeen)
	for len(stack) >= savedWords {
		if at, ok := saved(stack); ok && p.reaches(at, spans) {
			return true
		}
		stack = stack[1:]
	}
	return false
}

// reaches tells whether a thread there is in one of the spans, or in a function
// of the vDSO that was called from one.
func (p *process) reaches(at place, spans []span) bool {
	if within(at.pc, spans) {
		return true
	}
	return within(at.pc, p.whole()) && (within(address(at.link), spans) ||
		slices.ContainsFunc(p.words(at.sp, frameSeen), func(w uint64) bool { return within(address(w), spans) }))
}

// whole is all of the vDSO.
func (p *process) whole() []span {
	return []span{{uint64(p.vdso), uint64(p.vdso) + uint64(len(p.im.original))}}
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
