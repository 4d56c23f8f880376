package record

import (
	"bufio"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// Recorder writes the record of one run. All its methods, and those of what it hands out, may be called from any goroutine.
type Recorder struct {
	*Redactor
	dir   string
	cwd   string // features are named relative to it
	info  RunInfo
	clock Clock

	mu        sync.Mutex
	file      *os.File
	buf       *bufio.Writer
	seq       uint64
	scenarios int
	slugs     map[string]int
	sources   map[string]bool
	listeners []func(Event)
	watcher   *watcher // of logs; made by the first Follow
	err       error
	closed    bool
}

// Open begins a record at path, in place of one that is there; folders are made. It fills in what info leaves empty: id,
// base, machine. The folder of path is the run's output folder, which artifacts lie in.
func Open(path string, info RunInfo) (*Recorder, error) {
	return OpenAt(path, info, SystemClock)
}

// OpenAt is Open with another clock.
func OpenAt(path string, info RunInfo, clock Clock) (*Recorder, error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("%s: make the output folder: %w", dir, err)
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("%s: open the record: %w", path, err)
	}
	info.Schema = Schema
	if info.ID == "" {
		info.ID = NewRunID()
	}
	if info.Base.IsZero() {
		info.Base = clock()
	}
	info.Machine.fill()
	r := &Recorder{
		Redactor: NewRedactor(), dir: dir, cwd: workingDir(), info: info, clock: clock,
		file: f, buf: bufio.NewWriterSize(f, 64<<10), slugs: map[string]int{}, sources: map[string]bool{},
	}
	r.emit(Event{Type: RunBegin, Run: &info})
	return r, nil
}

// NewRunID draws an id: 8 lower-case letters and digits.
func NewRunID() string { return strings.ToLower(rand.Text()[:8]) }

// Dir is the run's output folder.
func (r *Recorder) Dir() string { return r.dir }

// ID is the run's id.
func (r *Recorder) ID() string { return r.info.ID }

// Now is the time on the record's clock.
func (r *Recorder) Now() Time { return r.clock() }

// Listen calls f with each event from now on, redacted, in order, with the recorder locked: f must be quick and must not
// call the recorder. Live progress is made of it.
func (r *Recorder) Listen(f func(Event)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.listeners = append(r.listeners, f)
}

// Note writes a remark that belongs to the whole run.
func (r *Recorder) Note(level, text string) {
	r.emit(Event{Type: Noted, Note: &Note{Level: level, Text: text}})
}

// Stage writes progress of something that belongs to the whole run: the engine's build, an image's pull.
func (r *Recorder) Stage(s Stage) { r.emit(Event{Type: StageChanged, Stage: &s}) }

// Interrupted ends the run's record early, with a reason; more may still be written while things are torn down.
func (r *Recorder) Interrupted(why string) {
	r.emit(Event{Type: RunEnd, RunResult: &RunResult{Interrupted: why}})
}

// End writes the run's last event: what is left of the run when all scenarios are torn down; empty is as it should be.
func (r *Recorder) End(leftovers []string) {
	r.emit(Event{Type: RunEnd, RunResult: &RunResult{Leftovers: leftovers}})
}

// Err is the first error of writing, nil when all is well.
func (r *Recorder) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// Close writes what is buffered and returns the first error of the whole record. Events after it are dropped.
func (r *Recorder) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return r.err
	}
	r.closed = true
	if r.watcher != nil {
		r.watcher.close()
	}
	if err := errors.Join(r.buf.Flush(), r.file.Close()); err != nil && r.err == nil {
		r.err = fmt.Errorf("%s: close the record: %w", r.file.Name(), err)
	}
	return r.err
}

// Flush writes what is buffered.
func (r *Recorder) Flush() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keep(r.buf.Flush())
}

// frequent are the types that may come thousands of times a second; they wait in the buffer for the next other event.
func frequent(t Type) bool {
	switch t {
	case Operated, LogAdvanced, Probed, Sampled, StageChanged:
		return true
	}
	return false
}

func (r *Recorder) emit(e Event) {
	e = r.clean(e)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	r.seq++
	e.Seq = r.seq
	if e.IsZero() {
		e.Time = r.clock() // read under the lock, so that the order of the file is that of time
	}
	line, err := json.Marshal(e)
	if err != nil {
		r.keep(err)
		return
	}
	_, err = r.buf.Write(append(line, '\n'))
	r.keep(err)
	if !frequent(e.Type) {
		r.keep(r.buf.Flush())
	}
	for _, f := range r.listeners {
		f(e)
	}
}

func (r *Recorder) keep(err error) {
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("%s: write the record: %w", r.file.Name(), err)
	}
}

// nextScenario counts scenarios and makes the slug unique.
func (r *Recorder) nextScenario(slug string) (id, unique string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.scenarios++
	r.slugs[slug]++
	if n := r.slugs[slug]; n > 1 {
		slug += "-" + strconv.Itoa(n)
	}
	return r.info.ID + "-" + strconv.Itoa(r.scenarios), slug
}

// source writes the text of a feature file once, where it can be read; reports need it for Cucumber Messages.
func (r *Recorder) source(uri string) {
	r.mu.Lock()
	known := r.sources[uri]
	r.sources[uri] = true
	r.mu.Unlock()
	if known || uri == "" {
		return
	}
	text, err := os.ReadFile(uri) // relative to the working directory, as the uri is
	if err != nil || len(text) > maxSource {
		return // a scenario that is not from a file; nothing is lost but that format's source
	}
	r.emit(Event{Type: SourceRead, Source: &Source{URI: uri, Text: string(text)}})
}

const maxSource = 1 << 20

// relative names a feature as a person in the working directory does.
func (r *Recorder) relative(uri string) string {
	if rel, err := filepath.Rel(r.cwd, uri); err == nil && filepath.IsAbs(uri) && filepath.IsLocal(rel) {
		return rel
	}
	return uri
}

func workingDir() string {
	dir, err := os.Getwd()
	if err != nil {
		return "" // all names stay as they are
	}
	return dir
}
