package steps

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/kballard/go-shellquote"

	"brine.test/brine/world"
	"brine.test/brine/world/quantity"
	"brine.test/brine/world/selector"
)

var listed = regexp.MustCompile(`\s*,\s*(?:and\s+)?|\s+and\s+`)

// services reads "redis 7.2 and redis-sentinel": names of the catalogue, each with a version where one is wanted.
func (s *words) services(text string) []world.ServiceRef {
	refs, err := parseServices(text)
	s.keep(err)
	return refs
}

func parseServices(text string) ([]world.ServiceRef, error) {
	var refs []world.ServiceRef
	for _, item := range listed.Split(strings.TrimSpace(text), -1) {
		parts := strings.Fields(item)
		if len(parts) == 0 || len(parts) > 2 {
			return nil, fmt.Errorf("%q: expected a service and at most a version\nhint: write `etcd`, `etcd 3.5.21`, or `redis and redis-sentinel`", item)
		}
		if err := selector.CheckName(parts[0]); err != nil {
			return nil, err
		}
		ref := world.ServiceRef{Name: parts[0]}
		if len(parts) == 2 {
			if !strings.ContainsAny(parts[1], "0123456789") {
				return nil, fmt.Errorf("%q: no version, for it has no digit\nhint: write `%s 3.5.21`, or join services by `and`", parts[1], parts[0])
			}
			ref.Version = parts[1]
		}
		refs = append(refs, ref)
	}
	return refs, nil
}

// newNames reads the names of nodes that are not there yet.
func (s *words) newNames(text string) []string {
	who := s.who(text)
	if s.err == nil && (who.Kind != selector.Named || who.Service != "") {
		s.keep(fmt.Errorf("%s: expected the new node's name\nhint: write `node4 joins, running etcd`", who))
	}
	return who.Names
}

// columns are the headings that a table of nodes may have, and what each does with a cell that is not empty.
var columns = map[string]func(*world.NodeSpec, string) error{
	"node": func(n *world.NodeSpec, cell string) error {
		n.Name = cell
		return selector.CheckName(cell)
	},
	"zone": func(n *world.NodeSpec, cell string) error {
		n.Zone = cell
		return selector.CheckName(cell)
	},
	"services": func(n *world.NodeSpec, cell string) (err error) {
		n.Services, err = parseServices(cell)
		return err
	},
	"image":   func(n *world.NodeSpec, cell string) error { n.Image = cell; return nil },
	"command": func(n *world.NodeSpec, cell string) error { n.Command = cell; return nil },
	"env": func(n *world.NodeSpec, cell string) (err error) {
		n.Env, err = parseEnv(cell)
		return err
	},
	"memory": func(n *world.NodeSpec, cell string) (err error) {
		n.Memory, err = quantity.Size(cell)
		return err
	},
	"cpu": func(n *world.NodeSpec, cell string) (err error) {
		n.CPU, err = strconv.ParseFloat(cell, 64)
		if err != nil || n.CPU <= 0 {
			return fmt.Errorf("%q: expected a number of CPUs above zero, such as 0.5", cell)
		}
		return nil
	},
}

// nodeTable reads the table of "a cluster:".
func (s *words) nodeTable(table [][]string) []world.NodeSpec {
	expanded := make([][]string, len(table))
	for i, row := range table {
		for _, cell := range row {
			expanded[i] = append(expanded[i], s.expand(cell))
		}
	}
	if s.err != nil {
		return nil
	}
	nodes, err := parseNodeTable(expanded)
	s.keep(err)
	return nodes
}

func parseNodeTable(table [][]string) ([]world.NodeSpec, error) {
	const hint = "hint: the columns are node, zone, services, image, command, env, memory, cpu; node is a must"
	if len(table) < 2 {
		return nil, fmt.Errorf("a table of nodes is missing under the sentence: a header and a row per node\n%s", hint)
	}
	header, seen := table[0], map[string]bool{}
	for _, title := range header {
		if columns[title] == nil || seen[title] {
			return nil, fmt.Errorf("%q: no such column, or there twice\n%s", title, hint)
		}
		seen[title] = true
	}
	if !seen["node"] {
		return nil, fmt.Errorf("the table has no column \"node\"\n%s", hint)
	}
	nodes := make([]world.NodeSpec, len(table)-1)
	names := map[string]bool{}
	for i, row := range table[1:] {
		for at, cell := range row {
			if cell == "" && header[at] != "node" {
				continue
			}
			if err := columns[header[at]](&nodes[i], cell); err != nil {
				return nil, fmt.Errorf("row %d, column %s: %w", i+1, header[at], err)
			}
		}
		if names[nodes[i].Name] {
			return nil, fmt.Errorf("row %d: %s: a node of that name stands above", i+1, nodes[i].Name)
		}
		names[nodes[i].Name] = true
	}
	return nodes, nil
}

// parseEnv reads "A=1, B=2": pairs joined by commas or blanks; quotes keep both in a value, as in B="x, y".
func parseEnv(text string) (map[string]string, error) {
	env := map[string]string{}
	for _, pair := range splitPairs(text) {
		words, err := shellquote.Split(pair)
		if err != nil || len(words) != 1 {
			return nil, fmt.Errorf("%s: expected NAME=value\nhint: write `A=1, B=\"two words\"`", pair)
		}
		key, value, ok := strings.Cut(words[0], "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("%q: expected NAME=value\nhint: write `A=1, B=2`", pair)
		}
		env[key] = value
	}
	return env, nil
}

// splitPairs cuts at commas and blanks that stand outside of quotes.
func splitPairs(text string) []string {
	var quote rune
	return strings.FieldsFunc(text, func(r rune) bool {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote = r
		case quote == 0:
			return r == ',' || r == ' '
		}
		return false
	})
}
