package experiment

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/kballard/go-shellquote"

	"brine.test/brine/observe/table"
	files "brine.test/brine/world/source"
)

// Host does what activities ask for.
type Host interface {
	// Script runs a PxL script; where tells on what.
	Script(ctx context.Context, name, source, table string) (t *table.Table, where string, err error)
	// HTTP sends a request from the clients.
	HTTP(ctx context.Context, method, url string, headers map[string]string, body string) (status int, header map[string]string, answer string, err error)
	// Process runs a program from the clients' network; note tells when something stood in for it.
	Process(ctx context.Context, program string, args []string) (code int, stdout, stderr, note string, err error)
}

// Journal is Chaos Toolkit's journal of a run.
type Journal struct {
	Version  string         `json:"chaoslib-version"`
	Platform string         `json:"platform"`
	Node     string         `json:"node"`
	By       string         `json:"run-by"` // ours
	Start    string         `json:"start"`
	Status   string         `json:"status"` // completed, failed, aborted
	Deviated bool           `json:"deviated"`
	States   States         `json:"steady_states"`
	Run      []*Activity    `json:"run"`
	Undone   []*Activity    `json:"rollbacks"`
	End      string         `json:"end"`
	Duration float64        `json:"duration"` // s
	File     map[string]any `json:"experiment"`
	Notes    []string       `json:"notes,omitempty"` // ours: what stood in for what
}

// States are the hypothesis before and after the method.
type States struct {
	Before *State  `json:"before"`
	After  *State  `json:"after"`
	During []State `json:"during"`
}

// State is the hypothesis, checked once.
type State struct {
	Met    bool        `json:"steady_state_met"`
	Probes []*Activity `json:"probes"`
}

// Activity is one that was run.
type Activity struct {
	Activity  map[string]any `json:"activity"`
	Output    any            `json:"output"`
	Status    string         `json:"status"` // succeeded, failed
	Exception []string       `json:"exception,omitempty"`
	Start     string         `json:"start"`
	End       string         `json:"end"`
	Duration  float64        `json:"duration"`
	Met       *bool          `json:"tolerance_met,omitempty"`
	Note      string         `json:"note,omitempty"` // ours
	Judged    string         `json:"judged,omitempty"`
	table     *table.Table
}

// ErrNotSteady says that the hypothesis was not met before the method: nothing was done.
var ErrNotSteady = errors.New("the experiment could not begin: its steady state was not met before the method")

// ErrDeviated says that the hypothesis was not met after the method.
var ErrDeviated = errors.New("the system deviated: the steady state was not met after the method")

const isoTime = "2006-01-02T15:04:05.000000"

// Run runs the experiment. The journal is there even where there is an error.
func (e *Experiment) Run(ctx context.Context, h Host) (*Journal, error) {
	began := time.Now()
	r := &runner{e: e, h: h, j: &Journal{
		Version: "1.0.0", By: "brine", Platform: runtime.GOOS, Start: began.UTC().Format(isoTime), File: e.raw,
		Run: []*Activity{}, Undone: []*Activity{}, States: States{During: []State{}}, Notes: slices.Clone(e.notes),
	}}
	r.j.Node, _ = os.Hostname() // empty where it is unknown
	err := r.run(ctx)
	if r.j.Status == "" {
		r.j.Status = "completed"
	}
	r.j.End, r.j.Duration = time.Now().UTC().Format(isoTime), time.Since(began).Seconds()
	return r.j, err
}

type runner struct {
	e *Experiment
	h Host
	j *Journal
}

func (r *runner) run(ctx context.Context) error {
	err := r.steps(ctx)
	switch {
	case len(r.e.undo) == 0:
	case !r.e.when.rollBack(r.j):
		r.j.Notes = append(r.j.Notes, fmt.Sprintf("rollbacks were not made: so Chaos Toolkit's strategy %q has it after a run that %s", r.e.when.rollbacks, r.ended()))
	default:
		r.j.Undone = r.all(ctx, r.e.undo)
	}
	return err
}

func (r *runner) ended() string {
	if r.j.Deviated {
		return "deviated"
	}
	if r.j.Status == "" {
		return "completed"
	}
	return r.j.Status
}

// steps are those before the rollbacks.
func (r *runner) steps(ctx context.Context) error {
	if r.e.hypo && r.e.when.before {
		r.j.States.Before = r.hypothesis(ctx)
		if !r.j.States.Before.Met {
			r.j.Status = "failed"
			return fmt.Errorf("%w: %s", ErrNotSteady, r.j.States.Before.why())
		}
	}
	r.j.Run = r.all(ctx, r.e.method)
	if ctx.Err() != nil {
		r.j.Status = "interrupted"
		return ctx.Err()
	}
	if r.e.hypo && r.e.when.after {
		r.j.States.After = r.hypothesis(ctx)
		if !r.j.States.After.Met {
			r.j.Status, r.j.Deviated = "failed", true
			return fmt.Errorf("%w: %s", ErrDeviated, r.j.States.After.why())
		}
	}
	return nil
}

// why tells which probe the hypothesis failed at.
func (s *State) why() string {
	if len(s.Probes) == 0 {
		return "it has no probe"
	}
	last := s.Probes[len(s.Probes)-1]
	text := fmt.Sprintf("probe %v", last.Activity["name"])
	if len(last.Exception) > 0 {
		return text + ": " + last.Exception[0]
	}
	return text + ": " + last.Judged
}

// hypothesis runs its probes up to the first that is out of its tolerance.
func (r *runner) hypothesis(ctx context.Context) *State {
	s := &State{Met: true, Probes: []*Activity{}}
	for _, a := range r.e.before {
		run := r.one(ctx, a)
		s.Probes = append(s.Probes, run)
		met := run.Status == "succeeded"
		if met {
			var err error
			if met, run.Judged, err = r.e.within(a.Tolerance, run); err != nil {
				met, run.Judged = false, err.Error()
			}
		}
		run.Met = &met
		if !met {
			s.Met = false
			return s
		}
	}
	return s
}

// all runs activities one after the other; those in the background are waited for at the end.
func (r *runner) all(ctx context.Context, as []*activity) []*Activity {
	out := make([]*Activity, len(as))
	var beside sync.WaitGroup
	for i, a := range as {
		if a.Background {
			beside.Go(func() { out[i] = r.one(ctx, a) })
			continue
		}
		out[i] = r.one(ctx, a)
	}
	beside.Wait()
	return out
}

// one runs one activity with its pauses.
func (r *runner) one(ctx context.Context, a *activity) *Activity {
	out := &Activity{Activity: a.raw, Status: "succeeded"}
	pause := func(when string) {
		if d := seconds(r.e.fill(a.Pauses[when])); d > 0 {
			select {
			case <-time.After(d):
			case <-ctx.Done():
			}
		}
	}
	pause("before")
	began := time.Now()
	out.Start = began.UTC().Format(isoTime)
	limited, cancel := ctx, context.CancelFunc(func() {})
	if d := seconds(r.e.fill(a.Provider.Timeout)); d > 0 {
		limited, cancel = context.WithTimeout(ctx, d)
	}
	err := r.do(limited, a, out)
	cancel()
	if err != nil {
		out.Status, out.Exception = "failed", []string{err.Error()}
	}
	out.End, out.Duration = time.Now().UTC().Format(isoTime), time.Since(began).Seconds()
	pause("after")
	return out
}

// seconds reads a number of seconds; of a pair (connect, read) the longer.
func seconds(v any) time.Duration {
	switch v := v.(type) {
	case float64:
		return time.Duration(v * float64(time.Second))
	case string:
		f, _ := strconv.ParseFloat(v, 64) // anything else is no pause
		return time.Duration(f * float64(time.Second))
	case []any:
		var most time.Duration
		for _, x := range v {
			most = max(most, seconds(x))
		}
		return most
	}
	return 0
}

func (r *runner) do(ctx context.Context, a *activity, out *Activity) error {
	p := a.Provider
	switch p.Type {
	case "http":
		headers := map[string]string{}
		for _, name := range slices.Sorted(maps.Keys(p.Headers)) {
			headers[name] = fmt.Sprint(r.e.fill(p.Headers[name]))
		}
		method := p.Method
		if method == "" {
			method = "GET"
		}
		body := ""
		if p.Arguments != nil {
			body = asJSON(r.e.fill(p.Arguments))
		}
		status, header, answer, err := r.h.HTTP(ctx, method, fmt.Sprint(r.e.fill(p.URL)), headers, body)
		if err != nil {
			return err
		}
		out.Output = map[string]any{"status": status, "headers": header, "body": answer}
		return nil
	case "process":
		args, err := r.e.arguments(p.Arguments)
		if err != nil {
			return err
		}
		code, stdout, stderr, note, err := r.h.Process(ctx, p.Path, args)
		r.note(out, note)
		if err != nil {
			return err
		}
		out.Output = map[string]any{"status": code, "stdout": stdout, "stderr": stderr}
		return nil
	}
	return r.script(ctx, p, out)
}

func (r *runner) note(out *Activity, note string) {
	out.Note = note
	if note != "" && !slices.Contains(r.j.Notes, note) {
		r.j.Notes = append(r.j.Notes, note)
	}
}

// arguments gives a program's: a text is split as a shell does, a map is taken as pairs.
func (e *Experiment) arguments(v any) ([]string, error) {
	switch v := e.fill(v).(type) {
	case nil:
		return nil, nil
	case string:
		return shellquote.Split(v)
	case []any:
		var out []string
		for _, x := range v {
			if s := fmt.Sprint(x); x != nil && s != "" {
				out = append(out, s)
			}
		}
		return out, nil
	case map[string]any:
		var out []string
		for _, k := range slices.Sorted(maps.Keys(v)) {
			out = append(out, k)
			if s := fmt.Sprint(v[k]); v[k] != nil && s != "" {
				out = append(out, s)
			}
		}
		return out, nil
	}
	return nil, fmt.Errorf("arguments: a text, a list or a map is expected")
}

// script runs chaospixie's probes.
func (r *runner) script(ctx context.Context, p provider, out *Activity) error {
	args, _ := r.e.fill(p.Arguments).(map[string]any)
	source, _ := args["script"].(string)
	name := "script"
	if p.Func == "run_script_from_local_file" {
		path, _ := args["script_path"].(string)
		if !filepath.IsAbs(path) {
			path = filepath.Join(r.e.Dir, path)
		}
		b, err := files.Read("PxL script", path)
		if err != nil {
			return err
		}
		source, name = string(b), filepath.Base(path)
	}
	from, _ := args["table_name"].(string)
	t, where, err := r.h.Script(ctx, name, source, from)
	r.note(out, where)
	if err != nil {
		return err
	}
	out.table = t
	rows := make([]map[string]any, t.Rows())
	for i := range rows {
		rows[i] = map[string]any{}
		for _, c := range t.Columns {
			rows[i][c.Name] = numbers(c.At(i))
			if at, ok := c.At(i).(int64); ok && c.Name == "time_" {
				rows[i]["_dt"] = time.Unix(0, at).UTC().Format("2006-01-02T15:04:05.000000-07:00")
			}
		}
	}
	out.Output = rows
	return nil
}
