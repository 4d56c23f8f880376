package experiment

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"

	"brine.test/brine/world/source"
)

// Experiment is a file that was read: its own words, for the journal, and what they mean.
type Experiment struct {
	Title   string
	Dir     string // that paths in it start at
	Secrets []string
	// Secrets are the values of its secrets: they must not be shown.

	raw    map[string]any
	config map[string]any
	secret map[string]map[string]any
	before []*activity // the hypothesis
	method []*activity
	undo   []*activity
	hypo   bool
	when   strategies
	notes  []string // on what of it is left out
}

// activity is a probe or an action.
type activity struct {
	raw       map[string]any
	Type      string         `json:"type"`
	Name      string         `json:"name"`
	Ref       string         `json:"ref"`
	Provider  provider       `json:"provider"`
	Tolerance any            `json:"tolerance"`
	Pauses    map[string]any `json:"pauses"`
	// Background lets the method go on while it runs.
	Background bool  `json:"background"`
	Controls   []any `json:"controls"`
}

type provider struct {
	Type      string         `json:"type"`
	Module    string         `json:"module"`
	Func      string         `json:"func"`
	Path      string         `json:"path"`
	URL       string         `json:"url"`
	Method    string         `json:"method"`
	Headers   map[string]any `json:"headers"`
	Arguments any            `json:"arguments"`
	Timeout   any            `json:"timeout"`
}

// Read reads an experiment, JSON or YAML by the file's name, its configuration and secrets from the environment. What
// cannot be run is told at once, all of it.
func Read(path string, env func(string) (string, bool)) (*Experiment, error) {
	b, err := source.Read("experiment", path)
	if err != nil {
		return nil, err
	}
	if ext := filepath.Ext(path); ext == ".yaml" || ext == ".yml" {
		if b, err = yaml.YAMLToJSON(b); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	e, err := parse(b, env)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	e.Dir = filepath.Dir(path)
	return e, nil
}

func parse(b []byte, env func(string) (string, bool)) (*Experiment, error) {
	e := &Experiment{config: map[string]any{}, secret: map[string]map[string]any{}}
	if err := json.Unmarshal(b, &e.raw); err != nil {
		return nil, err
	}
	var file struct {
		Title         string                    `json:"title"`
		Configuration map[string]any            `json:"configuration"`
		Secrets       map[string]map[string]any `json:"secrets"`
		Hypothesis    *struct {
			Title  string           `json:"title"`
			Probes []map[string]any `json:"probes"`
		} `json:"steady-state-hypothesis"`
		Method    []map[string]any `json:"method"`
		Rollbacks []map[string]any `json:"rollbacks"`
		Controls  []map[string]any `json:"controls"`
		Runtime   runtimeWishes    `json:"runtime"`
	}
	if err := json.Unmarshal(b, &file); err != nil {
		return nil, err
	}
	var errs []error
	if e.Title = file.Title; e.Title == "" {
		errs = append(errs, errors.New("title: is missing"))
	}
	for name, v := range file.Configuration {
		value, err := fromEnv(v, env)
		errs = append(errs, about("configuration "+name, err))
		e.config[name] = value
	}
	for target, values := range file.Secrets {
		e.secret[target] = map[string]any{}
		for name, v := range values {
			value, err := fromEnv(v, env)
			errs = append(errs, about("secret "+target+"."+name, err))
			e.secret[target][name] = value
			if s, ok := value.(string); ok && s != "" {
				e.Secrets = append(e.Secrets, s)
			}
		}
	}
	if file.Hypothesis != nil {
		e.hypo = true
		e.before = activities(file.Hypothesis.Probes, true, &errs)
	}
	e.method = activities(file.Method, false, &errs)
	e.undo = activities(file.Rollbacks, false, &errs)
	when, err := file.Runtime.read()
	e.when, errs = when, append(errs, err)
	if n := e.controls() + len(file.Controls); n > 0 {
		e.notes = append(e.notes, fmt.Sprintf("controls are not run: %d were left out", n))
	}
	return e, errors.Join(errs...)
}

func about(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// pixieVariables may be unset: scripts then run on what the scenario saw.
var pixieVariables = regexp.MustCompile(`^(PIXIE|PX)_`)

// fromEnv resolves {"type": "env", "key": …, "default": …, "env_var_type": …}.
func fromEnv(v any, env func(string) (string, bool)) (any, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return v, nil
	}
	switch m["type"] {
	case "env":
		key, _ := m["key"].(string)
		if s, ok := env(key); ok {
			return typed(key, s, m["env_var_type"])
		}
		if d, ok := m["default"]; ok && d != nil {
			return d, nil
		}
		if pixieVariables.MatchString(key) {
			return "", nil
		}
		return nil, fmt.Errorf("%s is not set in the environment", key)
	case nil:
		return v, nil
	}
	return nil, fmt.Errorf("type %v: unsupported\nhint: env, or the value itself", m["type"])
}

func activities(raw []map[string]any, hypothesis bool, errs *[]error) []*activity {
	var out []*activity
	for _, r := range raw {
		a := &activity{raw: r}
		b, err := json.Marshal(r)
		if err == nil {
			err = json.Unmarshal(b, a)
		}
		if err == nil {
			err = a.sound(hypothesis)
		}
		if err != nil {
			*errs = append(*errs, fmt.Errorf("activity %q: %w", a.Name, err))
		}
		out = append(out, a)
	}
	return out
}

// sound tells what of an activity is not supported.
func (a *activity) sound(hypothesis bool) error {
	switch {
	case a.Ref != "":
		return fmt.Errorf("ref %s: unsupported\nhint: write the activity out", a.Ref)
	case hypothesis && a.Tolerance == nil:
		return errors.New("tolerance: is missing")
	}
	if err := a.Provider.sound(); err != nil {
		return err
	}
	if t, ok := a.Tolerance.(map[string]any); ok && t["type"] == "probe" {
		var inner activity
		b, err := json.Marshal(t)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(b, &inner); err != nil {
			return err
		}
		if inner.Provider.Type != "python" || inner.Provider.Module != tolerances {
			return fmt.Errorf("tolerance %s.%s: unsupported\nhint: supported: %s", inner.Provider.Module, inner.Provider.Func, strings.Join(supportedTolerances, ", "))
		}
		return inner.Provider.sound()
	}
	return nil
}

const (
	probes     = "chaospixie.probes"
	tolerances = "chaospixie.tolerances"
)

var supportedTolerances = []string{
	tolerances + ".median_should_be_below", tolerances + ".median_should_be_above",
	tolerances + ".percentile_should_be_below", tolerances + ".percentile_should_be_above",
}

func (p provider) sound() error {
	switch p.Type {
	case "http":
		if p.URL == "" {
			return errors.New("url: is missing")
		}
		return nil
	case "process":
		if p.Path == "" {
			return errors.New("path: is missing")
		}
		return nil
	case "python":
		name := p.Module + "." + p.Func
		known := append([]string{probes + ".run_script", probes + ".run_script_from_local_file"}, supportedTolerances...)
		for _, k := range known {
			if k == name {
				return nil
			}
		}
		return fmt.Errorf("provider python %s: unsupported\nhint: supported: http, process, %s", name, strings.Join(known, ", "))
	}
	return fmt.Errorf("provider %s: unsupported\nhint: supported: http, process, python with chaospixie", p.Type)
}

var placeholder = regexp.MustCompile(`\$\{([^}]+)\}`)

// fill replaces ${name} by the configuration's or a secret's value.
func (e *Experiment) fill(v any) any {
	switch v := v.(type) {
	case string:
		return placeholder.ReplaceAllStringFunc(v, func(m string) string {
			name := m[2 : len(m)-1]
			if c, ok := e.config[name]; ok {
				return fmt.Sprint(c)
			}
			for _, values := range e.secret {
				if s, ok := values[name]; ok {
					return fmt.Sprint(s)
				}
			}
			return m
		})
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = e.fill(v[i])
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for k := range v {
			out[k] = e.fill(v[k])
		}
		return out
	}
	return v
}
