package record

import "fmt"

// builder makes the tree from events in order.
type builder struct {
	run       *Run
	scenarios map[string]*ScenarioRun
	steps     map[string]*StepRun
	harms     map[string]*HarmRun
	last      Time
}

func newBuilder() *builder {
	return &builder{
		run: &Run{}, scenarios: map[string]*ScenarioRun{}, steps: map[string]*StepRun{}, harms: map[string]*HarmRun{},
	}
}

// add takes one event. An unknown type, or one whose body is missing, is passed over: a newer writer may have added it.
func (b *builder) add(e Event) error {
	if b.run.Events == 0 {
		if e.Type != RunBegin || e.Run == nil {
			return fmt.Errorf("the first event is %q: %w", e.Type, ErrNoRecord)
		}
		if e.Run.Schema > Schema {
			return fmt.Errorf("schema %d is newer than %d\nhint: read it with the version that wrote it", e.Run.Schema, Schema)
		}
		b.run.Info, b.run.Begin = *e.Run, e.Time
	}
	b.run.Events++
	if e.Mono > b.last.Mono {
		b.last = e.Time
	}
	at := At{e.Time, e.Step}
	if e.Scenario == "" {
		b.addToRun(e, at)
		return nil
	}
	s := b.scenarios[e.Scenario]
	if s == nil {
		s = &ScenarioRun{Positions: map[string][]PositionRun{}, Begin: e.Time}
		s.ID = e.Scenario
		if e.ScenarioInfo != nil {
			s.ScenarioInfo = *e.ScenarioInfo
			s.ID = e.Scenario
		}
		b.scenarios[e.Scenario] = s
		b.run.Scenarios = append(b.run.Scenarios, s)
	}
	b.addToScenario(s, e, at)
	return nil
}

func (b *builder) addToRun(e Event, at At) {
	switch {
	case e.Note != nil:
		b.run.Notes = append(b.run.Notes, NoteRun{at, *e.Note})
	case e.Source != nil:
		b.run.Sources = append(b.run.Sources, *e.Source)
	case e.Stage != nil:
		b.run.Stages = append(b.run.Stages, StageRun{at, *e.Stage})
	case e.Type == RunEnd && e.RunResult != nil:
		res := *e.RunResult
		if b.run.Result != nil && res.Interrupted == "" {
			res.Interrupted = b.run.Result.Interrupted
		}
		b.run.Result, b.run.End = &res, e.Time
	}
}

func (b *builder) addToScenario(s *ScenarioRun, e Event, at At) {
	switch {
	case e.Type == ScenarioEnd && e.Result != nil:
		s.Result, s.End = *e.Result, e.Time
	case e.Type == StepBegin && e.StepInfo != nil:
		if !s.End.IsZero() {
			return // godog announces the steps that it skips when all is over; they did not run
		}
		st := &StepRun{StepInfo: *e.StepInfo, Begin: e.Time}
		b.steps[st.ID] = st
		s.Steps = append(s.Steps, st)
	case e.Type == StepEnd && e.Result != nil:
		if st := b.steps[e.Step]; st != nil {
			st.Result, st.End = *e.Result, e.Time
		}
	case e.Harm != nil:
		h := &HarmRun{HarmInfo: *e.Harm, Step: e.Step, Begin: e.Time}
		b.harms[h.ID] = h
		s.Harms = append(s.Harms, h)
	case e.Healed != nil:
		b.heal(e)
	case e.Choice != nil:
		s.Choices = append(s.Choices, ChoiceRun{at, *e.Choice})
	case e.State != nil:
		s.States = append(s.States, StateRun{at, *e.State})
	case e.Probe != nil:
		s.Probes = append(s.Probes, ProbeRun{at, *e.Probe})
	case e.Operation != nil:
		s.Operations = append(s.Operations, OperationRun{at, *e.Operation})
	case e.Exchange != nil:
		s.Exchanges = append(s.Exchanges, ExchangeRun{at, *e.Exchange})
	case e.Command != nil:
		s.Commands = append(s.Commands, CommandRun{at, *e.Command})
	case e.Attachment != nil:
		s.Attachments = append(s.Attachments, AttachmentRun{at, *e.Attachment})
	case e.Log != nil:
		s.Logs = append(s.Logs, *e.Log)
	case e.Position != nil:
		s.Positions[e.Position.File] = append(s.Positions[e.Position.File], PositionRun{e.Time, e.Position.Offset})
	case e.Line != nil:
		s.Lines = append(s.Lines, LineRun{at, *e.Line})
	case e.Note != nil:
		s.Notes = append(s.Notes, NoteRun{at, *e.Note})
	case e.Stage != nil:
		s.Stages = append(s.Stages, StageRun{at, *e.Stage})
	case e.Check != nil:
		s.Checks = append(s.Checks, CheckRun{at, *e.Check})
	case e.Sample != nil:
		s.Samples = append(s.Samples, SampleRun{at, *e.Sample})
	case e.Topology != nil:
		s.Topologies = append(s.Topologies, TopologyRun{at, *e.Topology})
	case e.Cleanup != nil:
		c := *e.Cleanup
		s.Cleanup = &c
	}
}

func (b *builder) heal(e Event) {
	h := b.harms[e.Healed.ID]
	if h == nil {
		return
	}
	h.Receipt = e.Healed.Receipt
	if len(e.Healed.Released) > 0 {
		h.Releases = append(h.Releases, Release{e.Time, e.Healed.Released})
	}
	if e.Type == HarmEnd {
		h.End, h.Why, h.Error, h.TouchedNothing = e.Time, e.Healed.Why, e.Healed.Error, e.Healed.TouchedNothing
	}
}

// done completes the tree: what has no end gets the record's last time, and the steps never reached are listed.
func (b *builder) done() (*Run, error) {
	if b.run.Events == 0 {
		return nil, fmt.Errorf("empty: %w", ErrNoRecord)
	}
	if b.run.End.IsZero() {
		b.run.End = b.last
	}
	for _, s := range b.run.Scenarios {
		if s.Status == "" {
			s.Result, s.End = unfinished(s.Begin, b.last), b.last
		}
		for _, st := range s.Steps {
			if st.Status == "" {
				st.Result, st.End = unfinished(st.Begin, b.last), b.last
			}
		}
		for i := len(s.Steps); i < len(s.ScenarioInfo.Steps); i++ {
			info := s.ScenarioInfo.Steps[i]
			s.Steps = append(s.Steps, &StepRun{StepInfo: info, Result: Result{Status: Skipped}})
		}
	}
	return b.run, nil
}

func unfinished(begin, end Time) Result {
	return Result{Status: Unfinished, Error: "the run ended before this did", Nanoseconds: int64(end.Sub(begin))}
}
