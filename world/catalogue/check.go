package catalogue

import (
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// check is a template to be tried.
type check struct {
	node     ast.Node
	field    string
	template *Template
	kind     dataKind
}

// try fills every template in with the data of a made-up cluster, and notes those that fail.
func (d *decoder) try(s *Service) {
	data := samples(s)
	for _, c := range d.checks {
		for _, sample := range data {
			if err := c.run(sample); err != nil {
				d.failTemplate(c, err)
				break
			}
		}
	}
}

func (c check) run(sample Data) error {
	op := OpData{Data: sample, Key: "key", Value: "value", Expect: "expected", Keys: []string{"key"}, Changes: []Change{{"key", "expected", "value"}}, Target: sample.Peers[0]}
	var made string
	var err error
	switch c.kind {
	case nodeData:
		made, err = c.template.Execute(sample)
	case opData:
		made, err = c.template.Execute(op)
	case pathData:
		made, err = c.template.ExecutePath(op)
		if err == nil && !strings.HasPrefix(made, "/") {
			err = fmt.Errorf("is %q, expected a path that begins with /", shorten(made))
		}
	}
	if err == nil && strings.ContainsRune(made, 0) {
		err = fmt.Errorf("makes a NUL byte")
	}
	return err
}

var (
	// templateError is how text/template words its errors: the template's name, the line in it, for one that ran the column.
	templateError = regexp.MustCompile(`(?s)^template: .*?:(\d+)(?::\d+)?: (?:executing ".*?" at (<.*?>): )?(.*)$`)
	unknownField  = regexp.MustCompile(`can't evaluate field (\S+) in type (\S+)`)
)

// failTemplate notes a template's error at its line of the YAML file.
func (d *decoder) failTemplate(c check, err error) {
	problem, hint, offset := err.Error(), "", 0
	if m := templateError.FindStringSubmatch(problem); m != nil {
		if line, err := strconv.Atoi(m[1]); err == nil {
			offset = line - 1
		}
		problem = m[3]
		if m[2] != "" {
			problem = m[2] + ": " + problem
		}
	}
	if m := unknownField.FindStringSubmatch(problem); m != nil {
		names := fieldsOf(m[2])
		where, _, _ := strings.Cut(problem, ": ")
		problem = fmt.Sprintf("%s: there is no %s here, only %s", where, m[1], strings.Join(names, ", "))
		hint = didYouMean(m[1], names)
	}
	d.fail(c.node, c.field, "the template fails: "+problem, "", hint)
	mistake := d.mistakes[len(d.mistakes)-1]
	switch {
	case d.isBlock(c.node):
		mistake.Line, mistake.Column = mistake.Line+1+offset, 1
	case offset > 0:
		mistake.Line += offset
	}
}

// isBlock tells whether a text is written as a block: | or >, so that it begins on the next line.
func (d *decoder) isBlock(n ast.Node) bool {
	_, block := d.resolve(n).(*ast.LiteralNode)
	return block
}

// fieldsOf lists what a template can name in a value of the type.
func fieldsOf(typeName string) []string {
	types := map[string]reflect.Type{}
	for _, v := range []any{Data{}, OpData{}, Node{}} {
		types[reflect.TypeOf(v).String()] = reflect.TypeOf(v)
	}
	t, ok := types[strings.TrimPrefix(typeName, "*")]
	if !ok {
		return []string{"no fields"}
	}
	var names []string
	for _, f := range reflect.VisibleFields(t) {
		if f.IsExported() && !f.Anonymous {
			names = append(names, f.Name)
		}
	}
	for i := range t.NumMethod() {
		names = append(names, t.Method(i).Name)
	}
	return sorted(names)
}
