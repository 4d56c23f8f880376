package experiment

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// strategies tell when the hypothesis is checked and whether rollbacks are made, as an experiment's "runtime" has it.
type strategies struct {
	before, after bool   // the method
	rollbacks     string // default, always, never, deviated
}

type runtimeWishes struct {
	Hypothesis struct {
		Strategy string `json:"strategy"`
	} `json:"hypothesis"`
	Rollbacks struct {
		Strategy string `json:"strategy"`
	} `json:"rollbacks"`
}

func (w runtimeWishes) read() (strategies, error) {
	out := strategies{before: true, after: true, rollbacks: w.Rollbacks.Strategy}
	switch w.Hypothesis.Strategy {
	case "", "default":
	case "before-method-only":
		out.after = false
	case "after-method-only":
		out.before = false
	case "skip":
		out.before, out.after = false, false
	default:
		return out, fmt.Errorf("runtime.hypothesis.strategy %s: unsupported\nhint: default, before-method-only, after-method-only, skip", w.Hypothesis.Strategy)
	}
	switch out.rollbacks {
	case "":
		out.rollbacks = "default"
	case "default", "always", "never", "deviated":
	default:
		return out, fmt.Errorf("runtime.rollbacks.strategy %s: unsupported\nhint: default, always, never, deviated", out.rollbacks)
	}
	return out, nil
}

// rollBack tells whether rollbacks are made after such a run, as Chaos Toolkit decides it.
func (s strategies) rollBack(j *Journal) bool {
	switch s.rollbacks {
	case "always":
		return true
	case "deviated":
		return j.Deviated
	case "default":
		return j.Status != "failed" && j.Status != "interrupted"
	}
	return false
}

// controls counts the controls of activities.
func (e *Experiment) controls() int {
	n := 0
	for _, as := range [][]*activity{e.before, e.method, e.undo} {
		for _, a := range as {
			n += len(a.Controls)
		}
	}
	return n
}

// typed turns an environment variable's text into what "env_var_type" says.
func typed(key, text string, want any) (value any, err error) {
	switch want {
	case nil, "str", "string", "bytes":
		return text, nil
	case "int", "integer":
		value, err = strconv.ParseFloat(strings.TrimSpace(text), 64)
		if f, ok := value.(float64); err == nil && ok && f != float64(int64(f)) {
			err = fmt.Errorf("%q is no whole number", text)
		}
	case "float", "number":
		value, err = strconv.ParseFloat(strings.TrimSpace(text), 64)
	case "bool", "boolean":
		value, err = strconv.ParseBool(strings.ToLower(text))
	case "json":
		err = json.Unmarshal([]byte(text), &value)
	default:
		return nil, fmt.Errorf("env_var_type %v: unsupported\nhint: str, int, float, bool, json", want)
	}
	if err != nil {
		return nil, fmt.Errorf("%s in the environment: expected %v: %w", key, want, err)
	}
	return value, nil
}
