package record

import "time"

// Effect is how a harm shows on a link or node of a picture.
type Effect string

// The effects.
const (
	EffectCut     Effect = "cut"     // nothing passes
	EffectSlow    Effect = "slow"    // delay, bandwidth
	EffectLossy   Effect = "lossy"   // loss, corruption, duplication, reordering
	EffectDown    Effect = "down"    // the process is gone
	EffectPaused  Effect = "paused"  // frozen
	EffectLimited Effect = "limited" // memory, CPU
	EffectDisk    Effect = "disk"
	EffectClock   Effect = "clock"
	EffectNames   Effect = "names"
)

// HarmInfo is a harm as it began.
type HarmInfo struct {
	// ID is SCENARIO.hN; the recorder counts when it is empty.
	ID string `json:"id" redact:"-"`
	// Kind is the field's word: isolate, partition, drop, loss, delay, rate, kill, pause, disk-full…
	Kind   string `json:"kind"`
	Effect Effect `json:"effect,omitempty" redact:"-"`
	// Asked is the sentence that asked for it.
	Asked string `json:"asked"`
	// Targets are the nodes it is aimed at, Links the directed links that it acts on.
	Targets []string `json:"targets,omitempty"`
	Links   []Link   `json:"links,omitempty"`
	// For is the length asked for; zero lasts until healed.
	For time.Duration `json:"for_ns,omitempty"`
	// Momentary harm (a kill, a reset, a clock jump) is over when it is done.
	Momentary bool `json:"momentary,omitempty"`
	// Detail holds the rest in words: "10% in bursts of 20".
	Detail string `json:"detail,omitempty"`
	// InjectTime is what the call took.
	InjectTime time.Duration `json:"inject_ns,omitempty"`
}

// Link is one direction between two nodes, by name; the clients are "clients".
type Link struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Why a harm ended.
const (
	HealedBySentence = "healed by a sentence"
	HealedByLength   = "its time was over"
	HealedAtEnd      = "the scenario ended"
	HealedInPart     = "healed in part"
	Done             = "done"
)

// Healed ends a harm, or reports on it while it is on.
type Healed struct {
	ID  string `json:"id" redact:"-"`
	Why string `json:"why,omitempty"`
	// Released are the links that were healed while the rest stays on.
	Released []Link  `json:"released,omitempty"`
	Receipt  Receipt `json:"receipt"`
	// TouchedNothing is set by the recorder at the end of a harm whose receipt is empty.
	TouchedNothing bool   `json:"touched_nothing,omitempty"`
	Error          string `json:"error,omitempty"`
}

// Count is traffic.
type Count struct {
	Packets uint64 `json:"packets"`
	Bytes   uint64 `json:"bytes"`
}

// Receipt is what a harm really touched. Probe packets are not in it but in Proof.
type Receipt struct {
	Matched    Count         `json:"matched,omitzero"`
	Dropped    Count         `json:"dropped,omitzero"`
	Delayed    Count         `json:"delayed,omitzero"`
	Corrupted  Count         `json:"corrupted,omitzero"`
	Duplicated Count         `json:"duplicated,omitzero"`
	Reordered  Count         `json:"reordered,omitzero"`
	Links      []LinkReceipt `json:"links,omitempty"`
	// Calls are file operations, name queries or clock readings that were falsified.
	Calls     uint64   `json:"calls,omitempty"`
	Queries   uint64   `json:"queries,omitempty"`
	Processes []string `json:"processes,omitempty"` // "etcd on node2 (pid 4711)"
	// Connections are TCP connections that were reset: "node1 10.77.0.2:4001 – node2 10.77.0.3:8080".
	Connections []string `json:"connections,omitempty"`
	// FirstTouched and LastTouched are CLOCK_MONOTONIC nanoseconds.
	FirstTouched int64 `json:"first_touched,omitempty"`
	LastTouched  int64 `json:"last_touched,omitempty"`
	// Proof says how the effect was proved apart from the system's own traffic: "4 probes dropped, 4 passed".
	Proof string `json:"proof,omitempty"`
}

// LinkReceipt is a receipt of one directed link.
type LinkReceipt struct {
	Link
	Matched    Count `json:"matched,omitzero"`
	Dropped    Count `json:"dropped,omitzero"`
	Delayed    Count `json:"delayed,omitzero"`
	Corrupted  Count `json:"corrupted,omitzero"`
	Duplicated Count `json:"duplicated,omitzero"`
	Reordered  Count `json:"reordered,omitzero"`
}

// Touched tells that the harm did something to the system under test. Packets that it met and let go by, as loss does
// with most, were not touched.
func (r Receipt) Touched() bool {
	n := r.Calls + r.Queries + uint64(len(r.Processes)) + uint64(len(r.Connections)) + r.Dropped.Packets +
		r.Delayed.Packets + r.Corrupted.Packets + r.Duplicated.Packets + r.Reordered.Packets
	for _, l := range r.Links {
		n += l.Dropped.Packets + l.Delayed.Packets + l.Corrupted.Packets + l.Duplicated.Packets + l.Reordered.Packets
	}
	return n > 0
}

// Receipt is what the harm touched on this link alone.
func (l LinkReceipt) Receipt() Receipt {
	return Receipt{
		Matched: l.Matched, Dropped: l.Dropped, Delayed: l.Delayed,
		Corrupted: l.Corrupted, Duplicated: l.Duplicated, Reordered: l.Reordered,
	}
}
