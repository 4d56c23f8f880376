package world

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"brine.test/brine/observe/pxl"
	"brine.test/brine/observe/tolerance"
	"brine.test/brine/world/record"
	files "brine.test/brine/world/source"
)

// RunPxL runs a PxL script, on what was seen in this scenario or on the Pixie cluster that was named. Its tables are
// artifacts, and what the next sentences judge.
func (w *World) RunPxL(ctx context.Context, name, source string) error {
	script := pxl.Script{Name: name, Source: source}
	result, err := w.runScript(ctx, script)
	if err != nil {
		return err
	}
	w.sight.mu.Lock()
	w.sight.script, w.sight.result = &script, result
	w.sight.mu.Unlock()
	var errs []error
	for _, t := range result.Tables {
		errs = append(errs, w.keepTable(t, w.nextID("pxl")+"-"+fileName(t.Name)))
	}
	return errors.Join(errs...)
}

// fileName makes a table's name one of a file.
func fileName(name string) string {
	out := []rune(name)
	for i, r := range out {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' {
			out[i] = '_'
		}
	}
	return string(out)
}

// RunPxLFile runs the script in a file.
func (w *World) RunPxLFile(ctx context.Context, path string) error {
	if !filepath.IsAbs(path) {
		path = filepath.Join(w.baseDir, path)
	}
	text, err := files.Read("PxL script", path)
	if err != nil {
		return err
	}
	return w.RunPxL(ctx, filepath.Base(path), string(text))
}

func (w *World) runScript(ctx context.Context, s pxl.Script) (*pxl.Result, error) {
	w.sight.mu.Lock()
	elsewhere := w.sight.pixie
	w.sight.mu.Unlock()
	if elsewhere != nil {
		return elsewhere(ctx, s)
	}
	t, err := w.seen(ctx)
	if err != nil {
		return nil, err
	}
	services := map[string]string{}
	for _, n := range w.allNodes() {
		if len(n.services) > 0 {
			space := n.cluster.display() + "/"
			services[space+n.Name] = space + n.services[0].Name
		}
	}
	return pxl.Run(ctx, s, pxl.Env{Tables: t.Named(), Now: time.Now(), Pods: t.Pods, Services: services})
}

// Tolerance is a judgement of a column of the last script's result.
type Tolerance struct {
	Rule  tolerance.Rule
	Table string // "" is "output"
}

// Judge judges the last script's result. With a bound the script is run again for each look.
func (w *World) Judge(ctx context.Context, t Tolerance, b Bound) error {
	w.sight.mu.Lock()
	script, result := w.sight.script, w.sight.result
	w.sight.mu.Unlock()
	if result == nil {
		return errors.New("no PxL script was run yet\nhint: say before it: I run the PxL script \"latency.py\"")
	}
	if b.Kind == Now {
		return w.judgeResult(t, result)
	}
	return w.Check(ctx, b, func(ctx context.Context) error {
		result, err := w.runScript(ctx, *script)
		if err != nil {
			return err
		}
		return w.judgeResult(t, result)
	})
}

func (w *World) judgeResult(t Tolerance, result *pxl.Result) error {
	rows, err := result.Table(t.Table)
	if err != nil {
		return err
	}
	name := "median"
	if t.Rule.Percentile > 0 {
		name = fmt.Sprintf("percentile %d", t.Rule.Percentile)
	}
	name = fmt.Sprintf("%s of column %s", name, t.Rule.Column)
	v, err := t.Rule.Judge(rows)
	if err != nil {
		err = fmt.Errorf("table %s of %d rows: %w", rows.Name, rows.Rows(), err)
		w.rec.Check(record.Check{Kind: "tolerance", Name: name, Detail: err.Error()})
		return err
	}
	unit := t.Rule.Unit
	if unit != "" {
		unit = " " + unit
	}
	words := Limit{Below: t.Rule.Below}.words()
	detail := fmt.Sprintf("%g%s of %d values, expected %s %g", v.Value, unit, v.Values, words, t.Rule.Threshold)
	w.rec.Check(record.Check{Kind: "tolerance", Name: name, OK: v.Holds, Detail: detail})
	w.rec.Sample(record.Sample{Series: name, Unit: t.Rule.Unit, Value: v.Value})
	if !v.Holds {
		return fmt.Errorf("%s: expected %s %g%s, got %g%s (of %d values)", name, words, t.Rule.Threshold, unit, v.Value, unit, v.Values)
	}
	return nil
}
