package catalogue

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/goccy/go-yaml/ast"
	"golang.org/x/sys/unix"
)

var (
	nameForm    = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]*$`)
	versionForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.+-]*$`)
	envForm     = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// reserved words mean something else in a sentence.
var reserved = []string{"each", "every", "all", "other", "network", "clients", "leader", "zone", "it", "everything"}

const nameExpected = "letters, digits, _, . and -, beginning with a letter"

// service reads one service. field is where it is in a list; name stands in for a missing name.
// What it returns is of use only when no mistake was noted.
func (d *decoder) service(n ast.Node, field, name string) *Service {
	line, _ := d.place(n)
	s := &Service{
		Name: name, File: d.source.File, Line: line, Base: d.source.Base, Timeout: DefaultTimeout,
		Stop: Stop{Signal: syscall.SIGTERM, Grace: DefaultGrace},
	}
	d.checks = nil
	var later []func() // what needs the ports to be known
	there, ok := d.mapping(n, field, map[string]reader{
		"name":    func(n ast.Node, f string) { s.Name = d.serviceName(n, f, name) },
		"version": func(n ast.Node, f string) { s.Version = d.version(n, f) },
		"image":   func(n ast.Node, f string) { s.Image = d.image(n, f) },
		"user":    func(n ast.Node, f string) { s.User = d.user(n, f) },
		"command": func(n ast.Node, f string) { s.Command = d.templates(n, f, nodeData) },
		"args":    func(n ast.Node, f string) { s.Args = d.templates(n, f, nodeData) },
		"env": func(n ast.Node, f string) {
			s.Env = d.templateMap(n, f, "a mapping of names to texts", nodeData, matches(envForm, "letters, digits and _"))
		},
		"files": func(n ast.Node, f string) {
			s.Files = d.templateMap(n, f, "a mapping of paths inside the container to texts", nodeData, absolute)
		},
		"ports": func(n ast.Node, f string) { s.Ports = d.ports(n, f) },
		"data":  func(n ast.Node, f string) { s.Data = d.data(n, f) },
		"ready": func(n ast.Node, f string) { later = append(later, func() { s.Ready = d.probe(n, f, s.Ports) }) },
		"start": func(n ast.Node, f string) { s.Start = d.start(n, f) },
		"needs": func(n ast.Node, f string) { s.Needs = d.serviceNames(n, f, "a list of services") },
		"stop":  func(n ast.Node, f string) { d.stop(n, f, &s.Stop) },
		"memory": func(n ast.Node, f string) {
			if s.Memory = d.size(n, f); s.Memory > 0 && s.Memory < 1<<20 {
				d.fail(n, f, "is less than 1 MiB", "room for the program", "")
			}
		},
		"cpu":     func(n ast.Node, f string) { s.CPU = d.cpu(n, f) },
		"timeout": func(n ast.Node, f string) { s.Timeout = d.positiveDuration(n, f) },
		"client":  func(n ast.Node, f string) { later = append(later, func() { s.Client = d.client(n, f, s.Ports) }) },
	})
	if !ok {
		return s
	}
	for _, read := range later {
		read()
	}
	if s.Name == "" && there["name"] == nil {
		d.fail(n, join(field, "name"), "is missing", "the service's name", "")
	}
	if there["image"] == nil {
		d.fail(n, join(field, "image"), "is missing", `an image such as "docker.io/library/redis:7", "go:PACKAGE@VERSION" or "host:/usr/bin/PROGRAM"`, "")
	}
	for _, c := range d.checks {
		s.usesVersion = s.usesVersion || c.template.uses[".Version"]
	}
	d.try(s)
	return s
}

func (d *decoder) serviceName(n ast.Node, field, expected string) string {
	name, ok := d.text(n, field, "the service's name")
	switch {
	case !ok:
		return expected
	case !nameForm.MatchString(name):
		d.fail(n, field, "is "+strconv.Quote(name), nameExpected, "")
	case slices.Contains(reserved, name):
		d.fail(n, field, fmt.Sprintf("%q means something else in a sentence", name), "another name", "")
	case expected != "" && name != expected:
		d.fail(n, field, "is "+strconv.Quote(name), strconv.Quote(expected)+", or no name", "")
	}
	return name
}

func (d *decoder) version(n ast.Node, field string) string {
	version, ok := d.text(n, field, `a version such as "3.6.8"`)
	if ok && version != AnyVersion && !versionForm.MatchString(version) {
		d.fail(n, field, "is "+strconv.Quote(version), `a version such as "3.6.8"`, "")
	}
	return version
}

func (d *decoder) image(n ast.Node, field string) *Template {
	t := d.template(n, field, nodeData)
	if t != nil && strings.TrimSpace(t.text) == "" {
		d.fail(n, field, "is empty", "an image", "")
	}
	return t
}

// userForm is USER[:GROUP], by names or numbers.
var userForm = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?$`)

func (d *decoder) user(n ast.Node, field string) string {
	const expected = `a user of the image such as postgres, 1000 or 1000:1000`
	user, ok := d.text(n, field, expected)
	if ok && !userForm.MatchString(user) {
		d.fail(n, field, "is "+strconv.Quote(user), expected, "")
	}
	return user
}

func (d *decoder) ports(n ast.Node, field string) map[string]int {
	entries, ok := d.entries(n, field, "a mapping of names to port numbers, such as {client: 2379}")
	if !ok {
		return nil
	}
	ports := map[string]int{}
	for _, e := range entries {
		if !nameForm.MatchString(e.key) {
			d.fail(e.node, field, "the key is "+strconv.Quote(e.key), nameExpected, "")
		}
		if number, ok := d.integer(e.value, join(field, e.key), 1, 65535); ok {
			ports[e.key] = number
		}
	}
	return ports
}

// port reads a port: a number, or one of the service's names. A name of a port whose number is wrong is left alone.
func (d *decoder) port(n ast.Node, field string, ports map[string]int) Port {
	if _, isNumber := d.resolve(n).(*ast.IntegerNode); isNumber {
		number, _ := d.integer(n, field, 1, 65535)
		return Port{Number: number}
	}
	name, ok := d.text(n, field, "a port's name or number")
	if !ok {
		return Port{}
	}
	number, known := ports[name]
	if !known {
		hint := didYouMean(name, keys(ports))
		if len(ports) == 0 {
			hint = "name it under ports: {" + name + ": 8080}"
		}
		d.fail(n, field, fmt.Sprintf("unknown port %q", name), "a number, or one of ports: "+list(keys(ports), "or"), hint)
	}
	return Port{Name: name, Number: number}
}

func (d *decoder) data(n ast.Node, field string) string {
	folder, ok := d.text(n, field, "a folder inside the container such as /data")
	if !ok {
		return ""
	}
	if expected := absolute(folder); expected != "" || path.Clean(folder) == "/" {
		d.fail(n, field, "is "+strconv.Quote(folder), "a folder inside the container such as /data", "")
	}
	return path.Clean(folder)
}

func (d *decoder) start(n ast.Node, field string) Start {
	var s Start
	d.mapping(n, field, map[string]reader{
		"stagger": func(n ast.Node, f string) { s.Stagger = d.duration(n, f) },
		"after":   func(n ast.Node, f string) { s.After = d.serviceNames(n, f, "a list of services of the same node") },
	})
	return s
}

func (d *decoder) serviceNames(n ast.Node, field, expected string) []string {
	var all []string
	d.list(n, field, expected, func(n ast.Node, field string) {
		name, ok := d.text(n, field, "a service's name")
		if ok && !nameForm.MatchString(name) {
			d.fail(n, field, "is "+strconv.Quote(name), nameExpected, "")
		}
		all = append(all, name)
	})
	return all
}

func (d *decoder) stop(n ast.Node, field string, s *Stop) {
	d.mapping(n, field, map[string]reader{
		"grace": func(n ast.Node, f string) { s.Grace = d.duration(n, f) },
		"signal": func(n ast.Node, f string) {
			const expected = "a signal such as TERM, INT or QUIT"
			text, ok := d.text(n, f, expected)
			if !ok {
				return
			}
			s.Signal = unix.SignalNum("SIG" + strings.TrimPrefix(strings.ToUpper(text), "SIG"))
			if s.Signal == 0 {
				d.fail(n, f, "is "+strconv.Quote(text), expected, "")
			}
		},
	})
}

func (d *decoder) cpu(n ast.Node, field string) float64 {
	const expected = "a number of cores such as 1 or 0.5"
	switch d.resolve(n).(type) {
	case *ast.IntegerNode, *ast.FloatNode:
	default:
		d.fail(n, field, "is "+d.kind(n), expected, "")
		return 0
	}
	text, _ := d.scalar(n)
	cores, err := strconv.ParseFloat(text, 64)
	if err != nil || cores < 0.01 || cores > 4096 {
		d.fail(n, field, "is "+text, expected+", from 0.01 to 4096", "")
	}
	return cores
}

// absolute refuses, by what it expects, a path that is not absolute and clean.
func absolute(p string) (expected string) {
	if !path.IsAbs(p) || strings.Contains(p+"/", "/../") || strings.ContainsRune(p, 0) {
		return "an absolute path inside the container"
	}
	return ""
}

// matches refuses, by what it expects, what has not the form.
func matches(form *regexp.Regexp, expected string) func(string) string {
	return func(key string) string {
		if form.MatchString(key) {
			return ""
		}
		return expected
	}
}
