package containers

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// tailer reads every log of the run as it grows, woken by inotify. The files
// are written by the shims: this reader may die without loss.
type tailer struct {
	notify *os.File
	fd     int // its descriptor; File.Fd would make it block

	mu    sync.Mutex
	files map[int32]*logFile // by watch
}

// logFile is one log being read.
type logFile struct {
	f       *os.File
	journal *journal
	stderr  bool
	rest    []byte // a line that has not ended yet
}

func newTailer() (*tailer, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("inotify: %w\nhint: sysctl fs.inotify.max_user_instances", err)
	}
	t := &tailer{notify: os.NewFile(uintptr(fd), "inotify"), fd: fd, files: map[int32]*logFile{}}
	go t.run()
	return t, nil
}

// watch begins to read a log, from its present end.
func (t *tailer) watch(path string, j *journal, stderr bool) (int32, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	if _, err := f.Seek(0, io.SeekEnd); err != nil {
		return 0, errors.Join(err, f.Close())
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	wd, err := unix.InotifyAddWatch(t.fd, path, unix.IN_MODIFY)
	if err != nil {
		return 0, errors.Join(fmt.Errorf("%s: inotify: %w", path, err), f.Close())
	}
	t.files[int32(wd)] = &logFile{f: f, journal: j, stderr: stderr}
	return int32(wd), nil
}

// unwatch reads a log to its end and lets it go.
func (t *tailer) unwatch(wd int32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.files[wd]
	if l == nil {
		return
	}
	l.read()
	if len(l.rest) > 0 {
		l.say(l.rest)
	}
	_ = l.f.Close()
	delete(t.files, wd)
	_, _ = unix.InotifyRmWatch(t.fd, uint32(wd)) // the file may be gone
}

func (t *tailer) stop() { _ = t.notify.Close() }

// run reads inotify's events: struct inotify_event is watch, mask, cookie,
// length of a name, four bytes each, and the name.
func (t *tailer) run() {
	buf := make([]byte, 64<<10)
	for {
		n, err := t.notify.Read(buf)
		if err != nil {
			return
		}
		changed := map[int32]bool{}
		for b := buf[:n]; len(b) >= unix.SizeofInotifyEvent; {
			changed[int32(binary.NativeEndian.Uint32(b))] = true
			b = b[unix.SizeofInotifyEvent+int(binary.NativeEndian.Uint32(b[12:])):]
		}
		t.mu.Lock()
		wds := make([]int32, 0, len(changed))
		for wd := range changed {
			wds = append(wds, wd)
		}
		sort.Slice(wds, func(i, j int) bool { return wds[i] < wds[j] })
		for _, wd := range wds {
			if l := t.files[wd]; l != nil {
				l.read()
			}
		}
		t.mu.Unlock()
	}
}

// read takes what was appended.
func (l *logFile) read() {
	buf := make([]byte, 32<<10)
	for {
		n, err := l.f.Read(buf)
		l.rest = append(l.rest, buf[:n]...)
		for {
			line, rest, ok := bytes.Cut(l.rest, []byte("\n"))
			if !ok {
				break
			}
			l.say(line)
			l.rest = rest
		}
		if n == 0 || err != nil {
			l.rest = append([]byte(nil), l.rest...) // lets the old buffer go
			return
		}
	}
}

func (l *logFile) say(line []byte) {
	l.journal.add(Line{Time: time.Now(), Stderr: l.stderr, Text: string(bytes.TrimSuffix(line, []byte("\r")))})
}

// listen begins to read the service's logs, once.
func (s *Service) listen() error {
	if len(s.watches) > 0 {
		return nil
	}
	stdout, stderr := s.LogPaths()
	for i, path := range []string{stdout, stderr} {
		wd, err := s.node.group.rt.tails.watch(path, &s.logs, i == 1)
		if err != nil {
			return err
		}
		s.watches = append(s.watches, wd)
	}
	return nil
}

func (s *Service) unlisten() {
	for _, wd := range s.watches {
		s.node.group.rt.tails.unwatch(wd)
	}
	s.watches = nil
}
