package probe

import (
	"bytes"
	"errors"
	"io"
	"os"
	"regexp"
)

const (
	chunk   = 64 << 10 // bytes read at a time
	maxLine = 1 << 20  // bytes of a line that are looked at
)

// tail reads what is added to a log file, each line once.
type tail struct {
	log   Log
	read  int64  // bytes after log.Offset
	rest  []byte // a line whose end was not written yet
	lines int
	last  string // the last whole line
}

// find tells whether a line that was written since the last call matches, also one not ended yet. A file that is not
// there yet has no lines.
func (t *tail) find(pattern *regexp.Regexp) (bool, error) {
	file, err := os.Open(t.log.Path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { _ = file.Close() }()
	buffer := make([]byte, chunk)
	for {
		n, err := file.ReadAt(buffer, t.log.Offset+t.read)
		t.read += int64(n)
		if t.add(buffer[:n], pattern) {
			return true, nil
		}
		if errors.Is(err, io.EOF) {
			return pattern.Match(t.rest) && len(t.rest) > 0, nil
		}
		if err != nil {
			return false, err
		}
	}
}

// add takes more of the file, and tells whether a line that ended in it matches.
func (t *tail) add(text []byte, pattern *regexp.Regexp) bool {
	for {
		line, after, ended := bytes.Cut(text, []byte("\n"))
		if room := maxLine - len(t.rest); room > 0 {
			t.rest = append(t.rest, line[:min(len(line), room)]...)
		}
		if !ended {
			return false
		}
		whole := bytes.TrimSuffix(t.rest, []byte("\r"))
		t.lines++
		t.last = string(whole)
		if pattern.Match(whole) {
			return true
		}
		t.rest, text = t.rest[:0], after
	}
}
