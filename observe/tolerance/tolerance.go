// Package tolerance judges a column of a table as chaostoolkit-pixie does: median_should_be_below and its kin.
//
//	values 10 20 30 … of the rows whose target matches ──► median, or percentile ──► ≤ or ≥ the threshold
//
// The percentile is Python's statistics.quantiles(values, n=100)[p-1], the exclusive method: with few values it lies
// beyond the largest one. Bounds are included. Too few values are an error, never a pass.
//
//	holds, err := tolerance.Rule{Column: "latency_p99", Percentile: 99, Unit: "milliseconds", Below: true, Threshold: 300}.Judge(t)
package tolerance

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"brine.test/brine/observe/table"
)

// Rule is one tolerance.
type Rule struct {
	Column     string
	Percentile int    // 1 to 99; 0: the median
	Unit       string // the column is in nanoseconds and turned into "seconds", "milliseconds" or "microseconds"; "": left alone
	Below      bool   // or equal; else above or equal
	Threshold  float64
	Target     *Target // nil: all rows
}

// Target picks rows: those whose column matches from its begin, as Python's re.match does. A table without that column
// is taken whole, as chaostoolkit-pixie takes it. A strict one matches anywhere, as sentences do, and wants the column,
// and a row that matches.
type Target struct {
	Column, Pattern string
	Strict          bool
}

// Verdict is what a rule found.
type Verdict struct {
	Value  float64 // in the rule's unit
	Values int     // how many it was computed of
	Holds  bool
}

// ErrTooFew says that there are not enough values: one for a median, two for a percentile.
var ErrTooFew = errors.New("too few values")

var perUnit = map[string]float64{"": 1, "seconds": 1e9, "milliseconds": 1e6, "microseconds": 1e3}

// Judge computes the rule's value of a table.
func (r Rule) Judge(t *table.Table) (Verdict, error) {
	values, err := r.Values(t)
	if err != nil {
		return Verdict{}, err
	}
	v := Verdict{Values: len(values)}
	if r.Percentile == 0 {
		v.Value, err = Median(values)
	} else {
		v.Value, err = Percentile(values, r.Percentile)
	}
	if err != nil {
		return v, fmt.Errorf("column %s: %w", r.Column, err)
	}
	if r.Below {
		v.Holds = v.Value <= r.Threshold
	} else {
		v.Holds = v.Value >= r.Threshold
	}
	return v, nil
}

// Values gives the numbers that the rule is about, in its unit.
func (r Rule) Values(t *table.Table) ([]float64, error) {
	per, ok := perUnit[r.Unit]
	if !ok {
		return nil, fmt.Errorf("unit %q: expected seconds, milliseconds or microseconds", r.Unit)
	}
	c := t.Column(r.Column)
	if c == nil {
		return nil, fmt.Errorf("column %q: table %s has no such column\nhint: it has %s", r.Column, t.Name, t.Names())
	}
	match, err := r.Target.rows(t)
	if err != nil {
		return nil, err
	}
	var values []float64
	for row := range c.Len() {
		if !match(row) {
			continue
		}
		v, ok := c.Number(row)
		if !ok {
			return nil, fmt.Errorf("column %q: holds text, not numbers", r.Column)
		}
		values = append(values, v/per)
	}
	if len(values) == 0 && c.Len() > 0 && r.Target != nil && r.Target.Strict {
		return nil, fmt.Errorf("no row's %q matches %q: %w\nhint: there is %s", r.Target.Column, r.Target.Pattern, ErrTooFew, some(t.Column(r.Target.Column)))
	}
	return values, nil
}

// rows makes the function that tells whether a row is meant.
func (a *Target) rows(t *table.Table) (func(row int) bool, error) {
	if a == nil {
		return func(int) bool { return true }, nil
	}
	pattern := a.Pattern
	if !a.Strict {
		pattern = `^(?:` + pattern + `)`
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("target %q: %w", a.Pattern, err)
	}
	by := t.Column(a.Column)
	switch {
	case by == nil && a.Strict:
		return nil, fmt.Errorf("column %q: table %s has no such column\nhint: it has %s", a.Column, t.Name, t.Names())
	case by == nil:
		return func(int) bool { return true }, nil
	}
	return func(row int) bool { return re.MatchString(fmt.Sprint(by.At(row))) }, nil
}

// mostShown is how many values of a column an error shows.
const mostShown = 8

// some shows what is in a column.
func some(c *table.Column) string {
	var shown []string
	for row := range c.Len() {
		v := strconv.Quote(fmt.Sprint(c.At(row)))
		if slices.Contains(shown, v) {
			continue
		}
		if len(shown) == mostShown {
			shown = append(shown, "…")
			break
		}
		shown = append(shown, v)
	}
	return strings.Join(shown, ", ")
}

// Median is Python's statistics.median.
func Median(values []float64) (float64, error) {
	n := len(values)
	if n == 0 {
		return 0, fmt.Errorf("median of no value: %w", ErrTooFew)
	}
	v := slices.Sorted(slices.Values(values))
	if n%2 == 1 {
		return v[n/2], nil
	}
	return (v[n/2-1] + v[n/2]) / 2, nil
}

// Percentile is Python's statistics.quantiles(values, n=100)[p-1], method "exclusive" (Hyndman and Fan 1996, type 6).
func Percentile(values []float64, p int) (float64, error) {
	if p < 1 || p > 99 {
		return 0, fmt.Errorf("percentile %d: expected 1 to 99", p)
	}
	n := len(values)
	if n < 2 {
		return 0, fmt.Errorf("percentile of %d values, at least 2 are needed: %w", n, ErrTooFew)
	}
	v := slices.Sorted(slices.Values(values))
	m := n + 1
	j := min(max(p*m/100, 1), n-1)
	delta := float64(p*m - j*100)
	q := (v[j-1]*(100-delta) + v[j]*delta) / 100
	if math.IsNaN(q) {
		return 0, fmt.Errorf("percentile: a value is no number")
	}
	return q, nil
}
