package record

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// settle is the least time between two looks at the logs: what is written in between has one time.
const settle = 5 * time.Millisecond

// watcher wakes followers when files change: one inotify(7) instance a recorder, one watch a folder. Where the kernel
// has no instance left, it looks every settle instead.
type watcher struct {
	file *os.File // nil without inotify
	done chan struct{}

	mu      sync.Mutex
	folders map[string]int                 // watch by folder
	files   map[int]map[string][]*follower // by watch and file name
	polled  map[*follower]struct{}
}

func newWatcher() *watcher {
	w := &watcher{done: make(chan struct{}), folders: map[string]int{}, files: map[int]map[string][]*follower{}, polled: map[*follower]struct{}{}}
	if fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK); err == nil {
		w.file = os.NewFile(uintptr(fd), "inotify")
		go w.listen()
	}
	go w.poll()
	return w
}

// watch registers a follower; the function that it returns takes it out again.
func (r *Recorder) watch(path string, l *follower) func() {
	r.mu.Lock()
	if r.watcher == nil {
		r.watcher = newWatcher()
	}
	w := r.watcher
	r.mu.Unlock()
	return w.add(path, l)
}

func (w *watcher) add(path string, l *follower) func() {
	dir, name := filepath.Dir(path), filepath.Base(path)
	w.mu.Lock()
	defer w.mu.Unlock()
	wd, known := w.folders[dir]
	if !known && w.file != nil {
		n, err := w.inotify(func(fd int) (int, error) {
			return unix.InotifyAddWatch(fd, dir, unix.IN_MODIFY|unix.IN_CREATE|unix.IN_MOVED_TO|unix.IN_ONLYDIR)
		})
		if err == nil {
			wd, known = n, true
			w.folders[dir] = wd
			if w.files[wd] == nil {
				w.files[wd] = map[string][]*follower{}
			}
		}
	}
	if !known {
		w.polled[l] = struct{}{}
		return func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			delete(w.polled, l)
		}
	}
	w.files[wd][name] = append(w.files[wd][name], l)
	return func() { w.remove(dir, wd, name, l) }
}

func (w *watcher) remove(dir string, wd int, name string, l *follower) {
	w.mu.Lock()
	defer w.mu.Unlock()
	kept := w.files[wd][name][:0]
	for _, other := range w.files[wd][name] {
		if other != l {
			kept = append(kept, other)
		}
	}
	w.files[wd][name] = kept
	if len(kept) == 0 {
		delete(w.files[wd], name)
	}
	if len(w.files[wd]) == 0 && w.folders[dir] == wd {
		delete(w.files, wd)
		delete(w.folders, dir)
		// The folder may be gone, and its watch with it; there is nothing to do about an error.
		_, _ = w.inotify(func(fd int) (int, error) { return unix.InotifyRmWatch(fd, uint32(wd)) })
	}
}

func (w *watcher) inotify(f func(fd int) (int, error)) (n int, err error) {
	conn, err := w.file.SyscallConn()
	if err != nil {
		return 0, err
	}
	if cerr := conn.Control(func(fd uintptr) { n, err = f(int(fd)) }); cerr != nil {
		return 0, cerr
	}
	return n, err
}

// listen reads events until the recorder is closed.
func (w *watcher) listen() {
	buf := make([]byte, 64<<10)
	for {
		n, err := w.file.Read(buf)
		if err != nil {
			return
		}
		for _, l := range w.woken(buf[:n]) {
			l.pump(false)
		}
		select {
		case <-w.done:
			return
		case <-time.After(settle): // not a wait for a state: it bounds how often a busy log is looked at
		}
	}
}

// woken are the followers that a buffer of inotify_event names, each once; all of them when the queue overflowed.
func (w *watcher) woken(buf []byte) []*follower {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := map[*follower]bool{}
	var out []*follower
	wake := func(all []*follower) {
		for _, l := range all {
			if !seen[l] {
				seen[l] = true
				out = append(out, l)
			}
		}
	}
	for len(buf) >= unix.SizeofInotifyEvent {
		wd := int(int32(binary.NativeEndian.Uint32(buf)))
		mask := binary.NativeEndian.Uint32(buf[4:])
		size := int(binary.NativeEndian.Uint32(buf[12:]))
		name, _, _ := bytes.Cut(buf[unix.SizeofInotifyEvent:unix.SizeofInotifyEvent+size], []byte{0})
		buf = buf[unix.SizeofInotifyEvent+size:]
		if mask&unix.IN_Q_OVERFLOW != 0 {
			for _, names := range w.files {
				for _, all := range names {
					wake(all)
				}
			}
			continue
		}
		wake(w.files[wd][string(name)])
	}
	return out
}

func (w *watcher) poll() {
	tick := time.NewTicker(4 * settle)
	defer tick.Stop()
	for {
		select {
		case <-w.done:
			return
		case <-tick.C:
		}
		w.mu.Lock()
		all := make([]*follower, 0, len(w.polled))
		for l := range w.polled {
			all = append(all, l)
		}
		w.mu.Unlock()
		for _, l := range all {
			l.pump(false)
		}
	}
}

func (w *watcher) close() {
	close(w.done)
	if w.file != nil {
		_ = w.file.Close()
	}
}
