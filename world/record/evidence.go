package record

import "time"

// Attachment is a piece of evidence: inline text, inline bytes, or a file among the artifacts.
type Attachment struct {
	Name      string `json:"name"`
	MediaType string `json:"media_type,omitempty"`
	Text      string `json:"text,omitempty"`
	Data      []byte `json:"data,omitempty"`
	// File is relative to the folder of events.jsonl.
	File string `json:"file,omitempty"`
	Size int64  `json:"size,omitempty"` // bytes
}

// Note is a remark for whoever reads the report.
type Note struct {
	Level string `json:"level,omitempty"` // "", warning, error
	Text  string `json:"text"`
}

// The levels of a note.
const (
	LevelWarning = "warning"
	LevelError   = "error"
)

// Stage is progress of something that takes long: a build, a pull, a cluster's start, a wait.
type Stage struct {
	Name string `json:"name"` // "build etcd 3.6.8"
	Text string `json:"text,omitempty"`
	// Done of Total, in Unit; Total 0 is unknown.
	Done  int64  `json:"done,omitempty"`
	Total int64  `json:"total,omitempty"`
	Unit  string `json:"unit,omitempty"` // bytes, nodes, s
	Over  bool   `json:"over,omitempty"`
	Error string `json:"error,omitempty"`
	// Took is set when it is over.
	Took time.Duration `json:"took_ns,omitempty"`
}

// Check is a judgement over a time: a steady state, a history.
type Check struct {
	Kind   string `json:"kind"` // steady-state, history, tolerance
	Name   string `json:"name"`
	Phase  string `json:"phase,omitempty"` // before, after
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"`
	// Drawing is the file of a picture that proves it, relative to the folder of events.jsonl.
	Drawing string        `json:"drawing,omitempty"`
	Took    time.Duration `json:"took_ns,omitempty"`
}

// Cleanup is what the teardown of a scenario removed, and what it could not.
type Cleanup struct {
	Removed   []Removal     `json:"removed,omitempty"`
	Leftovers []string      `json:"leftovers,omitempty"`
	Errors    []string      `json:"errors,omitempty"`
	Took      time.Duration `json:"took_ns"`
}

// Removal counts things of one kind.
type Removal struct {
	What string `json:"what"` // namespaces, veths, containers…
	N    int    `json:"n"`
}
