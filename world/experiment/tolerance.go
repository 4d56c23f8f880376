package experiment

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strings"

	"github.com/tidwall/gjson"

	"brine.test/brine/observe/table"
	"brine.test/brine/observe/tolerance"
)

// within judges an activity's output as Chaos Toolkit does; judged tells what was found.
func (e *Experiment) within(t any, run *Activity) (met bool, judged string, err error) {
	value := run.Output
	status, hasStatus := statusOf(value)
	switch t := t.(type) {
	case bool, string:
		return value == t, fmt.Sprintf("expected %v, got %v", t, value), nil
	case float64:
		if hasStatus {
			return status == t, fmt.Sprintf("expected status %v, got %v", t, status), nil
		}
		return value == t, fmt.Sprintf("expected %v, got %v", t, value), nil
	case []any:
		if hasStatus {
			value = status
			for _, x := range t {
				if x == value {
					return true, "", nil
				}
			}
			return false, fmt.Sprintf("expected a status of %v, got %v", t, status), nil
		}
		if low, high, ok := pair(t); ok {
			v, isNumber := value.(float64)
			return isNumber && v >= low && v <= high, fmt.Sprintf("expected %v to %v, got %v", low, high, value), nil
		}
		for _, x := range t {
			if reflect.DeepEqual(x, value) {
				return true, "", nil
			}
		}
		return false, fmt.Sprintf("expected one of %v, got %v", t, value), nil
	case map[string]any:
		return e.withinMap(t, run)
	}
	return false, "", fmt.Errorf("tolerance %v: unsupported", t)
}

func statusOf(v any) (float64, bool) {
	m, ok := v.(map[string]any)
	if !ok {
		return 0, false
	}
	n, ok := m["status"].(int)
	return float64(n), ok
}

func pair(t []any) (low, high float64, ok bool) {
	if len(t) != 2 {
		return 0, 0, false
	}
	low, ok1 := t[0].(float64)
	high, ok2 := t[1].(float64)
	return low, high, ok1 && ok2
}

func (e *Experiment) withinMap(t map[string]any, run *Activity) (bool, string, error) {
	value := run.Output
	if target, ok := t["target"].(string); ok && t["type"] != "probe" {
		if m, ok := value.(map[string]any); ok && m[target] != nil {
			value = m[target]
		}
	}
	text, isText := value.(string)
	if !isText {
		text = asJSON(value)
	}
	switch t["type"] {
	case "probe":
		return e.pixieTolerance(t, run.table)
	case "regex":
		re, err := regexp.Compile(fmt.Sprint(e.fill(t["pattern"])))
		if err != nil {
			return false, "", err
		}
		return re.MatchString(text), fmt.Sprintf("expected a match of %s, got %s", re, text), nil
	case "range":
		list, _ := t["range"].([]any)
		low, high, ok := pair(list)
		if !ok {
			return false, "", fmt.Errorf("tolerance range: two numbers are expected")
		}
		var v float64
		if _, err := fmt.Sscan(text, &v); err != nil {
			return false, fmt.Sprintf("expected a number from %v to %v, got %s", low, high, text), nil
		}
		return v >= low && v <= high, fmt.Sprintf("expected %v to %v, got %v", low, high, v), nil
	case "jsonpath":
		path, ok := strings.CutPrefix(fmt.Sprint(e.fill(t["path"])), "$.")
		if !ok || strings.ContainsAny(path, "?*@") || strings.Contains(path, "..") {
			return false, "", fmt.Errorf("tolerance jsonpath %v: unsupported\nhint: $.a.b[0]", t["path"])
		}
		found := gjson.Get(text, strings.NewReplacer("[", ".", "]", "").Replace(path))
		if count, ok := t["count"].(float64); ok && t["expect"] == nil { // such a path finds one value, or none
			return found.Exists() == (count == 1) && count <= 1, fmt.Sprintf("expected %v at %v, got %s", count, t["path"], found.Raw), nil
		}
		if expect, ok := t["expect"]; ok {
			if list, isList := expect.([]any); isList && len(list) == 1 {
				expect = list[0]
			}
			return reflect.DeepEqual(found.Value(), expect), fmt.Sprintf("expected %v at %v, got %s", expect, t["path"], found.Raw), nil
		}
		return found.Exists(), fmt.Sprintf("expected something at %v", t["path"]), nil
	}
	return false, "", fmt.Errorf("tolerance of type %v: unsupported\nhint: probe, regex, range, jsonpath", t["type"])
}

// pixieTolerance is one of chaospixie.tolerances. "treshold" is how that package spells it.
func (e *Experiment) pixieTolerance(t map[string]any, rows *table.Table) (bool, string, error) {
	var a struct {
		Provider struct {
			Func      string `json:"func"`
			Arguments struct {
				Column     string   `json:"column"`
				Threshold  float64  `json:"treshold"`
				Percentile *int     `json:"percentile"`
				Unit       string   `json:"convert_from_nanoseconds"`
				Target     []string `json:"target"`
			} `json:"arguments"`
		} `json:"provider"`
	}
	if err := json.Unmarshal([]byte(asJSON(e.fill(t))), &a); err != nil {
		return false, "", fmt.Errorf("tolerance: %w", err)
	}
	if rows == nil {
		return false, "", fmt.Errorf("tolerance %s: the probe gave no table", a.Provider.Func)
	}
	args := a.Provider.Arguments
	rule := tolerance.Rule{Column: args.Column, Unit: args.Unit, Threshold: args.Threshold, Below: strings.HasSuffix(a.Provider.Func, "below")}
	name := "median"
	if strings.HasPrefix(a.Provider.Func, "percentile") {
		rule.Percentile = 99
		if args.Percentile != nil {
			rule.Percentile = *args.Percentile
		}
		name = fmt.Sprintf("percentile %d", rule.Percentile)
	}
	if len(args.Target) == 2 {
		rule.Target = &tolerance.Target{Column: args.Target[0], Pattern: args.Target[1]}
	}
	v, err := rule.Judge(rows)
	if err != nil {
		return false, "", err
	}
	words := "at least"
	if rule.Below {
		words = "at most"
	}
	return v.Holds, fmt.Sprintf("%s of %s: expected %s %g, got %g %s (of %d values)", name, rule.Column, words, rule.Threshold, v.Value, rule.Unit, v.Values), nil
}

func asJSON(v any) string {
	b, err := json.Marshal(numbers(v))
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// numbers makes values that JSON cannot hold text.
func numbers(v any) any {
	if f, ok := v.(float64); ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
		return fmt.Sprint(f)
	}
	return v
}
