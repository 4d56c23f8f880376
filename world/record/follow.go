package record

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// Follow copies a log that a service is writing into the scenario's artifacts, line by line, without secrets, and writes
// into the record how far it had grown when: within a few milliseconds each line has its time. The source need not be
// there yet. The function that it returns copies what is left, a last unfinished line too, and ends it; calling it
// again does nothing. f.File is chosen here.
func (s *Scenario) Follow(source string, f LogFile) (stop func() error) {
	path, file := s.Artifact(filepath.Join("logs", f.Node+"-"+f.Service+"."+f.Stream+".log"))
	f.File = file
	l := &follower{s: s, source: source, file: file, path: path}
	s.Log(f)
	unwatch := s.rec.watch(source, l)
	l.pump(false)
	return sync.OnceValue(func() error {
		unwatch()
		l.pump(true)
		return l.close()
	})
}

// follower is one log on its way into the artifacts.
type follower struct {
	s            *Scenario
	source, file string
	path         string

	mu      sync.Mutex
	in, out *os.File
	read    int64  // bytes of the source
	pending []byte // of the line that is not finished
	written int64  // bytes of the artifact
	over    bool
	err     error
}

// pump copies the whole lines that are there; at the end the rest too.
func (l *follower) pump(last bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over || l.err != nil {
		return
	}
	l.over = last
	if err := l.copy(last); err != nil {
		l.err = fmt.Errorf("%s: follow the log: %w", l.source, err)
	}
}

func (l *follower) copy(last bool) error {
	if l.in == nil {
		in, err := os.Open(l.source)
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		out, err := os.Create(l.path)
		if err != nil {
			return errors.Join(err, in.Close())
		}
		l.in, l.out = in, out
	}
	if st, err := l.in.Stat(); err != nil {
		return err
	} else if st.Size() < l.read { // emptied by a restart
		l.read, l.pending = 0, nil
	}
	before := l.written
	buf := make([]byte, 64<<10)
	for {
		n, err := l.in.ReadAt(buf, l.read)
		l.read += int64(n)
		l.pending = append(l.pending, buf[:n]...)
		if werr := l.write(last && err != nil); werr != nil {
			return werr
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	if l.written > before {
		l.s.LogPosition(l.file, l.written)
	}
	return nil
}

// maxPending bounds a line that does not end.
const maxPending = 1 << 20

// write passes on what ends with a line's end; all of it when it must.
func (l *follower) write(all bool) error {
	n := bytes.LastIndexByte(l.pending, '\n') + 1
	if all || len(l.pending) > maxPending {
		n = len(l.pending)
	}
	if n == 0 {
		return nil
	}
	clean := l.s.rec.Redact(string(l.pending[:n]))
	l.pending = append(l.pending[:0], l.pending[n:]...)
	l.written += int64(len(clean))
	_, err := l.out.WriteString(clean)
	return err
}

func (l *follower) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.in != nil {
		l.err = errors.Join(l.err, l.in.Close(), l.out.Close())
		l.in = nil
	}
	return l.err
}
