package record

// Run is a whole record, as a tree.
type Run struct {
	Info RunInfo
	// Dir is the folder of events.jsonl, which the files of attachments and logs are relative to.
	Dir        string
	Begin, End Time
	// Result is nil when the run was killed before it ended.
	Result *RunResult
	// Truncated tells that the last line was cut off.
	Truncated bool
	Scenarios []*ScenarioRun
	Sources   []Source
	Notes     []NoteRun
	Stages    []StageRun
	// Events counts the lines.
	Events int
	// Shards are the headers of the runs that Merge put together.
	Shards []RunInfo
}

// ScenarioRun is all that is known of a scenario. Each list is in the order of the record.
type ScenarioRun struct {
	ScenarioInfo
	// Dir is the folder that the names of its files are relative to; Merge brings scenarios of several together.
	Dir string
	// Shard is that of its run.
	Shard      string
	Begin, End Time
	Result
	Steps       []*StepRun
	Harms       []*HarmRun
	Choices     []ChoiceRun
	States      []StateRun
	Probes      []ProbeRun
	Operations  []OperationRun
	Exchanges   []ExchangeRun
	Commands    []CommandRun
	Attachments []AttachmentRun
	Logs        []LogFile
	Positions   map[string][]PositionRun // by file
	Lines       []LineRun
	Notes       []NoteRun
	Stages      []StageRun
	Checks      []CheckRun
	Samples     []SampleRun
	Topologies  []TopologyRun
	Cleanup     *Cleanup
}

// StepRun is a step, run or not.
type StepRun struct {
	StepInfo
	Begin, End Time
	Result
}

// HarmRun is a harm from begin to end.
type HarmRun struct {
	HarmInfo
	Step       string
	Begin, End Time // End is zero when the record ends before the harm
	Why        string
	Receipt    Receipt
	// TouchedNothing tells that it is over and its receipt is empty: the fault never happened.
	TouchedNothing bool
	Error          string
	Releases       []Release
}

// Release is a part of a harm's links that healed before the rest.
type Release struct {
	At    Time
	Links []Link
}

// At is where and when an event belongs; Step is empty between steps.
type At struct {
	Time
	Step string
}

// The events of a scenario's lists, each with its time and step.
type (
	// ChoiceRun is a choice.
	ChoiceRun struct {
		At
		Choice
	}
	// StateRun is a service's change.
	StateRun struct {
		At
		ServiceState
	}
	// ProbeRun is a look at a service's readiness.
	ProbeRun struct {
		At
		Probe
	}
	// OperationRun is a client's call.
	OperationRun struct {
		At
		Operation
	}
	// ExchangeRun is an HTTP exchange.
	ExchangeRun struct {
		At
		Exchange
	}
	// CommandRun is a program's run.
	CommandRun struct {
		At
		Command
	}
	// AttachmentRun is a piece of evidence.
	AttachmentRun struct {
		At
		Attachment
	}
	// PositionRun is how far a log had grown.
	PositionRun struct {
		Time
		Offset int64
	}
	// LineRun is a line that mattered.
	LineRun struct {
		At
		LogLine
	}
	// NoteRun is a remark.
	NoteRun struct {
		At
		Note
	}
	// StageRun is progress of something long.
	StageRun struct {
		At
		Stage
	}
	// CheckRun is a judgement.
	CheckRun struct {
		At
		Check
	}
	// SampleRun is a point of a series.
	SampleRun struct {
		At
		Sample
	}
	// TopologyRun is the cluster after a change.
	TopologyRun struct {
		At
		Topology
	}
)

// Wall turns a monotonic time of this run into a wall time, both in nanoseconds.
func (r *Run) Wall(mono int64) int64 { return mono - r.Info.Base.Mono + r.Info.Base.Wall }

// Count counts scenarios by status.
func (r *Run) Count() map[Status]int {
	n := map[Status]int{}
	for _, s := range r.Scenarios {
		n[s.Status]++
	}
	return n
}

// OK tells that nothing is wrong with the run: it ended by itself, with all scenarios passed or skipped, and nothing left.
func (r *Run) OK() bool {
	if r.Result == nil || r.Result.Interrupted != "" || len(r.Result.Leftovers) > 0 {
		return false
	}
	for _, s := range r.Scenarios {
		if !s.Status.OK() || s.Cleanup != nil && len(s.Cleanup.Leftovers) > 0 {
			return false
		}
	}
	return true
}

// FailedStep is the first step that did not pass, nil where there is none.
func (s *ScenarioRun) FailedStep() *StepRun {
	for _, st := range s.Steps {
		if !st.Status.OK() {
			return st
		}
	}
	return nil
}

// TouchedNothing are the harms that never met anything.
func (s *ScenarioRun) TouchedNothing() []*HarmRun {
	var out []*HarmRun
	for _, h := range s.Harms {
		if h.TouchedNothing {
			out = append(out, h)
		}
	}
	return out
}
