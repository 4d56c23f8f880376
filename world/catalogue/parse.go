package catalogue

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"
)

// Origin says where a text of YAML comes from.
type Origin struct {
	File string // for errors: a path, or "built in"
	Line int    // the line of File that is the text's first (a doc string in a feature); 0 counts as 1
	Base string // the folder that relative paths in it start at
}

func (o Origin) line(n int) int { return max(o.Line, 1) + n - 1 }

// Parse reads one service. Where name is not empty it stands in for a missing `name:`, and another name is refused.
// The error holds every mistake found, each an *Error.
func Parse(origin Origin, name string, text []byte) (*Service, error) {
	docs, d, err := parseYAML(origin, text)
	if err != nil {
		return nil, err
	}
	if len(docs) != 1 {
		return nil, &Error{File: origin.File, Line: origin.line(1), Column: 1, Problem: fmt.Sprintf("holds %d services", len(docs)), Expected: "one mapping with name, image, …"}
	}
	s := d.service(docs[0], "", name)
	if len(d.mistakes) > 0 {
		return nil, inOrder(d.mistakes)
	}
	return s, nil
}

// ParseAll reads the doc string of `a cluster running:`: one service, a list of services, or several documents.
// The error holds every mistake found, each an *Error.
func ParseAll(origin Origin, text []byte) ([]*Service, error) {
	docs, d, err := parseYAML(origin, text)
	if err != nil {
		return nil, err
	}
	var all []*Service
	byName := map[string]bool{}
	add := func(n ast.Node, field string) {
		s := d.service(n, field, "")
		if byName[s.Name] && s.Name != "" {
			d.fail(n, join(field, "name"), fmt.Sprintf("a second service %q", s.Name), "one of each name", "")
		}
		byName[s.Name] = true
		all = append(all, s)
	}
	for _, doc := range docs {
		if _, isList := d.resolve(doc).(*ast.SequenceNode); isList {
			d.list(doc, "", "", func(n ast.Node, field string) { add(n, "services"+field) })
			continue
		}
		add(doc, "")
	}
	if len(d.mistakes) > 0 {
		return nil, inOrder(d.mistakes)
	}
	if len(all) == 0 {
		return nil, &Error{File: origin.File, Line: origin.line(1), Column: 1, Problem: "holds no service", Expected: "a mapping with name, image, …, or a list of such"}
	}
	return all, nil
}
