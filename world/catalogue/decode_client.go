package catalogue

import (
	"fmt"
	"slices"
	"strings"

	"brine.test/brine/world/jsonpath"
	"github.com/goccy/go-yaml/ast"
)

// operations are what a described client may have, and what belongs to each.
var operations = map[Operation]struct {
	method string // of HTTP where the file names none
	value  bool   // it reads a value
}{
	OpWrite:        {"PUT", false},
	OpRead:         {"GET", true},
	OpStaleRead:    {"GET", true},
	OpCAS:          {"PUT", false},
	OpReadAll:      {"GET", true},
	OpChangeAll:    {"POST", false},
	OpLeader:       {"GET", true},
	OpMoveLeader:   {"POST", false},
	OpPosition:     {"GET", true},
	OpHealth:       {"GET", false},
	OpAddMember:    {"POST", false},
	OpRemoveMember: {"POST", false},
}

// client reads client: a built-in one's name, or a mapping of operations.
func (d *decoder) client(n ast.Node, field string, ports map[string]int) *Client {
	expected := fmt.Sprintf("the built-in client %s, or a mapping with write, read, …", list(BuiltinClients, "or"))
	if _, isMapping := d.resolve(n).(*ast.MappingNode); !isMapping {
		name, ok := d.text(n, field, expected)
		if ok && !slices.Contains(BuiltinClients, name) {
			d.fail(n, field, fmt.Sprintf("unknown client %q", name), expected, didYouMean(name, BuiltinClients))
		}
		return &Client{Builtin: name}
	}
	c := &Client{Actions: map[Operation]*Action{}}
	readers := map[string]reader{}
	for op := range operations {
		readers[string(op)] = func(n ast.Node, f string) { c.Actions[op] = d.action(n, f, op, ports) }
	}
	d.mapping(n, field, readers)
	return c
}

// action reads how one operation is done. What says how to take the answer (value, not_found, …) may stand beside http
// and exec, and inside http.
func (d *decoder) action(n ast.Node, field string, op Operation, ports map[string]int) *Action {
	a := &Action{}
	answer := d.answer(a, op)
	readers := map[string]reader{
		"exec": func(n ast.Node, f string) { a.Exec = d.program(n, f, opData) },
		"http": func(n ast.Node, f string) { a.HTTP = d.httpAction(n, f, op, ports, answer) },
	}
	for key, read := range answer {
		readers[key] = read
	}
	there, ok := d.mapping(n, field, readers)
	if !ok {
		return a
	}
	d.exactlyOne(n, field, there, "http", "exec")
	d.checkAnswer(n, field, op, a)
	return a
}

func (d *decoder) httpAction(n ast.Node, field string, op Operation, ports map[string]int, answer map[string]reader) *HTTPAction {
	h := &HTTPAction{Method: operations[op].method, Path: Literal("/")}
	readers := map[string]reader{
		"method":  func(n ast.Node, f string) { h.Method = d.method(n, f) },
		"port":    func(n ast.Node, f string) { h.Port = d.port(n, f, ports) },
		"path":    func(n ast.Node, f string) { h.Path = d.path(n, f, pathData) },
		"headers": func(n ast.Node, f string) { h.Headers = d.headers(n, f, opData) },
		"status":  func(n ast.Node, f string) { h.Status = d.integers(n, f, 100, 599) },
		"body":    func(n ast.Node, f string) { h.Body = d.template(n, f, opData) },
	}
	for key, read := range answer {
		readers[key] = read
	}
	if there, ok := d.mapping(n, field, readers); ok {
		d.onlyPort(n, field, there, ports, &h.Port)
	}
	return h
}

// answer are the readers of what says how to take an answer, as far as they belong to the operation.
func (d *decoder) answer(a *Action, op Operation) map[string]reader {
	readers := map[string]reader{
		"refused": func(n ast.Node, f string) { a.Refused = d.integers(n, f, 1, 599) },
	}
	if operations[op].value {
		readers["value"] = func(n ast.Node, f string) { a.Value = d.value(n, f) }
	}
	switch op {
	case OpLeader:
		readers["term"] = func(n ast.Node, f string) { a.Term = d.value(n, f) }
	case OpRead, OpStaleRead:
		readers["not_found"] = func(n ast.Node, f string) { a.NotFound = d.integers(n, f, 1, 599) }
	}
	return readers
}

// checkAnswer notes what is missing of an action, and what does not belong to how it is done.
func (d *decoder) checkAnswer(n ast.Node, field string, op Operation, a *Action) {
	if a.Value == nil && operations[op].value {
		switch {
		case a.HTTP != nil:
			d.fail(n, join(field, "value"), "is missing", "where the value is: body, json:a.b or header:X-Name", "")
		case a.Exec != nil:
			d.fail(n, join(field, "value"), "is missing", "where the value is: stdout or json:a.b", "")
		}
	}
	for key, v := range map[string]*Value{"value": a.Value, "term": a.Term} {
		if v == nil {
			continue
		}
		if a.HTTP != nil && v.From == FromStdout {
			d.fail(n, join(field, key), "is stdout, which an HTTP answer has not", "body, json:a.b or header:X-Name", "")
		}
		if a.Exec != nil && (v.From == FromBody || v.From == FromHeader) {
			d.fail(n, join(field, key), fmt.Sprintf("is %s, which a program has not", v.From), "stdout or json:a.b", "")
		}
	}
}

// value reads where a value is.
func (d *decoder) value(n ast.Node, field string) *Value {
	const expected = "body, stdout, json:a.b or header:X-Name"
	text, ok := d.text(n, field, expected)
	if !ok {
		return nil
	}
	kind, rest, hasRest := strings.Cut(text, ":")
	v := &Value{From: Source(kind)}
	switch {
	case (v.From == FromBody || v.From == FromStdout) && !hasRest:
	case v.From == FromJSON:
		path, err := jsonpath.Parse(rest)
		if err != nil {
			problem, hint, _ := strings.Cut(err.Error(), "\nhint: ")
			d.fail(n, field, problem, "", hint)
		}
		v.Path = path
	case v.From == FromHeader && rest != "":
		v.Header = rest
	default:
		d.fail(n, field, fmt.Sprintf("is %q", shorten(text)), expected, didYouMean(kind, []string{"body", "stdout", "json", "header"}))
	}
	return v
}
