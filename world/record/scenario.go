package record

import "time"

// Status is how a step or scenario came out; the words are godog's.
type Status string

// The statuses. Unfinished is never written: the reader gives it to what a killed run left open.
const (
	Passed     Status = "passed"
	Failed     Status = "failed"
	Skipped    Status = "skipped"
	Undefined  Status = "undefined"
	Pending    Status = "pending"
	Unfinished Status = "unfinished"
)

// OK tells that nothing is wrong: passed, or deliberately skipped.
func (s Status) OK() bool { return s == Passed || s == Skipped }

// ScenarioInfo is a scenario as it was about to run.
type ScenarioInfo struct {
	// ID is RUN-N; the recorder counts when it is empty.
	ID string `json:"id" redact:"-"`
	// Slug is the folder of its artifacts, unique within the run; made of the name when empty.
	Slug string `json:"slug"`
	// URI is the feature file as godog names it, Line the scenario's (or example row's) line in it.
	URI         string   `json:"uri"`
	Line        int      `json:"line"`
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Feature     string   `json:"feature,omitempty"`
	Rule        string   `json:"rule,omitempty"`
	Tags        []string `json:"tags,omitempty"`
	Seed        uint64   `json:"seed,string"`
	// Again is the shell command that runs just this scenario with this seed.
	Again string `json:"again,omitempty"`
	// Steps are all steps of the scenario, so that those never reached can be shown.
	Steps []StepInfo `json:"steps,omitempty"`
}

// StepInfo is one sentence.
type StepInfo struct {
	ID        string     `json:"id,omitempty" redact:"-"`
	Keyword   string     `json:"keyword,omitempty"` // "Given ", "When ", "* "…
	Text      string     `json:"text"`
	Line      int        `json:"line,omitempty"`
	DocString *DocString `json:"doc_string,omitempty"`
	Table     [][]string `json:"table,omitempty"`
}

// DocString is the block of text below a sentence.
type DocString struct {
	MediaType string `json:"media_type,omitempty"`
	Content   string `json:"content"`
	Line      int    `json:"-"` // of the file, where the content begins
}

// Result ends a scenario or step.
type Result struct {
	Status Status `json:"status" redact:"-"`
	// Error is the whole text of the error, hints included.
	Error   string   `json:"error,omitempty"`
	Verdict *Verdict `json:"verdict,omitempty"`
	// Nanoseconds is the monotonic duration.
	Nanoseconds int64 `json:"ns"`
}

// Duration is how long it took.
func (r Result) Duration() time.Duration { return time.Duration(r.Nanoseconds) }

// Verdict is why an assertion failed, in parts that a report can set in plain words.
type Verdict struct {
	Expected string `json:"expected,omitempty"`
	Got      string `json:"got,omitempty"`
	// Tried is how long it was tried, Looks how often.
	Tried time.Duration `json:"tried_ns,omitempty"`
	Looks int           `json:"looks,omitempty"`
	// Harms are the sentences of the harms that were on.
	Harms []string `json:"harms,omitempty"`
	// Ended are the services that had ended by themselves: "node2/etcd exited with code 2".
	Ended []string `json:"ended,omitempty"`
	Hint  string   `json:"hint,omitempty"`
}

// Judged is what an error implements to bring its verdict to the record; Step.End looks for it with errors.As.
type Judged interface {
	error
	Verdict() Verdict
}

// Choice is what a selector stood for.
type Choice struct {
	// Selector is as written: "the leader", "a random node".
	Selector string   `json:"selector"`
	Stood    []string `json:"stood"`
	// How tells why: "drawn with seed 42", "node1 claims term 3".
	How string `json:"how,omitempty"`
}
