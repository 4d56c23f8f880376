package pxl

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.starlark.net/syntax"

	"brine.test/brine/observe/table"
)

// Script is a script, and functions of it to call after it: Pixie's own scripts are called so.
type Script struct {
	Name   string // for errors: "latency.py"
	Source string
	Calls  []Call
}

// Call calls a function of the script. A DataFrame that it returns becomes the table Output ("output" when empty).
type Call struct {
	Func, Output string
	Args         map[string]string
}

// Env is what a script sees.
type Env struct {
	Tables   map[string]*table.Table
	Now      time.Time         // zero: now
	Pods     map[string]string // address → pod
	Services map[string]string // pod → service
}

// Result holds the tables that a script displayed.
type Result struct {
	Tables []*table.Table // in the order of display
}

// DefaultTable is the name of a table that is displayed without one.
const DefaultTable = "output"

// Table finds a displayed table by its name ("" is "output"), or says which there are.
func (r *Result) Table(name string) (*table.Table, error) {
	if name == "" {
		name = DefaultTable
	}
	var names []string
	for _, t := range r.Tables {
		if t.Name == name {
			return t, nil
		}
		names = append(names, t.Name)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("table %q: the script displayed none\nhint: end it with px.display(df)", name)
	}
	return nil, fmt.Errorf("table %q: the script displayed %s", name, strings.Join(names, ", "))
}

// Error is a script's error, with its place.
type Error struct {
	Script    string
	Line, Col int
	Msg       string
	Hint      string
}

// Error says place, message and hint.
func (e *Error) Error() string {
	s := fmt.Sprintf("%s:%d:%d: %s", e.Script, e.Line, e.Col, e.Msg)
	if e.Hint != "" {
		s += "\nhint: " + e.Hint
	}
	return s
}

// Check parses a script without running it.
func Check(s Script) error {
	_, err := parse(s)
	return err
}

func parse(s Script) (*syntax.File, error) {
	name := s.Name
	if name == "" {
		name = "script"
	}
	f, err := syntax.LegacyFileOptions().Parse(name, prepare(s.Source), 0)
	if err == nil {
		return f, nil
	}
	var bad syntax.Error
	if errors.As(err, &bad) {
		return nil, &Error{Script: name, Line: int(bad.Pos.Line), Col: int(bad.Pos.Col), Msg: bad.Msg}
	}
	return nil, fmt.Errorf("%s: %w", name, err)
}

// Run runs a script. Its errors are *Error, or the context's.
func Run(ctx context.Context, s Script, env Env) (result *Result, err error) {
	f, err := parse(s)
	if err != nil {
		return nil, err
	}
	if env.Now.IsZero() {
		env.Now = time.Now()
	}
	m := &machine{ctx: ctx, script: f.Path, env: env, result: &Result{}}
	defer func() {
		p := recover()
		var failed *Error
		switch p := p.(type) {
		case nil:
		case *Error:
			failed = p
		case stopped:
			err = p.err
		default:
			panic(p)
		}
		if failed != nil {
			result, err = nil, failed
		}
	}()
	top := &scope{names: map[string]value{}}
	m.block(f.Stmts, top)
	for _, c := range s.Calls {
		m.callNamed(c, top)
	}
	return m.result, nil
}

// callNamed calls a function from outside, as Pixie's vis.json does.
func (m *machine) callNamed(c Call, top *scope) {
	at := syntax.Position{}
	f, ok := top.names[c.Func].(*function)
	if !ok {
		m.fail(at, fmt.Sprintf("%s: the script has no such function", c.Func), "")
	}
	args := arguments{at: at, named: map[string]value{}}
	for _, name := range slices.Sorted(maps.Keys(c.Args)) {
		args.named[name] = c.Args[name]
	}
	if df, ok := m.invoke(f, args).(*frame); ok {
		m.show(df, c.Output)
	}
}
