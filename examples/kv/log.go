package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// entry is one write.
type entry struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// writes is a node's log and what it comes to; on disk one JSON entry a line, synced before append returns.
type writes struct {
	mu      sync.Mutex
	entries []entry
	values  map[string]string
	file    *os.File // nil: in memory
}

// openLog reads the log in a folder; "" keeps it in memory.
func openLog(folder string) (*writes, error) {
	w := &writes{values: map[string]string{}}
	if folder == "" {
		return w, nil
	}
	file, err := os.OpenFile(filepath.Join(folder, "log"), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var e entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, fmt.Errorf("%s, entry %d: %w", file.Name(), len(w.entries)+1, err)
		}
		w.entries = append(w.entries, e)
		w.values[e.Key] = e.Value
	}
	w.file = file
	return w, lines.Err()
}

// append adds entries at position at, which is the number of entries there must be before them.
func (w *writes) append(at int, entries ...entry) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if at != len(w.entries) {
		return fmt.Errorf("entry %d: the log has %d", at, len(w.entries))
	}
	return w.add(entries)
}

// add appends entries to the end; w.mu is held.
func (w *writes) add(entries []entry) error {
	for _, e := range entries {
		if w.file != nil {
			line, err := json.Marshal(e)
			if err != nil {
				return err
			}
			if _, err := w.file.Write(append(line, '\n')); err != nil {
				return err
			}
		}
		w.entries = append(w.entries, e)
		w.values[e.Key] = e.Value
	}
	if w.file == nil || len(entries) == 0 {
		return nil
	}
	return w.file.Sync()
}

// put appends one write and gives the position after it.
func (w *writes) put(key, value string) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.add([]entry{{key, value}}); err != nil {
		return 0, err
	}
	return len(w.entries), nil
}

func (w *writes) get(key string) (string, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	value, ok := w.values[key]
	return value, ok
}

// from gives the entries from a position on.
func (w *writes) from(at int) []entry {
	w.mu.Lock()
	defer w.mu.Unlock()
	if at < 0 || at > len(w.entries) {
		return nil
	}
	return append([]entry{}, w.entries[at:]...)
}

func (w *writes) position() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.entries)
}

func (w *writes) close() error {
	if w.file == nil {
		return nil
	}
	return w.file.Close()
}
