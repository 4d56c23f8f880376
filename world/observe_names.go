package world

import (
	"context"
	"fmt"
	"slices"
	"strings"

	sel "brine.test/brine/world/selector"
)

// asked is whom a word means: a node, one service of it, or the clients, which are no node.
type asked struct {
	node    *Node
	service string
}

func (a asked) name() string {
	if a.node == nil {
		return clientsName
	}
	return a.node.Name
}

// ports are those of the service; none where any is meant.
func (a asked) ports() []int {
	var out []int
	if a.node == nil {
		return out
	}
	for _, s := range a.node.services {
		if s.Name == a.service {
			for _, port := range s.def.Ports {
				out = append(out, port)
			}
		}
	}
	return out
}

// askedEnds finds whom the ends of requests are, of which some may not be given.
func (w *World) askedEnds(ctx context.Context, words ...string) ([][]asked, error) {
	out, parsed := make([][]asked, len(words)), make([]sel.Selector, len(words))
	for i := range words {
		parsed[i], _ = sel.Parse(words[i]) // what is no selector may be a service's name
	}
	for _, i := range othersLast(parsed) {
		if words[i] == "" {
			continue
		}
		var err error
		if out[i], err = w.askedFor(ctx, words[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// askedFor finds whom words mean: a node, a service, several of them, or any selector.
func (w *World) askedFor(ctx context.Context, words string) (out []asked, err error) {
	if found := w.askedByName(ctx, words); len(found) > 0 {
		return found, nil
	}
	who, err := sel.Parse(words)
	if err != nil {
		return nil, w.nobodyCalled(words)
	}
	each := who.Each()
	for _, i := range othersLast(each) {
		one := each[i]
		if found := w.askedByName(ctx, one.Text); one.Kind == sel.Named && one.Service == "" && len(found) > 0 {
			out = append(out, found...)
			continue
		}
		if one.Kind == sel.Clients {
			out = append(out, asked{})
			continue
		}
		nodes, err := w.Resolve(ctx, one)
		if err != nil && one.Kind == sel.Named {
			return nil, w.nobodyCalled(one.Text)
		}
		if err != nil {
			return nil, err
		}
		for _, n := range nodes {
			out = append(out, asked{n, one.Service + one.Of})
		}
	}
	return out, nil
}

func (w *World) nobodyCalled(word string) error {
	var services []string
	for _, n := range w.allNodes() {
		for _, s := range n.services {
			if !slices.Contains(services, s.Name) {
				services = append(services, s.Name)
			}
		}
	}
	return fmt.Errorf("%s: there is no such node or service\nhint: nodes: %s; services: %s", word, listWords(nodeNames(w.allNodes())), listWords(services))
}

// askedByName finds the node of a name, or the nodes with a service of it.
func (w *World) askedByName(ctx context.Context, word string) (out []asked) {
	if n := w.node(word); n != nil {
		name(ctx, n)
		return []asked{{node: n}}
	}
	name := word
	if _, after, ok := strings.Cut(word, "/"); ok {
		name = after
	}
	for _, n := range w.allNodes() {
		before := len(out)
		for _, s := range n.services {
			if s.Name == name && (name == word || word == n.cluster.display()+"/"+name) {
				out = append(out, asked{n, name})
			}
		}
		if slices.Contains(w.aliases[n.Name], word) && len(out) == before {
			out = append(out, asked{node: n})
		}
	}
	return out
}
