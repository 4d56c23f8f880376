package jsonpath

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Path is a parsed path. The zero value is the whole document.
type Path struct {
	text  string
	steps []step
}

// step is one member name, or one index of a list.
type step struct {
	name  string
	index int
	list  bool
}

// String gives the path as it was written.
func (p Path) String() string { return p.text }

// Parse reads a path; its errors name the path and the place.
func Parse(text string) (Path, error) {
	p := Path{text: text}
	rest := text
	for first := true; rest != ""; first = false {
		var s step
		var err error
		switch {
		case strings.HasPrefix(rest, "["):
			s, rest, err = bracket(rest)
		case first:
			s, rest, err = member(rest)
		case strings.HasPrefix(rest, "."):
			s, rest, err = member(rest[1:])
		default:
			err = fmt.Errorf("expected . or [ before %q", rest)
		}
		if err != nil {
			return Path{}, fmt.Errorf("path %q: %w\nhint: write a.b[0]", text, err)
		}
		p.steps = append(p.steps, s)
	}
	return p, nil
}

// member takes a member's name off the front: all up to the next point or bracket.
func member(text string) (step, string, error) {
	end := strings.IndexAny(text, ".[")
	if end < 0 {
		end = len(text)
	}
	if end == 0 {
		return step{}, "", fmt.Errorf("a member's name is empty")
	}
	return step{name: text[:end]}, text[end:], nil
}

// bracket takes [0] or ["name"] off the front.
func bracket(text string) (step, string, error) {
	if strings.HasPrefix(text, `["`) {
		quoted, err := strconv.QuotedPrefix(text[1:])
		if err != nil || !strings.HasPrefix(text[1+len(quoted):], "]") {
			return step{}, "", fmt.Errorf(`["…"] is not closed`)
		}
		name, err := strconv.Unquote(quoted)
		if err != nil {
			return step{}, "", fmt.Errorf(`%s is no quoted name`, quoted)
		}
		return step{name: name}, text[len(quoted)+2:], nil
	}
	inside, rest, closed := strings.Cut(text[1:], "]")
	if !closed {
		return step{}, "", fmt.Errorf("a bracket is not closed")
	}
	index, err := strconv.Atoi(inside)
	if err != nil || index < 0 {
		return step{}, "", fmt.Errorf("[%s] is no index, which is a number from 0", inside)
	}
	return step{index: index, list: true}, rest, nil
}

// Find returns the value at the path as text: a string without its quotes, a number as it is written in the document,
// true or false, an object or list as compact JSON. A path that leads nowhere, and null, are not found.
// It fails when the document is not JSON.
func (p Path) Find(document []byte) (text string, found bool, err error) {
	value, found, err := p.value(document)
	if !found || err != nil {
		return "", false, err
	}
	return render(value)
}

// Null tells whether the path leads to null.
func (p Path) Null(document []byte) bool {
	value, found, err := p.value(document)
	return err == nil && found && value == nil
}

func (p Path) value(document []byte) (value any, found bool, err error) {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return nil, false, fmt.Errorf("not JSON: %w", err)
	}
	if decoder.More() {
		return nil, false, fmt.Errorf("not JSON: more than one document")
	}
	for _, s := range p.steps {
		if value, found = s.in(value); !found {
			return nil, false, nil
		}
	}
	return value, true, nil
}

// in takes one step down.
func (s step) in(value any) (any, bool) {
	switch v := value.(type) {
	case map[string]any:
		inner, ok := v[s.name]
		return inner, ok && !s.list
	case []any:
		if !s.list || s.index >= len(v) {
			return nil, false
		}
		return v[s.index], true
	}
	return nil, false
}

func render(value any) (string, bool, error) {
	switch v := value.(type) {
	case nil:
		return "", false, nil
	case string:
		return v, true, nil
	case json.Number:
		return v.String(), true, nil
	case bool:
		return strconv.FormatBool(v), true, nil
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "", false, fmt.Errorf("render JSON: %w", err)
	}
	return strings.TrimSuffix(out.String(), "\n"), true, nil
}
