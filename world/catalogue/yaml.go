package catalogue

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// decoder walks one YAML text and notes every mistake with its place, instead of stopping at the first.
type decoder struct {
	source   Origin
	anchors  map[string]ast.Node
	mistakes []*Error
	checks   []check // the templates to try once the service is read
}

// parseYAML reads the text's documents; a syntax error has its place. The parser's panics on odd input become errors.
func parseYAML(source Origin, text []byte) (docs []ast.Node, d *decoder, err error) {
	d = &decoder{source: source, anchors: map[string]ast.Node{}}
	defer func() {
		if r := recover(); r != nil {
			docs, err = nil, &Error{File: source.File, Line: source.line(1), Column: 1, Problem: "not YAML", Expected: "a service file"}
		}
	}()
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, nil, d.syntax(err)
	}
	for _, doc := range file.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.CommentType || doc.Body.Type() == ast.CommentGroupType {
			continue
		}
		ast.Walk(d, doc.Body)
		docs = append(docs, doc.Body)
	}
	return docs, d, nil
}

// Visit collects the anchors, for ast.Walk.
func (d *decoder) Visit(n ast.Node) ast.Visitor {
	if a, ok := n.(*ast.AnchorNode); ok {
		d.anchors[a.Name.GetToken().Value] = a.Value
	}
	return d
}

func (d *decoder) syntax(err error) error {
	mistake := &Error{File: d.source.File, Line: d.source.line(1), Column: 1, Problem: err.Error()}
	var syntax *yaml.SyntaxError
	if errors.As(err, &syntax) {
		mistake.Problem = syntax.Message
		if syntax.Token != nil && syntax.Token.Position != nil {
			mistake.Line, mistake.Column = d.source.line(syntax.Token.Position.Line), syntax.Token.Position.Column
		}
	}
	mistake.Problem = "not YAML: " + mistake.Problem
	if strings.Contains(mistake.Problem, "flow map") {
		mistake.Hint = `text that begins with { or {{ needs quotes: "{{.Node.Name}}"`
	}
	return mistake
}

// fail notes a mistake at a node.
func (d *decoder) fail(n ast.Node, field, problem, expected, hint string) {
	line, column := d.place(n)
	d.mistakes = append(d.mistakes, &Error{File: d.source.File, Line: line, Column: column, Field: field, Problem: problem, Expected: expected, Hint: hint})
}

// place is where a node begins in the file.
func (d *decoder) place(n ast.Node) (line, column int) {
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		n = m.Values[0].Key
	}
	t := n.GetToken()
	if t == nil || t.Position == nil {
		return d.source.line(1), 1
	}
	return d.source.line(t.Position.Line), t.Position.Column
}

// resolve looks through anchors, aliases and tags. An alias of itself resolves to nothing.
func (d *decoder) resolve(n ast.Node) ast.Node {
	for range 32 {
		switch v := n.(type) {
		case *ast.AnchorNode:
			n = v.Value
		case *ast.TagNode:
			n = v.Value
		case *ast.MappingKeyNode:
			n = v.Value
		case *ast.AliasNode:
			n = d.anchors[v.Value.GetToken().Value]
		default:
			return n
		}
	}
	return nil
}

// kind words what a node is, for errors.
func (d *decoder) kind(n ast.Node) string {
	switch v := d.resolve(n).(type) {
	case nil, *ast.NullNode:
		return "nothing"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.IntegerNode, *ast.FloatNode:
		return "the number " + v.GetToken().Value
	case *ast.BoolNode:
		return v.GetToken().Value
	case *ast.StringNode:
		return "the text " + strconv.Quote(shorten(v.Value))
	}
	return "text"
}

func shorten(text string) string {
	if r := []rune(text); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return text
}

// entry is one key of a mapping and its value.
type entry struct {
	key   string
	node  ast.Node // the key, for its place
	value ast.Node
}

// entries are a mapping's, in the file's order; what << merges in comes last and never overrides. ok is false, and the
// mistake noted, when the node is no mapping.
func (d *decoder) entries(n ast.Node, field, expected string) (found []entry, ok bool) {
	return d.entriesWithin(n, field, expected, 8)
}

func (d *decoder) entriesWithin(n ast.Node, field, expected string, depth int) (found []entry, ok bool) {
	resolved, isMapping := d.resolve(n).(*ast.MappingNode)
	if !isMapping || depth == 0 {
		d.fail(n, field, "is "+d.kind(n), expected, "")
		return nil, false
	}
	seen := map[string]bool{}
	var merged []entry
	for _, v := range resolved.Values {
		if _, merge := v.Key.(*ast.MergeKeyNode); merge {
			more, ok := d.entriesWithin(v.Value, field, expected, depth-1)
			if !ok {
				return nil, false
			}
			merged = append(merged, more...)
			continue
		}
		key, ok := d.scalar(v.Key)
		if !ok {
			d.fail(v.Key, field, "a key is "+d.kind(v.Key), "text", "")
			continue
		}
		seen[key] = true
		found = append(found, entry{key, v.Key, v.Value})
	}
	for _, e := range merged {
		if !seen[e.key] {
			seen[e.key] = true
			found = append(found, e)
		}
	}
	return found, true
}

// scalar is a node's text: a string, or a number or boolean as it is written. Nothing and collections have none.
func (d *decoder) scalar(n ast.Node) (string, bool) {
	switch v := d.resolve(n).(type) {
	case *ast.StringNode:
		return v.Value, true
	case *ast.LiteralNode:
		return v.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return v.GetToken().Value, true
	}
	return "", false
}

// join makes the path of a field below another.
func join(field, key string) string {
	if field == "" {
		return key
	}
	return field + "." + key
}

func at(field string, index int) string { return fmt.Sprintf("%s[%d]", field, index) }
