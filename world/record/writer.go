package record

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
)

// Scenario writes the events of one scenario. What is written while a step runs belongs to that step.
type Scenario struct {
	rec   *Recorder
	info  ScenarioInfo
	begin Time

	mu         sync.Mutex
	over       bool
	step       string
	stepNo     int
	harms, ops int
	files      map[string]int
}

// Scenario begins a scenario.
func (r *Recorder) Scenario(info ScenarioInfo) *Scenario {
	slug := info.Slug
	if slug == "" {
		slug = Slug(r.Redact(info.Name))
	}
	id, slug := r.nextScenario(slug)
	if info.ID == "" {
		info.ID = id
	}
	info.Slug = slug
	info.URI = r.relative(info.URI)
	r.source(info.URI)
	s := &Scenario{rec: r, info: info, begin: r.clock(), files: map[string]int{}}
	s.emit(Event{Type: ScenarioBegin, ScenarioInfo: &info})
	return s
}

// ID is the scenario's id, RUN-N.
func (s *Scenario) ID() string { return s.info.ID }

// Info is what the scenario began with, id and slug filled in.
func (s *Scenario) Info() ScenarioInfo { return s.info }

// End ends the scenario. An error that implements Judged brings its verdict.
func (s *Scenario) End(status Status, err error) {
	s.mu.Lock()
	s.step, s.over = "", true
	s.mu.Unlock()
	s.emit(Event{Type: ScenarioEnd, Result: result(status, err, s.rec.clock().Sub(s.begin))})
}

// Step is a sentence that runs.
type Step struct {
	s      *Scenario // nil of a step that comes too late
	id     string
	parent string // a sentence inside another one's doc string
	begin  Time
}

// Step begins a step. After the scenario's end nothing is written of it: godog announces the steps that it skips when
// all is over, and the reader knows them from the scenario's begin.
func (s *Scenario) Step(info StepInfo) *Step {
	s.mu.Lock()
	if s.over {
		s.mu.Unlock()
		return &Step{}
	}
	s.stepNo++
	if info.ID == "" {
		info.ID = s.info.ID + "." + strconv.Itoa(s.stepNo)
	}
	st := &Step{s: s, id: info.ID, parent: s.step, begin: s.rec.clock()}
	s.step = info.ID
	s.mu.Unlock()
	s.emit(Event{Type: StepBegin, StepInfo: &info})
	return st
}

// ID is the step's id, SCENARIO.N.
func (st *Step) ID() string { return st.id }

// End ends the step. An error that implements Judged brings its verdict.
func (st *Step) End(status Status, err error) {
	if st.s == nil {
		return
	}
	st.s.emit(Event{Type: StepEnd, Step: st.id, Result: result(status, err, st.s.rec.clock().Sub(st.begin))})
	st.s.mu.Lock()
	if st.s.step == st.id {
		st.s.step = st.parent
	}
	st.s.mu.Unlock()
}

func result(status Status, err error, took time.Duration) *Result {
	r := &Result{Status: status, Nanoseconds: int64(took)}
	if err == nil {
		return r
	}
	r.Error = err.Error()
	var j Judged
	if errors.As(err, &j) {
		v := j.Verdict()
		r.Verdict = &v
	}
	return r
}

func (s *Scenario) emit(e Event) {
	e.Scenario = s.info.ID
	if e.Step == "" {
		s.mu.Lock()
		e.Step = s.step
		s.mu.Unlock()
	}
	s.rec.emit(e)
}

// Artifact names a file for the scenario's artifacts and makes its folder: the path to write to, and the one, relative
// to the output folder, that Attach and Log take. A name that was given before gets a number.
func (s *Scenario) Artifact(name string) (path, file string) {
	name = safeName(s.rec.Redact(name))
	s.mu.Lock()
	s.files[name]++
	if n := s.files[name]; n > 1 {
		ext := filepath.Ext(name)
		name = strings.TrimSuffix(name, ext) + "-" + strconv.Itoa(n) + ext
	}
	s.mu.Unlock()
	file = filepath.Join("artifacts", s.info.Slug, name)
	path = filepath.Join(s.rec.dir, file)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.rec.mu.Lock()
		s.rec.keep(err)
		s.rec.mu.Unlock()
	}
	return path, file
}

// Slug makes a folder's name of a title: lower-case letters, digits and hyphens, at most 60.
func Slug(title string) string {
	var b strings.Builder
	for _, c := range strings.ToLower(title) {
		switch {
		case c < unicode.MaxASCII && (unicode.IsLetter(c) || unicode.IsDigit(c)):
			b.WriteRune(c)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() >= 60 {
			break
		}
	}
	if s := strings.Trim(b.String(), "-"); s != "" {
		return s
	}
	return "scenario"
}

// safeName keeps a name below its folder.
func safeName(name string) string {
	name = strings.TrimPrefix(filepath.Clean("/"+name), "/")
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return '-'
		}
		return c
	}, name)
}
