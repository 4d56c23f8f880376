package steps

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cucumber/godog"

	"brine.test/brine/world"
	"brine.test/brine/world/record"
)

// stepTimeout is how long one sentence may take; BRINE_STEP_TIMEOUT replaces it.
const stepTimeout = 15 * time.Minute

// play is one scenario while it runs.
type play struct {
	world *world.World
	base  context.Context // the scenario's context, without a step's deadline
	order map[string]int  // step id → its place
	infos []record.StepInfo

	refused *refusal // the scenario is not begun

	mu    sync.Mutex
	step  *record.Step
	began time.Time
	end   func() // ends the sentence and its deadline
	err   error
	gone  bool
}

type playKey struct{}

// hooks puts the scenario's life around its steps.
func hooks(sc *godog.ScenarioContext, s *session) {
	sc.Before(func(ctx context.Context, p *godog.Scenario) (out context.Context, err error) {
		defer recovered("the hook before the scenario", &err)
		out, err = s.begin(ctx, p)
		return out, hide(err)
	})
	sc.StepContext().Before(func(ctx context.Context, st *godog.Step) (out context.Context, err error) {
		defer recovered("the hook before the step", &err)
		pl, _ := ctx.Value(playKey{}).(*play)
		if pl == nil {
			return ctx, nil // the scenario could not begin
		}
		return pl.before(st), nil
	})
	sc.StepContext().After(func(ctx context.Context, st *godog.Step, status godog.StepResultStatus, stepErr error) (out context.Context, err error) {
		defer recovered("the hook after the step", &err)
		pl, _ := ctx.Value(playKey{}).(*play)
		if pl == nil {
			return ctx, nil
		}
		return pl.base, hide(pl.after(st.Id, status, stepErr))
	})
	sc.After(func(ctx context.Context, _ *godog.Scenario, scErr error) (out context.Context, err error) {
		pl, _ := ctx.Value(playKey{}).(*play)
		if pl == nil {
			s.counts.add(false)
			return ctx, nil
		}
		defer func() { s.counts.add(scErr == nil && err == nil) }()
		defer recovered("the teardown", &err)
		return ctx, hide(pl.finish(scErr))
	})
}

// recovered keeps a panic in a hook from killing the process, which would leave
// everything behind.
func recovered(where string, err *error) {
	if p := recover(); p != nil {
		*err = errors.Join(*err, fmt.Errorf("panic in %s: %v\n%s", where, p, debug.Stack()))
	}
}

// begin opens the suite if need be, checks the scenario's sentences before
// anything is built, and makes its world.
func (s *session) begin(ctx context.Context, p *godog.Scenario) (context.Context, error) {
	if err := s.open(); err != nil {
		return ctx, err
	}
	if s.ctx.Err() != nil {
		return ctx, context.Cause(s.ctx)
	}
	info, err := describe(p)
	if err != nil {
		return ctx, err
	}
	w, err := s.suite.NewWorld(ctx, world.Scenario{Info: info, Needs: union(needsOf(p), scheduleNeeds(s.schedule))})
	if err != nil {
		return ctx, err
	}
	base, cancel := context.WithCancelCause(world.Into(ctx, w))
	stop := context.AfterFunc(s.ctx, func() { cancel(context.Cause(s.ctx)) })
	pl := &play{world: w, infos: info.Steps, order: map[string]int{}, end: func() {}}
	for i, st := range p.Steps {
		pl.order[st.Id] = i
	}
	pl.base = context.WithValue(base, playKey{}, pl)
	w.OnClose(func() { stop(); cancel(nil) })
	if pl.refused = checkSentences(p); pl.refused != nil {
		pl.refused.write(w.Record(), info.Steps)
		return pl.base, pl.refused
	}
	return pl.base, nil
}

// before begins a step: in the record, with a deadline, as a sentence of its own.
func (pl *play) before(st *godog.Step) context.Context {
	pl.mu.Lock()
	defer pl.mu.Unlock()
	if pl.refused != nil {
		return pl.base
	}
	info := record.StepInfo{Text: st.Text}
	if i, ok := pl.order[st.Id]; ok && i < len(pl.infos) {
		info = pl.infos[i]
	}
	pl.step, pl.began = pl.world.Record().Step(info), time.Now()
	ctx, cancel := context.WithTimeoutCause(pl.base, limit(), fmt.Errorf("the step took longer than %s\nhint: BRINE_STEP_TIMEOUT gives it more", limit()))
	ctx, done := pl.world.Sentence(ctx, st.Text)
	pl.end = func() { done(); cancel() }
	return ctx
}

func limit() time.Duration {
	if d, err := time.ParseDuration(os.Getenv("BRINE_STEP_TIMEOUT")); err == nil && d > 0 {
		return d
	}
	return stepTimeout
}

// after ends a step. What went wrong beside the steps fails the step that ran
// then.
func (pl *play) after(id string, status godog.StepResultStatus, stepErr error) error {
	pl.mu.Lock()
	defer pl.mu.Unlock()
	if pl.gone || pl.step == nil {
		return nil
	}
	pl.end()
	pl.end = func() {}
	var beside error
	if stepErr == nil && status == godog.StepPassed {
		beside = pl.world.Trouble()
	}
	for _, ended := range pl.world.Surprises() {
		pl.world.Record().Note(record.LevelWarning, ended)
	}
	pl.step.End(statusOf(status, beside), errors.Join(stepErr, beside))
	current.remarks.ended(id, pl.step.ID(), time.Since(pl.began))
	pl.step = nil
	if stepErr != nil {
		pl.err = stepErr
	}
	if beside != nil {
		pl.err = beside
	}
	return beside
}

func statusOf(status godog.StepResultStatus, beside error) record.Status {
	if beside != nil {
		return record.Failed
	}
	switch status {
	case godog.StepPassed:
		return record.Passed
	case godog.StepSkipped:
		return record.Skipped
	case godog.StepUndefined:
		return record.Undefined
	case godog.StepPending:
		return record.Pending
	}
	return record.Failed
}

// finish judges the whole scenario and takes it down.
func (pl *play) finish(scErr error) error {
	pl.mu.Lock()
	if pl.gone {
		pl.mu.Unlock()
		return nil
	}
	pl.gone = true
	pl.mu.Unlock()
	var judged error
	if scErr == nil {
		judged = pl.world.Finish(pl.base)
	}
	closed := pl.world.Close(pl.base)
	err := errors.Join(judged, closed)
	status := record.Passed
	switch {
	case pl.refused != nil && pl.refused.undefined && err == nil:
		status, scErr = record.Undefined, pl.refused
	case scErr != nil || err != nil:
		status = record.Failed
	}
	pl.world.Record().End(status, errors.Join(scErr, err))
	return err
}

// describe tells the record which scenario this is: godog gives hooks no lines
// and keywords, so they are read from the file.
func describe(p *godog.Scenario) (record.ScenarioInfo, error) {
	uri, _ := splitLine(p.Uri)
	abs, err := filepath.Abs(uri)
	if err != nil {
		return record.ScenarioInfo{}, err
	}
	info := record.ScenarioInfo{URI: abs, Name: p.Name}
	for _, t := range p.Tags {
		info.Tags = append(info.Tags, t.Name)
	}
	f, err := parseFeature(uri)
	if err != nil {
		return info, err
	}
	if f.doc.Feature != nil {
		info.Feature = f.doc.Feature.Name
	}
	twins := slices.DeleteFunc(slices.Clone(f.pickles), func(cand *godog.Scenario) bool { return cand.Name != p.Name || !sameSteps(cand, p) })
	if len(twins) > 0 {
		cand := twins[current.twins.next(abs+":"+twins[0].Id)%len(twins)]
		at := f.nodes[cand.AstNodeIds[0]]
		info.Line = int(at.line)
		if at.scenario != nil {
			info.Description = strings.TrimSpace(at.scenario.Description)
		}
		info.Rule = at.rule
		if len(cand.AstNodeIds) > 1 {
			info.Line = int(f.nodes[cand.AstNodeIds[1]].line) // an outline's row
		}
		for _, st := range cand.Steps {
			n := f.nodes[st.AstNodeIds[0]]
			info.Steps = append(info.Steps, stepInfo(st, n))
		}
	}
	replay := ""
	if current.sel.Schedule != "" {
		replay = fmt.Sprintf(" BRINE_SCHEDULE='%s'", current.sel.Schedule)
	}
	info.Again = fmt.Sprintf("BRINE_SEED=%d BRINE_FEATURES='%s:%d'%s %s", current.sel.Seed, uri, info.Line, replay, current.program())
	return info, nil
}

// twins counts the scenarios that are word for word the same: godog does not tell which of them it means, and begins
// them in the order of the file.
type twins struct {
	mu    sync.Mutex
	begun map[string]int
}

// next is how many were begun before.
func (t *twins) next(key string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.begun == nil {
		t.begun = map[string]int{}
	}
	t.begun[key]++
	return t.begun[key] - 1
}

func sameSteps(a, b *godog.Scenario) bool {
	if len(a.Steps) != len(b.Steps) {
		return false
	}
	for i := range a.Steps {
		if a.Steps[i].Text != b.Steps[i].Text || !reflect.DeepEqual(argumentOf(a.Steps[i]), argumentOf(b.Steps[i])) {
			return false
		}
	}
	return true
}

func stepInfo(st *godog.Step, at astNode) record.StepInfo {
	info := record.StepInfo{Keyword: at.keyword, Text: st.Text, Line: int(at.line)}
	if st.Argument == nil {
		return info
	}
	if d := st.Argument.DocString; d != nil {
		info.DocString = &record.DocString{MediaType: d.MediaType, Content: d.Content, Line: int(at.doc) + 1}
	}
	if t := st.Argument.DataTable; t != nil {
		for _, row := range t.Rows {
			var cells []string
			for _, c := range row.Cells {
				cells = append(cells, c.Value)
			}
			info.Table = append(info.Table, cells)
		}
	}
	return info
}
