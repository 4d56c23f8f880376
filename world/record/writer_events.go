package record

import (
	"strconv"
	"time"
)

// Harm is a harm that is on.
type Harm struct {
	s  *Scenario
	id string
}

// Harm begins a harm.
func (s *Scenario) Harm(info HarmInfo) *Harm {
	s.mu.Lock()
	s.harms++
	if info.ID == "" {
		info.ID = s.info.ID + ".h" + strconv.Itoa(s.harms)
	}
	s.mu.Unlock()
	s.emit(Event{Type: HarmBegin, Harm: &info})
	return &Harm{s: s, id: info.ID}
}

// ID is the harm's id, SCENARIO.hN.
func (h *Harm) ID() string { return h.id }

// Receipt writes what the harm has touched so far.
func (h *Harm) Receipt(r Receipt) {
	h.s.emit(Event{Type: HarmReceipt, Healed: &Healed{ID: h.id, Receipt: r}})
}

// Release writes that some of the harm's links were healed while the rest stays on.
func (h *Harm) Release(links []Link, r Receipt) {
	h.s.emit(Event{Type: HarmReceipt, Healed: &Healed{ID: h.id, Why: HealedInPart, Released: links, Receipt: r}})
}

// End writes that the harm is over, why, and its last receipt.
func (h *Harm) End(why string, r Receipt) { h.EndWith(why, r, nil) }

// EndWith is End with the error that healing met.
func (h *Harm) EndWith(why string, r Receipt, err error) {
	healed := &Healed{ID: h.id, Why: why, Receipt: r, TouchedNothing: !r.Touched()}
	if err != nil {
		healed.Error = err.Error()
	}
	h.s.emit(Event{Type: HarmEnd, Healed: healed})
}

// Choice writes what a selector stood for.
func (s *Scenario) Choice(selector string, stood []string, how string) {
	s.emit(Event{Type: ChoiceMade, Choice: &Choice{Selector: selector, Stood: stood, How: how}})
}

// State writes a service's change as of now.
func (s *Scenario) State(st ServiceState) { s.StateAt(Time{}, st) }

// StateAt writes a service's change that was seen at another time.
func (s *Scenario) StateAt(t Time, st ServiceState) {
	s.emit(Event{Time: t, Type: StateChanged, State: &st})
}

// Probe writes one look at a service's readiness.
func (s *Scenario) Probe(p Probe) { s.emit(Event{Type: Probed, Probe: &p}) }

// Operation writes a client's call when it is over, and returns its id.
func (s *Scenario) Operation(o Operation) string {
	s.mu.Lock()
	s.ops++
	if o.ID == "" {
		o.ID = s.info.ID + ".o" + strconv.Itoa(s.ops)
	}
	s.mu.Unlock()
	s.emit(Event{Type: Operated, Operation: &o})
	return o.ID
}

// Exchange writes an HTTP request with its answer.
func (s *Scenario) Exchange(x Exchange) { s.emit(Event{Type: Exchanged, Exchange: &x}) }

// Command writes a program's run inside a container.
func (s *Scenario) Command(c Command) { s.emit(Event{Type: CommandRan, Command: &c}) }

// Sample writes one point of a series.
func (s *Scenario) Sample(p Sample) { s.emit(Event{Type: Sampled, Sample: &p}) }

// Check writes a judgement.
func (s *Scenario) Check(c Check) { s.emit(Event{Type: Checked, Check: &c}) }

// Attach writes a piece of evidence. For a file, see Artifact.
func (s *Scenario) Attach(a Attachment) { s.emit(Event{Type: Attached, Attachment: &a}) }

// AttachText attaches text that is shown in place.
func (s *Scenario) AttachText(name, mediaType, text string) {
	s.Attach(Attachment{Name: name, MediaType: mediaType, Text: text, Size: int64(len(text))})
}

// Log announces a service's output file.
func (s *Scenario) Log(f LogFile) { s.emit(Event{Type: LogOpened, Log: &f}) }

// LogPosition writes how far an output file has grown.
func (s *Scenario) LogPosition(file string, offset int64) {
	s.emit(Event{Type: LogAdvanced, Position: &LogPosition{File: file, Offset: offset}})
}

// LogLine writes a line of output that mattered.
func (s *Scenario) LogLine(l LogLine) { s.emit(Event{Type: LogSaid, Line: &l}) }

// Note writes a remark.
func (s *Scenario) Note(level, text string) {
	s.emit(Event{Type: Noted, Note: &Note{Level: level, Text: text}})
}

// Stage writes progress of something that takes long.
func (s *Scenario) Stage(st Stage) { s.emit(Event{Type: StageChanged, Stage: &st}) }

// Waiting writes that a sentence looked and did not find what it wants yet.
func (s *Scenario) Waiting(what string, tried, limit time.Duration) {
	s.Stage(Stage{Name: what, Done: int64(tried), Total: int64(limit), Unit: "ns"})
}

// Topology writes the whole cluster after a change.
func (s *Scenario) Topology(t Topology) { s.emit(Event{Type: TopologyIs, Topology: &t}) }

// Cleanup writes what the teardown removed and what is left.
func (s *Scenario) Cleanup(c Cleanup) { s.emit(Event{Type: CleanedUp, Cleanup: &c}) }
