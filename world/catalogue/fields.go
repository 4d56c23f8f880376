package catalogue

import (
	"strconv"
	"strings"
	"time"

	"brine.test/brine/world/quantity"
	"github.com/goccy/go-yaml/ast"
)

// reader reads one field's value; field is its path, for errors.
type reader func(n ast.Node, field string)

// mapping reads a mapping whose keys are all known. An unknown key is a mistake that names the known ones.
// It returns the keys that are there, and false when the node is no mapping.
func (d *decoder) mapping(n ast.Node, field string, readers map[string]reader) (map[string]ast.Node, bool) {
	known := make([]string, 0, len(readers))
	for key := range readers {
		known = append(known, key)
	}
	known = sorted(known)
	entries, ok := d.entries(n, field, "a mapping with "+list(known, "or"))
	if !ok {
		return nil, false
	}
	there := map[string]ast.Node{}
	for _, e := range entries {
		read, ok := readers[e.key]
		if !ok {
			d.fail(e.node, field, "unknown key "+strconv.Quote(e.key), "one of "+strings.Join(known, ", "), didYouMean(e.key, known))
			continue
		}
		there[e.key] = e.value
		read(e.value, join(field, e.key))
	}
	return there, true
}

// text reads a text; numbers and booleans count as they are written, so that version: 3.10 stays 3.10.
func (d *decoder) text(n ast.Node, field, expected string) (string, bool) {
	text, ok := d.scalar(n)
	if !ok {
		d.fail(n, field, "is "+d.kind(n), expected, "")
	}
	return text, ok
}

// list reads a list, item by item.
func (d *decoder) list(n ast.Node, field, expected string, read reader) bool {
	sequence, ok := d.resolve(n).(*ast.SequenceNode)
	if !ok {
		d.fail(n, field, "is "+d.kind(n), expected, "")
		return false
	}
	for i, item := range sequence.Values {
		read(item, at(field, i))
	}
	return true
}

// integer reads a whole number between two bounds, both included.
func (d *decoder) integer(n ast.Node, field string, low, high int) (int, bool) {
	expected := "a number from " + strconv.Itoa(low) + " to " + strconv.Itoa(high)
	if _, ok := d.resolve(n).(*ast.IntegerNode); !ok {
		d.fail(n, field, "is "+d.kind(n), expected, "")
		return 0, false
	}
	text, _ := d.scalar(n)
	i, err := strconv.Atoi(text)
	if err != nil || i < low || i > high {
		d.fail(n, field, "is "+text, expected, "")
		return 0, false
	}
	return i, true
}

// integers reads one whole number or a list of them.
func (d *decoder) integers(n ast.Node, field string, low, high int) []int {
	if _, ok := d.resolve(n).(*ast.SequenceNode); !ok {
		if i, ok := d.integer(n, field, low, high); ok {
			return []int{i}
		}
		return nil
	}
	var all []int
	d.list(n, field, "", func(n ast.Node, field string) {
		if i, ok := d.integer(n, field, low, high); ok {
			all = append(all, i)
		}
	})
	return all
}

func (d *decoder) duration(n ast.Node, field string) time.Duration {
	return quantityOf(d, n, field, "a length of time such as 5s or 500ms", quantity.Duration)
}

func (d *decoder) size(n ast.Node, field string) int64 {
	return quantityOf(d, n, field, "a size such as 256 MiB", quantity.Size)
}

// quantityOf reads an amount; the parser's own hint goes with its mistake.
func quantityOf[T any](d *decoder, n ast.Node, field, expected string, parse func(string) (T, error)) T {
	var nothing T
	text, ok := d.text(n, field, expected)
	if !ok {
		return nothing
	}
	amount, err := parse(text)
	if err != nil {
		problem, hint, _ := strings.Cut(err.Error(), "\nhint: ")
		d.fail(n, field, problem, expected, hint)
		return nothing
	}
	return amount
}

// template reads a text that may hold {{…}}, to be tried with the data of kind.
func (d *decoder) template(n ast.Node, field string, kind dataKind) *Template {
	text, ok := d.text(n, field, "text")
	if !ok {
		return nil
	}
	t, err := parseTemplate(field, text)
	c := check{node: n, field: field, template: t, kind: kind}
	if err != nil {
		d.failTemplate(c, err)
		return nil
	}
	d.checks = append(d.checks, c)
	return t
}

// templates reads a list of texts that may hold {{…}}.
func (d *decoder) templates(n ast.Node, field string, kind dataKind) []*Template {
	all := []*Template{}
	d.list(n, field, `a list of texts such as ["--name", "{{.Node.Name}}"]`, func(n ast.Node, field string) {
		if t := d.template(n, field, kind); t != nil {
			all = append(all, t)
		}
	})
	return all
}

// templateMap reads a mapping of free keys to texts that may hold {{…}}; valid refuses a key by what it expects.
func (d *decoder) templateMap(n ast.Node, field, expected string, kind dataKind, valid func(key string) (expected string)) map[string]*Template {
	entries, ok := d.entries(n, field, expected)
	if !ok {
		return nil
	}
	all := make(map[string]*Template, len(entries))
	for _, e := range entries {
		if expected := valid(e.key); expected != "" {
			d.fail(e.node, field, "the key is "+strconv.Quote(e.key), expected, "")
			continue
		}
		if t := d.template(e.value, join(field, e.key), kind); t != nil {
			all[e.key] = t
		}
	}
	return all
}
