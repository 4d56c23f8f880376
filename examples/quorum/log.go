package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// entry is what changes the state: the writes of one operation, all at one instant. An entry without writes opens a term.
type entry struct {
	Term   int     `json:"term"`
	Writes []write `json:"writes,omitempty"`
}

type write struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// ballot is what a node must not forget of an election.
type ballot struct {
	Term  int    `json:"term"`
	Voted string `json:"voted"`
	Leads bool   `json:"leads"` // it was elected in this term
}

// store is a node's log, on disk one entry a line, and its ballot; synced before a call returns. It is not locked.
type store struct {
	folder  string // "" keeps it in memory
	entries []entry
	ballot  ballot
	values  map[string]string // of all entries
	file    *os.File
}

func openStore(folder string) (*store, error) {
	s := &store{folder: folder, values: map[string]string{}}
	if folder == "" {
		return s, nil
	}
	text, err := os.ReadFile(s.path("ballot"))
	if err == nil {
		err = json.Unmarshal(text, &s.ballot)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("ballot: %w", err)
	}
	s.file, err = os.OpenFile(s.path("log"), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(s.file)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var e entry
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			break // half written when the node died, so never acknowledged
		}
		s.take(e)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	return s, s.rewrite()
}

func (s *store) path(name string) string { return filepath.Join(s.folder, name) }

func (s *store) take(e entry) {
	s.entries = append(s.entries, e)
	for _, w := range e.Writes {
		s.values[w.Key] = w.Value
	}
}

// last is the term of the last entry; 0 when there is none.
func (s *store) last() int { return s.term(len(s.entries)) }

// term is that of the n-th entry, counted from 1.
func (s *store) term(n int) int {
	if n < 1 || n > len(s.entries) {
		return 0
	}
	return s.entries[n-1].Term
}

// add appends entries.
func (s *store) add(entries ...entry) error {
	if s.file != nil {
		var text []byte
		for _, e := range entries {
			line, err := json.Marshal(e)
			if err != nil {
				return err
			}
			text = append(append(text, line...), '\n')
		}
		if _, err := s.file.Write(text); err != nil {
			return err
		}
		if err := s.file.Sync(); err != nil {
			return err
		}
	}
	for _, e := range entries {
		s.take(e)
	}
	return nil
}

// cut drops all entries after the n-th.
func (s *store) cut(n int) error {
	kept := s.entries[:n:n]
	s.entries, s.values = nil, map[string]string{}
	for _, e := range kept {
		s.take(e)
	}
	return s.rewrite()
}

// rewrite makes the file hold just the entries.
func (s *store) rewrite() error {
	if s.file == nil {
		return nil
	}
	var text []byte
	for _, e := range s.entries {
		line, err := json.Marshal(e)
		if err != nil {
			return err
		}
		text = append(append(text, line...), '\n')
	}
	if err := s.replace("log", text); err != nil {
		return err
	}
	if err := s.file.Close(); err != nil {
		return err
	}
	file, err := os.OpenFile(s.path("log"), os.O_RDWR|os.O_APPEND, 0o600)
	s.file = file
	return err
}

// vote keeps a ballot.
func (s *store) vote(b ballot) error {
	s.ballot = b
	if s.folder == "" {
		return nil
	}
	text, err := json.Marshal(b)
	if err != nil {
		return err
	}
	return s.replace("ballot", text)
}

// replace puts a file in place of another at one instant.
func (s *store) replace(name string, text []byte) error {
	fresh, err := os.Create(s.path(name + ".new"))
	if err != nil {
		return err
	}
	_, err = fresh.Write(text)
	if err == nil {
		err = fresh.Sync()
	}
	if err = errors.Join(err, fresh.Close()); err != nil {
		return err
	}
	return os.Rename(fresh.Name(), s.path(name))
}
