package image

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"
)

// entry remembers which image a reference meant.
type entry struct {
	Schema  int       `json:"schema"`
	Ref     string    `json:"ref"`              // for people
	Digest  string    `json:"digest"`           // of the image's manifest
	Source  string    `json:"source,omitempty"` // what the reference led to: an index's digest, a file's stamp
	Checked time.Time `json:"checked"`          // when it was last known to be so
}

const entrySchema = 1

// lookup reads an entry. One that cannot be read is as good as none.
func (s *store) lookup(key string) (entry, bool) {
	var e entry
	raw, err := os.ReadFile(s.path("names", key+".json"))
	if err != nil || json.Unmarshal(raw, &e) != nil || e.Schema != entrySchema || !pinPattern.MatchString(e.Digest) {
		return entry{}, false
	}
	return e, true
}

func (s *store) record(tmp *tempDir, key string, e entry) error {
	e.Schema, e.Checked = entrySchema, time.Now().UTC()
	raw, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return err
	}
	return writeAtomic(tmp, s.path("names", key+".json"), append(raw, '\n'))
}

// writeAtomic replaces a file in one step: a reader sees the old or the new.
func writeAtomic(tmp *tempDir, path string, content []byte) error {
	part := tmp.path(filepath.Base(path))
	if err := os.WriteFile(part, content, 0o600); err != nil {
		return err
	}
	return os.Rename(part, path)
}
