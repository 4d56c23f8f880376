// Package table holds what was seen, or what a script made of it: named, typed columns of equal length.
//
//	http_events   time_ TIME64NS   latency INT64   req_path STRING   …
//	              1700000000…      1203441         "/"
//	              1700000001…       998120         "/a"
//
// Types are those of Pixie's data tables (docs.px.dev, "Data Tables"); times and durations are in nanoseconds, times
// since 1970.
//
//	t := table.New("http_events", table.Spec{Name: "latency", Type: table.Int64})
//	t.Columns[0].Ints = append(t.Columns[0].Ints, 1203441)
package table

import (
	"fmt"
	"strings"
)

// Type is what a column holds. The numbers are those of Pixie's API.
type Type int

// The types.
const (
	Unknown  Type = 0
	Boolean  Type = 1
	Int64    Type = 2
	Uint128  Type = 3 // kept as text
	Float64  Type = 4
	String   Type = 5
	Time64NS Type = 6
)

// String names the type as Pixie's documentation does.
func (t Type) String() string {
	switch t {
	case Boolean:
		return "BOOLEAN"
	case Int64:
		return "INT64"
	case Uint128:
		return "UINT128"
	case Float64:
		return "FLOAT64"
	case String:
		return "STRING"
	case Time64NS:
		return "TIME64NS"
	}
	return "UNKNOWN"
}

// Column is one column: the slice of its type holds its values.
type Column struct {
	Name    string
	Type    Type
	Bools   []bool
	Ints    []int64 // Int64, Time64NS
	Floats  []float64
	Strings []string // String, Uint128
}

// Len is the number of values.
func (c *Column) Len() int {
	switch c.Type {
	case Boolean:
		return len(c.Bools)
	case Int64, Time64NS:
		return len(c.Ints)
	case Float64:
		return len(c.Floats)
	}
	return len(c.Strings)
}

// At gives a value as bool, int64, float64 or string.
func (c *Column) At(row int) any {
	switch c.Type {
	case Boolean:
		return c.Bools[row]
	case Int64, Time64NS:
		return c.Ints[row]
	case Float64:
		return c.Floats[row]
	}
	return c.Strings[row]
}

// Number gives a value as a number; ok is false for text.
func (c *Column) Number(row int) (v float64, ok bool) {
	switch v := c.At(row).(type) {
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// Append adds a value; one of another type is an error.
func (c *Column) Append(v any) error {
	switch v := v.(type) {
	case bool:
		if c.Type == Boolean {
			c.Bools = append(c.Bools, v)
			return nil
		}
	case int64:
		if c.Type == Int64 || c.Type == Time64NS {
			c.Ints = append(c.Ints, v)
			return nil
		}
	case float64:
		if c.Type == Float64 {
			c.Floats = append(c.Floats, v)
			return nil
		}
	case string:
		if c.Type == String || c.Type == Uint128 {
			c.Strings = append(c.Strings, v)
			return nil
		}
	}
	return fmt.Errorf("column %s: %v (%T) is no %s", c.Name, v, v, c.Type)
}

// first gives the column cut to n values, which later appends leave alone.
func (c *Column) first(n int) *Column {
	out := &Column{Name: c.Name, Type: c.Type}
	switch c.Type {
	case Boolean:
		out.Bools = c.Bools[:n:n]
	case Int64, Time64NS:
		out.Ints = c.Ints[:n:n]
	case Float64:
		out.Floats = c.Floats[:n:n]
	default:
		out.Strings = c.Strings[:n:n]
	}
	return out
}

// Table is a named set of columns of equal length. Context are columns that a script sees only as df.ctx['service'].
type Table struct {
	Name    string
	Columns []*Column
	Context []*Column
}

// Spec is a column's name and type.
type Spec struct {
	Name string
	Type Type
}

// New makes a table without rows.
func New(name string, columns ...Spec) *Table {
	t := &Table{Name: name}
	for _, s := range columns {
		t.Columns = append(t.Columns, &Column{Name: s.Name, Type: s.Type})
	}
	return t
}

// Rows is the number of rows.
func (t *Table) Rows() int {
	if len(t.Columns) == 0 {
		return 0
	}
	return t.Columns[0].Len()
}

// Column finds a column, or gives nil.
func (t *Table) Column(name string) *Column {
	for _, c := range t.Columns {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Names lists the columns' names, for a message.
func (t *Table) Names() string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return strings.Join(names, ", ")
}

// Snapshot gives the rows so far. It shares their memory, and appends to t leave it alone.
func (t *Table) Snapshot() *Table {
	n := t.Rows()
	out := &Table{Name: t.Name}
	for _, c := range t.Columns {
		out.Columns = append(out.Columns, c.first(n))
	}
	for _, c := range t.Context {
		out.Context = append(out.Context, c.first(n))
	}
	return out
}
