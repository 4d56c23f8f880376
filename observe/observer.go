package observe

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/ringbuf"
	"github.com/cilium/ebpf/rlimit"
	"golang.org/x/sys/unix"
)

// Config says how much is kept. The zero value is right for tests of a cluster.
type Config struct {
	RingBytes  int // of the ring buffer, a power of two; 0: 32 MiB
	CopyBytes  int // payload copied of one packet or segment train; 0: all of it (80 KiB)
	MaxRows    int // of each table; 0: 2,000,000. What comes later is counted as lost
	SkipAgents []string
	// SkipAgents are User-Agents whose requests are left out: readiness probes.
}

const (
	defaultRing = 32 << 20
	defaultRows = 2_000_000
	// readPause is how long the reader sleeps when little comes in: programs wake it only when much is waiting.
	readPause = 5 * time.Millisecond
)

// Observer sees the traffic of the targets that it is attached to. Its methods may be called from any goroutine.
type Observer struct {
	cfg    Config
	prog   sightObjects
	ring   *ringbuf.Reader
	wall   int64 // what to add to a kernel time to get one since 1970
	closed sync.Once
	done   chan struct{}
	err    error // of Close

	mu     sync.Mutex
	hooks  []*hook
	track  *tracker
	passes uint64 // how often the reader found the ring empty
	passed *sync.Cond
	ended  bool
}

// New loads the programs and starts reading; nothing is seen before Attach. It needs kernel 5.8.
func New(cfg Config) (*Observer, error) {
	if cfg.RingBytes == 0 {
		cfg.RingBytes = defaultRing
	}
	if cfg.MaxRows == 0 {
		cfg.MaxRows = defaultRows
	}
	o := &Observer{cfg: cfg, done: make(chan struct{})}
	o.passed = sync.NewCond(&o.mu)
	if err := o.load(); err != nil {
		return nil, err
	}
	ring, err := ringbuf.NewReader(o.prog.BrineSights)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("ring buffer of what is seen: %w", err), o.prog.Close())
	}
	o.ring = ring
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return nil, errors.Join(err, o.ring.Close(), o.prog.Close())
	}
	o.wall = time.Now().UnixNano() - now.Nano()
	o.track = newTracker(cfg, o.wall)
	o.track.mute = o.mute
	go o.read()
	return o, nil
}

func (o *Observer) load() error {
	spec, err := loadSight()
	if err != nil {
		return fmt.Errorf("sight object: %w", err)
	}
	spec.Maps["brine_sights"].MaxEntries = uint32(o.cfg.RingBytes)
	if o.cfg.CopyBytes > 0 {
		if err := spec.Variables["copy_limit"].Set(uint32(o.cfg.CopyBytes)); err != nil {
			return fmt.Errorf("sight object: %w", err)
		}
	}
	if err := spec.Variables["wake_bytes"].Set(uint32(o.cfg.RingBytes / 16)); err != nil {
		return fmt.Errorf("sight object: %w", err)
	}
	if ro := spec.Maps[".rodata"]; ro != nil {
		ro.Name = "brine_rodata"
	}
	_ = rlimit.RemoveMemlock() // before 5.11; its failure shows in the load
	if err := spec.LoadAndAssign(&o.prog, nil); err != nil {
		if errors.Is(err, ebpf.ErrNotSupported) {
			return fmt.Errorf("BPF ring buffer: unsupported, needs kernel 5.8: %w", err)
		}
		hint := "run as root, or give CAP_BPF and CAP_NET_ADMIN"
		if refused := new(ebpf.VerifierError); errors.As(err, &refused) {
			hint = "this kernel's verifier refuses them; please report it with what `uname -r` prints"
		}
		return fmt.Errorf("load the observing programs: %w\nhint: %s", err, hint)
	}
	return nil
}

// read takes events from the ring until it is closed.
func (o *Observer) read() {
	defer close(o.done)
	var rec ringbuf.Record
	for {
		o.ring.SetDeadline(time.Now().Add(readPause))
		err := o.ring.ReadInto(&rec)
		switch {
		case err == nil:
			if e, payload, ok := decode(rec.RawSample); ok {
				o.mu.Lock()
				o.track.see(e, payload)
				o.mu.Unlock()
			}
		case errors.Is(err, ringbuf.ErrClosed):
			o.mu.Lock()
			o.ended = true
			o.passed.Broadcast()
			o.mu.Unlock()
			return
		default: // the deadline: nothing is waiting
			o.mu.Lock()
			o.passes++
			o.track.tick(o.now())
			o.passed.Broadcast()
			o.mu.Unlock()
		}
	}
}

// now is the kernel's monotonic time.
func (o *Observer) now() uint64 { return uint64(time.Now().UnixNano() - o.wall) }

// Sync waits until everything that had happened when it was called is in the tables.
func (o *Observer) Sync(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.passed.Broadcast()
	})
	defer stop()
	o.mu.Lock()
	defer o.mu.Unlock()
	// One pass may be under way already: the second began after the call.
	for want := o.passes + 2; o.passes < want; o.passed.Wait() {
		if ctx.Err() != nil {
			return fmt.Errorf("read what was seen: %w", ctx.Err())
		}
		if o.ended {
			return nil
		}
	}
	return nil
}

// Tables gives what was seen so far; Sync first for all that has happened.
func (o *Observer) Tables() *Tables {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.track.snapshot(o.now(), o.loss())
}

// Close ends the observation. The tables taken before stay good.
func (o *Observer) Close() error {
	o.closed.Do(func() {
		o.mu.Lock()
		hooks := o.hooks
		o.hooks = nil
		o.mu.Unlock()
		var errs []error
		for _, h := range hooks {
			errs = append(errs, h.detach())
		}
		errs = append(errs, o.ring.Close())
		<-o.done
		errs = append(errs, o.prog.Close())
		o.err = errors.Join(errs...)
	})
	return o.err
}
