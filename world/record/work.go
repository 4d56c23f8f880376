package record

import "time"

// Outcome of an operation: Unknown is neither acknowledged nor refused, so it may or may not have happened.
type Outcome string

// The outcomes.
const (
	OutcomeOK      Outcome = "ok"
	OutcomeFailed  Outcome = "failed"
	OutcomeUnknown Outcome = "unknown"
)

// Operation is one call of a client on the system under test. Times are CLOCK_MONOTONIC nanoseconds.
type Operation struct {
	// ID is SCENARIO.oN; the recorder counts when it is empty.
	ID string `json:"id" redact:"-"`
	// Client says who called: "clients" for sentences, "client 3" in a workload.
	Client   string `json:"client,omitempty"`
	Workload string `json:"workload,omitempty"`
	Kind     string `json:"kind"` // read, write, stale_read, cas, add, append, transfer…
	Service  string `json:"service,omitempty"`
	Node     string `json:"node,omitempty"`
	Key      string `json:"key,omitempty"`
	Value    string `json:"value,omitempty"`    // written
	Returned string `json:"returned,omitempty"` // read
	Nothing  bool   `json:"nothing,omitempty"`  // the read found no value
	// Final marks the reads made after the clients stopped.
	Final    bool      `json:"final,omitempty"`
	Outcome  Outcome   `json:"outcome" redact:"-"`
	Error    string    `json:"error,omitempty"`
	Start    int64     `json:"start"`
	End      int64     `json:"end"`
	Attempts []Attempt `json:"attempts,omitempty"`
}

// Took is the operation's latency.
func (o Operation) Took() time.Duration { return time.Duration(o.End - o.Start) }

// Attempt is one try of an operation that a sentence repeats.
type Attempt struct {
	Start   int64   `json:"start"`
	End     int64   `json:"end"`
	Outcome Outcome `json:"outcome" redact:"-"`
	Error   string  `json:"error,omitempty"`
}

// Field is a name with a value: a header, a variable. Slices of it keep order, and redaction reaches both.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Exchange is one HTTP request with its answer.
type Exchange struct {
	From            string        `json:"from,omitempty"` // clients, or a node
	Method          string        `json:"method"`
	URL             string        `json:"url"`
	RequestHeaders  []Field       `json:"request_headers,omitempty"`
	RequestBody     string        `json:"request_body,omitempty"`
	Status          int           `json:"status,omitempty"` // 0: no answer
	ResponseHeaders []Field       `json:"response_headers,omitempty"`
	ResponseBody    string        `json:"response_body,omitempty"`
	Error           string        `json:"error,omitempty"`
	Start           int64         `json:"start"`
	Took            time.Duration `json:"took_ns"`
	Attempts        []Attempt     `json:"attempts,omitempty"`
}

// Command is one program run inside a container.
type Command struct {
	Node    string        `json:"node"`
	Service string        `json:"service,omitempty"`
	Args    []string      `json:"args"`
	Code    int           `json:"code"`
	Stdout  string        `json:"stdout,omitempty"`
	Stderr  string        `json:"stderr,omitempty"`
	Error   string        `json:"error,omitempty"` // it could not be run
	Start   int64         `json:"start"`
	Took    time.Duration `json:"took_ns"`
}

// Sample is one point of a series that the record does not hold event by event: HTTP rates seen on the wire, load.
type Sample struct {
	Series  string  `json:"series"` // "http requests"
	Subject string  `json:"subject,omitempty"`
	Unit    string  `json:"unit,omitempty"` // "per second", "ms"
	Value   float64 `json:"value"`
}
