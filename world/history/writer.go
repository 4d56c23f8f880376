package history

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// flushEvery is the longest that an operation waits in memory.
const flushEvery = 200 * time.Millisecond

// Writer writes a history, one JSON object a line. Add never waits for the disk: what the disk does not take yet waits
// in memory, so nothing is lost and no client is slowed. All methods may be called from any goroutine.
type Writer struct {
	path string
	file *os.File

	mu     sync.Mutex
	buf    []byte // not written yet
	n      int
	err    error
	closed bool

	wake chan struct{}
	idle *sync.Cond // told when a write is done
	busy bool
	done chan struct{}
}

// Create begins a history in a new file; folders are made.
func Create(path string) (*Writer, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	w := &Writer{path: path, file: file, wake: make(chan struct{}, 1), done: make(chan struct{})}
	w.idle = sync.NewCond(&w.mu)
	go w.run()
	return w, nil
}

// Add writes an operation that is over and numbers it.
func (w *Writer) Add(o Operation) {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return
	}
	w.n++
	o.N = w.n
	w.buf = appendJSON(w.buf, &o)
	full := len(w.buf) > 64<<10
	w.mu.Unlock()
	if full {
		w.poke()
	}
}

// Count is how many operations were added.
func (w *Writer) Count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.n
}

// Path is the file's.
func (w *Writer) Path() string { return w.path }

func (w *Writer) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// run writes to the file what Add left, until the writer is closed.
func (w *Writer) run() {
	defer close(w.done)
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	var spare []byte
	for {
		select {
		case <-w.wake:
		case <-tick.C:
		}
		w.mu.Lock()
		out := w.buf
		w.buf, w.busy = spare[:0], true
		w.mu.Unlock()
		_, err := w.file.Write(out)
		spare = out
		w.mu.Lock()
		w.busy = false
		if err != nil && w.err == nil {
			w.err = fmt.Errorf("%s: %w", w.path, err)
		}
		over := w.closed && len(w.buf) == 0
		w.idle.Broadcast()
		w.mu.Unlock()
		if over {
			return
		}
	}
}

// Flush returns when all that was added is in the file.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for !w.closed && (w.busy || len(w.buf) > 0) && w.err == nil {
		w.poke()
		w.idle.Wait()
	}
	return w.err
}

// Close writes what is left and closes the file. A second call does nothing.
func (w *Writer) Close() error {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		<-w.done
		return w.err
	}
	w.closed = true
	w.mu.Unlock()
	w.poke()
	<-w.done
	if err := w.file.Close(); err != nil && w.err == nil {
		w.err = fmt.Errorf("%s: %w", w.path, err)
	}
	return w.err
}

// Load reads a history file. A last line that a killed run left unfinished is an error, as any other that is no
// operation.
func Load(path string) (History, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	defer file.Close()
	return read(file, path)
}

func read(from io.Reader, path string) (History, error) {
	var h History
	in := bufio.NewReaderSize(from, 1<<20)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			o, bad := parse(line)
			if bad != nil {
				return nil, fmt.Errorf("%s, line %d: %w", path, len(h)+1, bad)
			}
			h = append(h, o)
		}
		if errors.Is(err, io.EOF) {
			return h, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
}
