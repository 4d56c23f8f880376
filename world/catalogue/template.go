package catalogue

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"text/template"
	"text/template/parse"
)

// maxOutput bounds what one template may make, in bytes: a service file is text, and a runaway range is a mistake.
const maxOutput = 16 << 20

// Template is a text of a service file that may hold {{…}}.
type Template struct {
	text string
	tree *template.Template
	uses map[string]bool // functions, and fields of the data itself
}

// functions are what templates may call beside text/template's own.
var functions = template.FuncMap{
	"json": func(v any) (string, error) { // a JSON string or number, with its quotes
		out, err := json.Marshal(v)
		return string(out), err
	},
	"majority": func(all []Node) int { return len(all)/2 + 1 },
	"base64":   func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"call":     func() (string, error) { return "", fmt.Errorf("call is not available") },
}

// parseTemplate compiles a text; name shows in its errors.
func parseTemplate(name, text string) (*Template, error) {
	tree, err := template.New(name).Option("missingkey=error").Funcs(functions).Parse(text)
	if err != nil {
		return nil, err
	}
	t := &Template{text: text, tree: tree, uses: map[string]bool{}}
	for _, part := range tree.Templates() {
		if part.Tree != nil {
			t.note(part.Root)
		}
	}
	return t, nil
}

// Literal is a template that is its text, whatever braces it holds.
func Literal(text string) *Template { return &Template{text: text} }

// String gives the text as it is in the file.
func (t *Template) String() string {
	if t == nil {
		return ""
	}
	return t.text
}

// Execute fills the template in with a Data or OpData. A nil template is empty.
func (t *Template) Execute(data any) (string, error) {
	if t == nil || t.tree == nil {
		return t.String(), nil
	}
	var out limited
	if err := t.tree.Execute(&out, data); err != nil {
		return "", err
	}
	return out.String(), nil
}

// ExecutePath fills the template in as a URL's path and query: what an operation brings (key, value, expected value) is
// escaped, so that a key may hold blanks and slashes, unless the template escapes by itself with urlquery.
func (t *Template) ExecutePath(data OpData) (string, error) {
	if t != nil && !t.uses["urlquery"] {
		data.Key, data.Value, data.Expect = escape(data.Key), escape(data.Value), escape(data.Expect)
	}
	return t.Execute(data)
}

// escape makes text stand for itself in both a path and a query.
func escape(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

// limited collects output up to maxOutput.
type limited struct{ strings.Builder }

func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > maxOutput {
		return 0, fmt.Errorf("makes more than %d bytes", maxOutput)
	}
	return l.Builder.Write(p)
}

// note collects the functions that a template calls and the fields of the data itself (.Version, $.Version).
func (t *Template) note(n parse.Node) {
	switch v := n.(type) {
	case *parse.ListNode:
		if v != nil {
			for _, inner := range v.Nodes {
				t.note(inner)
			}
		}
	case *parse.ActionNode:
		t.note(v.Pipe)
	case *parse.PipeNode:
		if v != nil {
			for _, command := range v.Cmds {
				for _, argument := range command.Args {
					t.note(argument)
				}
			}
		}
	case *parse.IfNode:
		t.noteBranch(&v.BranchNode)
	case *parse.RangeNode:
		t.noteBranch(&v.BranchNode)
	case *parse.WithNode:
		t.noteBranch(&v.BranchNode)
	case *parse.TemplateNode:
		t.note(v.Pipe)
	case *parse.ChainNode:
		t.note(v.Node)
	case *parse.IdentifierNode:
		t.uses[v.Ident] = true
	case *parse.FieldNode:
		t.uses["."+v.Ident[0]] = true
	case *parse.VariableNode:
		if v.Ident[0] == "$" && len(v.Ident) > 1 {
			t.uses["."+v.Ident[1]] = true
		}
	}
}

func (t *Template) noteBranch(b *parse.BranchNode) {
	t.note(b.Pipe)
	t.note(b.List)
	t.note(b.ElseList)
}
