package record

// Schema is the version of the record's form. A reader refuses a record of a higher one.
const Schema = 1

// Type says what an event is about, and with that which one body it has.
type Type string

// The types of events.
const (
	RunBegin      Type = "run.begin"
	RunEnd        Type = "run.end"
	SourceRead    Type = "source"
	ScenarioBegin Type = "scenario.begin"
	ScenarioEnd   Type = "scenario.end"
	StepBegin     Type = "step.begin"
	StepEnd       Type = "step.end"
	ChoiceMade    Type = "choice"
	HarmBegin     Type = "harm.begin"
	HarmReceipt   Type = "harm.receipt"
	HarmEnd       Type = "harm.end"
	StateChanged  Type = "state"
	Probed        Type = "probe"
	Operated      Type = "operation"
	Exchanged     Type = "exchange"
	CommandRan    Type = "command"
	Attached      Type = "attachment"
	LogOpened     Type = "log.open"
	LogAdvanced   Type = "log.position"
	LogSaid       Type = "log.line"
	Noted         Type = "note"
	StageChanged  Type = "stage"
	Checked       Type = "check"
	Sampled       Type = "sample"
	TopologyIs    Type = "topology"
	CleanedUp     Type = "cleanup"
)

// Event is one line of events.jsonl: an envelope and the one body that its type names.
type Event struct {
	Seq uint64 `json:"seq"`
	Time
	Type     Type   `json:"type" redact:"-"`
	Scenario string `json:"scenario,omitempty" redact:"-"`
	Step     string `json:"step,omitempty" redact:"-"`

	Run          *RunInfo      `json:"run,omitempty"`
	RunResult    *RunResult    `json:"run_result,omitempty"`
	Source       *Source       `json:"source,omitempty"`
	ScenarioInfo *ScenarioInfo `json:"scenario_info,omitempty"`
	StepInfo     *StepInfo     `json:"step_info,omitempty"`
	Result       *Result       `json:"result,omitempty"`
	Choice       *Choice       `json:"choice,omitempty"`
	Harm         *HarmInfo     `json:"harm,omitempty"`
	Healed       *Healed       `json:"healed,omitempty"`
	State        *ServiceState `json:"state,omitempty"`
	Probe        *Probe        `json:"probe,omitempty"`
	Operation    *Operation    `json:"operation,omitempty"`
	Exchange     *Exchange     `json:"exchange,omitempty"`
	Command      *Command      `json:"command,omitempty"`
	Attachment   *Attachment   `json:"attachment,omitempty"`
	Log          *LogFile      `json:"log,omitempty"`
	Position     *LogPosition  `json:"position,omitempty"`
	Line         *LogLine      `json:"line,omitempty"`
	Note         *Note         `json:"note,omitempty"`
	Stage        *Stage        `json:"stage,omitempty"`
	Check        *Check        `json:"check,omitempty"`
	Sample       *Sample       `json:"sample,omitempty"`
	Topology     *Topology     `json:"topology,omitempty"`
	Cleanup      *Cleanup      `json:"cleanup,omitempty"`
}
