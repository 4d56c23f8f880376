package record

import "time"

// State is what a service is doing.
type State string

// The states. Leader and Follower are what the service itself claims.
const (
	Starting State = "starting"
	Running  State = "running"
	Ready    State = "ready"
	Leader   State = "leader"
	Follower State = "follower"
	Paused   State = "paused"
	Resumed  State = "resumed"
	Stopped  State = "stopped" // ended as asked
	Exited   State = "exited"  // ended by itself, or killed
	OOM      State = "oom"     // the kernel killed it for lack of memory
	Removed  State = "removed"
)

// Alive tells that a process in this state runs.
func (s State) Alive() bool { return s != Stopped && s != Exited && s != OOM && s != Removed }

// ServiceState is a change of one service of one node.
type ServiceState struct {
	Service string `json:"service"`
	Node    string `json:"node"`
	State   State  `json:"state" redact:"-"`
	PID     int    `json:"pid,omitempty"`
	Code    *int   `json:"code,omitempty"`
	Signal  string `json:"signal,omitempty"`
	// Term is the leader's term where the service has one.
	Term   uint64 `json:"term,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// Probe is one look at a service's readiness.
type Probe struct {
	Service string        `json:"service"`
	Node    string        `json:"node"`
	Kind    string        `json:"kind"` // http, tcp, exec, log
	OK      bool          `json:"ok"`
	Answer  string        `json:"answer,omitempty"`
	Took    time.Duration `json:"took_ns"`
}

// Topology is the scenario's whole cluster after a change.
type Topology struct {
	Nodes []TopologyNode `json:"nodes"`
	// Clients are the addresses of the test's own vantage point.
	Clients  []string `json:"clients,omitempty"`
	Internet bool     `json:"internet,omitempty"`
}

// TopologyNode is one node of it.
type TopologyNode struct {
	Name      string            `json:"name"`
	Cluster   string            `json:"cluster,omitempty"`
	Zone      string            `json:"zone,omitempty"`
	Addresses []string          `json:"addresses,omitempty"`
	Aliases   []string          `json:"aliases,omitempty"`
	Services  []TopologyService `json:"services,omitempty"`
}

// TopologyService is one service of a node.
type TopologyService struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	Image   string `json:"image,omitempty"`
	Ports   []Port `json:"ports,omitempty"`
}

// Port is a named port.
type Port struct {
	Name   string `json:"name"`
	Number int    `json:"number"`
}

// LogFile is one stream of one service, kept as an artifact.
type LogFile struct {
	Service string `json:"service"`
	Node    string `json:"node"`
	Stream  string `json:"stream"` // stdout, stderr
	// File is relative to the folder of events.jsonl.
	File string `json:"file"`
}

// LogPosition says that at the event's time the file had grown to Offset bytes. A line that ends at or below it, and above
// the position before, was written in between: this puts all logs on one clock without copying them into the record.
type LogPosition struct {
	File   string `json:"file"`
	Offset int64  `json:"offset"`
}

// LogLine is a line that mattered: one that a sentence matched, or that a harm waited for.
type LogLine struct {
	Service string `json:"service"`
	Node    string `json:"node"`
	Stream  string `json:"stream,omitempty"`
	Text    string `json:"text"`
	File    string `json:"file,omitempty"`
	Offset  int64  `json:"offset,omitempty"`
	Why     string `json:"why,omitempty"`
}
