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
	Drawing string `json:"drawing,omitempty"`
	// Drawn are the operations that prove a violation, with those near them.
	Drawn []Drawn       `json:"drawn,omitempty"`
	Took  time.Duration `json:"took_ns,omitempty"`
}

// Drawn is an operation of a history as a report draws it.
type Drawn struct {
	Who   string `json:"who"`  // "client 3 on node1"
	Text  string `json:"text"` // `read of "k" → "v1"`
	Start int64  `json:"start"`
	End   int64  `json:"end,omitempty"`   // 0 where nobody knows it
	Proof bool   `json:"proof,omitempty"` // one of the few that prove it
	Place int    `json:"place,omitempty"` // in the longest order that explains what was returned, from 1; 0: in none
}

// Cleanup is what the teardown of a scenario removed, and what it could not.
type Cleanup struct {
	Removed   []Removal     `json:"removed,omitempty"`
	Leftovers []string      `json:"leftovers,omitempty"`
	Looked    []string      `json:"looked,omitempty"` // kinds of things that leftovers were looked for among
	Errors    []string      `json:"errors,omitempty"`
	Took      time.Duration `json:"took_ns"`
}

// Removal counts things of one kind.
type Removal struct {
	What string `json:"what"` // namespaces, veths, containers…: plural, or the name of one thing
	N    int    `json:"n"`
}
