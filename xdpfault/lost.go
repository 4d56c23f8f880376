package xdpfault

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cilium/ebpf/perf"
)

// Lost is a packet that a harm dropped.
type Lost struct {
	Link   Link
	At     time.Time
	By     *Handle // nil: not known any more
	Frame  []byte  // its first bytes, up to 1,514, with the addresses of both eth0
	Length int     // of the whole frame; an offloaded send is one
}

const (
	lostHead  = 24        // struct lost in bpf/rules.h
	lostBytes = 1514      // LOST_BYTES
	lostRing  = 1 << 20   // bytes for each CPU: some 600 full packets
	lostQueue = 1 << 12   // packets from the delay line that nobody has looked at yet
	macBytes  = 6         // of an Ethernet address
	noRule    = uint32(0) // ids begin at 1
)

// Watch calls tell for every packet of the system from or to a port that a
// harm drops from now on, in the order of their loss on each CPU. stop returns
// when tell has had all that were dropped before it, and gives how many came
// too fast to be told in the engine's life. tell must not call the engine.
//
// Nothing is told, and nothing is paid, for ports that nobody watches.
func (e *Engine) Watch(index int, tell func(Lost)) (stop func() (missed uint64), err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, errClosed
	}
	if e.ports[index] == nil {
		return nil, fmt.Errorf("watch port %d: %w", index, ErrNoSuchPort)
	}
	if e.lost == nil {
		if e.lost, err = newLostReader(e); err != nil {
			return nil, fmt.Errorf("watch port %d: %w", index, err)
		}
		if err := e.line.watch(e.lost.fromLine); err != nil {
			return nil, fmt.Errorf("watch port %d: %w", index, err)
		}
	}
	w := &watcher{index, tell}
	e.lost.add(w)
	e.portMem.at[index].Watched = e.lost.watching(index)
	var once sync.Once
	return func() uint64 {
		once.Do(func() { e.unwatch(w) })
		return e.lost.missed()
	}, nil
}

func (e *Engine) unwatch(w *watcher) {
	e.mu.Lock()
	line := e.line
	e.mu.Unlock()
	line.flush()
	e.lost.flush()
	e.lost.remove(w)
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed {
		e.portMem.at[w.index].Watched = e.lost.watching(w.index)
	}
}

type watcher struct {
	index int
	tell  func(Lost)
}

// lostReader hands lost packets to who watches their ports: those of the
// verdict from the perf buffers (kernel 4.8), those of the delay line's queues
// from a channel.
type lostReader struct {
	e       *Engine
	perf    *perf.Reader
	line    chan lineEvent
	flushed chan struct{}
	quit    chan struct{}
	done    sync.WaitGroup

	flushing sync.Mutex // one flush at a time

	mu       sync.Mutex
	watchers []*watcher
	misses   uint64
	by       map[uint32]*Handle
}

// lineEvent is a packet that found a queue full; with flush set it is none.
type lineEvent struct {
	lineLoss
	flush chan struct{}
}

func newLostReader(e *Engine) (*lostReader, error) {
	reader, err := perf.NewReader(e.prog.BrineLost, lostRing)
	if err != nil {
		return nil, fmt.Errorf("open perf buffers: %w", err)
	}
	r := &lostReader{
		e: e, perf: reader, line: make(chan lineEvent, lostQueue), flushed: make(chan struct{}),
		quit: make(chan struct{}), by: map[uint32]*Handle{},
	}
	r.done.Go(r.readVerdicts)
	r.done.Go(r.readLine)
	return r, nil
}

func (r *lostReader) add(w *watcher) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watchers = append(r.watchers, w)
}

func (r *lostReader) remove(w *watcher) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var rest []*watcher
	for _, o := range r.watchers {
		if o != w {
			rest = append(rest, o)
		}
	}
	r.watchers = rest
}

// watching is how many watch a port.
func (r *lostReader) watching(index int) (n uint16) {
	if r == nil {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.watchers {
		if w.index == index {
			n++
		}
	}
	return n
}

func (r *lostReader) missed() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.misses
}

// flush returns when everything lost before has been told, or the reader is closed.
func (r *lostReader) flush() {
	r.flushing.Lock()
	defer r.flushing.Unlock()
	if r.perf.Flush() == nil {
		<-r.flushed
	}
	token := make(chan struct{})
	select {
	case r.line <- lineEvent{flush: token}:
	case <-r.quit:
		return
	}
	select {
	case <-token:
	case <-r.quit:
	}
}

// close ends both goroutines; what is lost from now on is not told.
func (r *lostReader) close() error {
	if r == nil {
		return nil
	}
	err := r.perf.Close()
	close(r.quit)
	r.done.Wait()
	return err
}

func (r *lostReader) readVerdicts() {
	defer close(r.flushed)
	for {
		record, err := r.perf.Read()
		switch {
		case errors.Is(err, perf.ErrFlushed):
			r.flushed <- struct{}{}
			continue
		case err != nil: // closed
			return
		}
		if record.LostSamples > 0 {
			r.miss(record.LostSamples)
			continue
		}
		if b := record.RawSample; len(b) >= lostHead {
			order := binary.NativeEndian
			length := int(order.Uint32(b[12:]))
			r.tell(Link{int(order.Uint16(b[16:])), int(order.Uint16(b[18:]))}, order.Uint32(b[8:]), order.Uint64(b),
				b[lostHead:min(len(b), lostHead+length)], length)
		}
	}
}

func (r *lostReader) miss(n uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.misses += n
}

func (r *lostReader) readLine() {
	for {
		select {
		case <-r.quit:
			return
		case l := <-r.line:
			if l.flush != nil {
				close(l.flush)
				continue
			}
			r.tell(l.link, l.rule, l.at, l.frame, l.whole)
		}
	}
}

// fromLine takes a packet that found a queue full. It never waits.
func (r *lostReader) fromLine(loss lineLoss) {
	if loss.missed > 0 {
		r.miss(loss.missed)
	}
	select {
	case r.line <- lineEvent{lineLoss: loss}:
	default:
		r.miss(1)
	}
}

func (r *lostReader) tell(link Link, rule uint32, at uint64, frame []byte, length int) {
	lost := Lost{
		Link: link, At: time.Now().Add(-time.Duration(monotonic() - at)),
		Frame: append([]byte{}, frame...), Length: length,
	}
	lost.By = r.identify(rule, link, lost.Frame)
	r.mu.Lock()
	watchers := r.watchers
	r.mu.Unlock()
	for _, w := range watchers {
		if w.index == link.From || w.index == link.To {
			w.tell(lost)
		}
	}
}

// identify finds the harm by its rule, and gives the frame the hardware
// addresses that it had and would have had: in the delay line it has none.
func (r *lostReader) identify(rule uint32, link Link, frame []byte) *Handle {
	e := r.e
	e.mu.Lock()
	defer e.mu.Unlock()
	if from, to := e.ports[link.From], e.ports[link.To]; from != nil && to != nil && len(frame) >= 2*macBytes {
		copy(frame, to.PeerMAC)
		copy(frame[macBytes:], from.PeerMAC)
	}
	if h := r.by[rule]; h != nil || rule == noRule {
		return h
	}
	clear(r.by)
	for h := range e.handles {
		r.learn(h)
	}
	for _, h := range e.healed {
		r.learn(h)
	}
	return r.by[rule]
}

func (r *lostReader) learn(h *Handle) {
	for _, live := range h.rules {
		r.by[live.id] = h
	}
}
