package catalogue

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// probe reads ready: one of http, tcp, exec and log, and within.
func (d *decoder) probe(n ast.Node, field string, ports map[string]int) *Probe {
	p := &Probe{Within: DefaultReadyWithin}
	there, ok := d.mapping(n, field, map[string]reader{
		"http": func(n ast.Node, f string) { p.HTTP = d.httpProbe(n, f, ports) },
		"tcp": func(n ast.Node, f string) {
			port := d.port(n, f, ports)
			p.TCP = &port
		},
		"exec": func(n ast.Node, f string) { p.Exec = d.program(n, f, nodeData) },
		"log": func(n ast.Node, f string) {
			text, ok := d.text(n, f, "a regular expression")
			if !ok {
				return
			}
			pattern, err := regexp.Compile(text)
			if err != nil {
				d.fail(n, f, strings.TrimPrefix(err.Error(), "error parsing regexp: "), "a regular expression", "")
			}
			p.Log = pattern
		},
		"within": func(n ast.Node, f string) { p.Within = d.positiveDuration(n, f) },
	})
	if ok {
		d.exactlyOne(n, field, there, "http", "tcp", "exec", "log")
	}
	return p
}

func (d *decoder) httpProbe(n ast.Node, field string, ports map[string]int) *HTTPProbe {
	p := &HTTPProbe{Method: "GET", Path: Literal("/")}
	there, ok := d.mapping(n, field, map[string]reader{
		"method":  func(n ast.Node, f string) { p.Method = d.method(n, f) },
		"port":    func(n ast.Node, f string) { p.Port = d.port(n, f, ports) },
		"path":    func(n ast.Node, f string) { p.Path = d.path(n, f, nodeData) },
		"headers": func(n ast.Node, f string) { p.Headers = d.headers(n, f, nodeData) },
		"status":  func(n ast.Node, f string) { p.Status = d.integers(n, f, 100, 599) },
		"body":    func(n ast.Node, f string) { p.Body = d.template(n, f, nodeData) },
	})
	if ok {
		d.onlyPort(n, field, there, ports, &p.Port)
	}
	return p
}

// onlyPort takes the service's one port where none is named.
func (d *decoder) onlyPort(n ast.Node, field string, there map[string]ast.Node, ports map[string]int, p *Port) {
	if there["port"] != nil {
		return
	}
	if len(ports) != 1 {
		d.fail(n, join(field, "port"), "is missing", "a number, or one of ports: "+list(keys(ports), "or"), "")
		return
	}
	name := keys(ports)[0]
	*p = Port{Name: name, Number: ports[name]}
}

// exactlyOne notes a mistake unless just one of the keys is there.
func (d *decoder) exactlyOne(n ast.Node, field string, there map[string]ast.Node, keys ...string) {
	var found []string
	for _, key := range keys {
		if there[key] != nil {
			found = append(found, key)
		}
	}
	switch {
	case len(found) == 0:
		d.fail(n, field, "says not how", "one of "+strings.Join(keys, ", "), "")
	case len(found) > 1:
		d.fail(there[found[1]], field, "has "+list(found, "and"), "one of "+strings.Join(keys, ", "), "")
	}
}

var methodForm = regexp.MustCompile(`^[A-Za-z]+$`)

func (d *decoder) method(n ast.Node, field string) string {
	method, ok := d.text(n, field, "an HTTP method such as GET")
	if ok && !methodForm.MatchString(method) {
		d.fail(n, field, "is "+strconv.Quote(method), "an HTTP method such as GET", "")
	}
	return strings.ToUpper(method)
}

// path reads a URL's path and query; that it begins with / is tried with the template.
func (d *decoder) path(n ast.Node, field string, kind dataKind) *Template {
	t := d.template(n, field, kind)
	if t != nil && !strings.HasPrefix(t.text, "/") && !strings.HasPrefix(t.text, "{{") {
		d.fail(n, field, "is "+strconv.Quote(shorten(t.text)), "a path that begins with /", "")
	}
	return t
}

func (d *decoder) headers(n ast.Node, field string, kind dataKind) map[string]*Template {
	form := matches(regexp.MustCompile(`^[!#$%&'*+.^_|~0-9A-Za-z-]+$`), "a header's name") // RFC 9110, token
	return d.templateMap(n, field, "a mapping of headers to texts", kind, form)
}

// program reads a program and its arguments, which are not none.
func (d *decoder) program(n ast.Node, field string, kind dataKind) []*Template {
	before := len(d.mistakes)
	words := d.templates(n, field, kind)
	if len(words) == 0 && len(d.mistakes) == before {
		d.fail(n, field, "is an empty list", "a program and its arguments", "")
	}
	return words
}

func (d *decoder) positiveDuration(n ast.Node, field string) time.Duration {
	before := len(d.mistakes)
	length := d.duration(n, field)
	if length == 0 && len(d.mistakes) == before {
		d.fail(n, field, "is nothing", "a length of time such as 5s", "")
	}
	return length
}
