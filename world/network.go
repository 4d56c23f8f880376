package world

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	sel "brine.test/brine/world/selector"
	"brine.test/brine/xdpfault"
)

// clientsPort is the clients' index in the fault engine.
const clientsPort = 0

// ports are the two sides of a rule: indices in the fault engine.
type ports []int

func portsOf(nodes []*Node) ports {
	out := make(ports, len(nodes))
	for i, n := range nodes {
		out[i] = n.Port()
	}
	return out
}

// side is what a selector that may also be the clients, or hold them, stands for.
type side struct {
	of    sel.Selector
	at    ports
	nodes []*Node
}

// sides resolves the selectors of one sentence, which may hold the clients.
func (w *World) sides(ctx context.Context, all ...sel.Selector) ([]side, error) {
	out := make([]side, len(all))
	for _, i := range othersLast(all) {
		var err error
		if out[i], err = w.side(ctx, all[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (w *World) side(ctx context.Context, s sel.Selector) (side, error) {
	if !hasClients(s) {
		nodes, err := w.Resolve(ctx, s)
		return side{s, portsOf(nodes), nodes}, err
	}
	parts := slices.DeleteFunc(s.Each(), func(part sel.Selector) bool { return part.Kind == sel.Clients })
	each, err := w.resolveEach(ctx, parts)
	nodes := unique(slices.Concat(each...))
	return side{s, append(ports{clientsPort}, portsOf(nodes)...), nodes}, err
}

// hasClients tells whether the clients are one of those that a selector means.
func hasClients(s sel.Selector) bool {
	return slices.ContainsFunc(s.Each(), func(part sel.Selector) bool { return part.Kind == sel.Clients })
}

// everyone is every port, those of nodes that join later included.
func everyone() ports { return ports{xdpfault.All} }

// links makes the directed links from each of a to each of b.
func links(a, b ports, both bool) []xdpfault.Link {
	seen := map[xdpfault.Link]bool{}
	var out []xdpfault.Link
	add := func(from, to int) {
		l := xdpfault.Link{From: from, To: to}
		if from != to && !seen[l] {
			seen[l] = true
			out = append(out, l)
		}
	}
	for _, from := range a {
		for _, to := range b {
			add(from, to)
			if both {
				add(to, from)
			}
		}
	}
	return out
}

// cut drops all packets of some links, but for those that are left alone of a
// link that stands for everyone's.
func (w *World) cut(ctx context.Context, kind harmKind, what string, who []*Node, cut []xdpfault.Link, l Length, but ...xdpfault.Link) error {
	if len(cut) == 0 {
		return fmt.Errorf("%s: there is no link to cut", what)
	}
	return w.impose(ctx, &active{kind: kind, what: what, who: who}, l, xdpfault.Rule{Links: cut, Except: but, Action: xdpfault.Drop{}})
}

// Isolate cuts nodes off: from everything when from is nil, else from the nodes
// (or the clients) that from names. Both directions, at one instant.
func (w *World) Isolate(ctx context.Context, who sel.Selector, from *sel.Selector, l Length) error {
	ends := []sel.Selector{who}
	if from != nil {
		ends = append(ends, *from)
	}
	all, err := w.sides(ctx, ends...)
	if err != nil {
		return err
	}
	nodes, others := all[0].nodes, everyone()
	what := fmt.Sprintf("%s isolated", names(nodes))
	if from != nil {
		others = all[1].at
		what += " from " + all[1].name()
	}
	var but []xdpfault.Link
	if from != nil && from.Kind == sel.Others && len(others) > 0 { // those that join later are others, too
		others, but = everyone(), links(portsOf(nodes), ports{clientsPort, xdpfault.Services}, true)
		but = append(but, links(portsOf(nodes), portsOf(without(w.allNodes(), all[1].nodes)), true)...)
	}
	w.setLast("isolated", nodes)
	return w.cut(ctx, kindIsolate, what, nodes, links(portsOf(nodes), others, true), l, but...)
}

// Cut drops the packets from one side to the other, and back too when both.
func (w *World) Cut(ctx context.Context, from, to sel.Selector, both bool, l Length) error {
	ends, err := w.sides(ctx, from, to)
	if err != nil {
		return err
	}
	a, b := ends[0], ends[1]
	what := fmt.Sprintf("%s cannot reach %s", a.name(), b.name())
	if both {
		what += ", nor back"
	}
	return w.cut(ctx, kindCut, what, slices.Concat(a.nodes, b.nodes), links(a.at, b.at, both), l)
}

// portNumber reads a port: a number, or a name of one of the nodes' services.
func (w *World) portNumber(port string, nodes []*Node) (uint16, error) {
	if n, err := strconv.ParseUint(port, 10, 16); err == nil && n > 0 {
		return uint16(n), nil
	}
	known := map[string]bool{}
	var list []string
	for _, n := range nodes {
		for _, s := range n.services {
			for name, number := range s.def.Ports {
				if name == port {
					return uint16(number), nil
				}
				if !known[name] {
					known[name] = true
					list = append(list, fmt.Sprintf("%s (%d)", name, number))
				}
			}
		}
	}
	return 0, fmt.Errorf("port %q: expected a number from 1 to 65535 or a port's name\nhint: the services here name %s", port, listWords(list))
}

// name words a side for the record.
func (s side) name() string {
	switch {
	case s.of.Kind == sel.All:
		return "all nodes"
	case hasClients(s.of) && len(s.nodes) == 0:
		return "the clients"
	case hasClients(s.of):
		return "the clients and " + names(s.nodes)
	}
	return names(s.nodes)
}

func word(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// IsolateZone cuts a zone off: from everything, or only from the other zones.
func (w *World) IsolateZone(ctx context.Context, zone string, fromZonesOnly bool, l Length) error {
	inside, err := w.Resolve(ctx, sel.Selector{Kind: sel.Zone, Zone: zone, Text: "zone " + zone})
	if err != nil {
		return err
	}
	what := "zone " + zone + " isolated"
	// Whoever is outside of it, or will be.
	outside, but := everyone(), links(portsOf(inside), portsOf(inside), true)
	if fromZonesOnly {
		what += " from the other zones"
		others := slices.DeleteFunc(without(w.allNodes(), inside), func(n *Node) bool { return n.Zone == "" })
		if outside = portsOf(others); len(outside) == 0 {
			return fmt.Errorf("%s: there is no other zone", what)
		}
	}
	w.setLast("isolated", inside)
	return w.cut(ctx, kindIsolate, what, inside, links(portsOf(inside), outside, true), l, but...)
}

// Rejoin ends the isolations of nodes and their side of a split. Other harm on
// their links stays.
func (w *World) Rejoin(ctx context.Context, who sel.Selector) error {
	nodes, err := w.Resolve(ctx, who)
	if err != nil {
		return err
	}
	at := map[int]bool{}
	for _, n := range nodes {
		at[n.Port()] = true
	}
	harms := w.active(func(a *active) bool { return a.kind == kindIsolate || a.kind == kindSplit })
	hit := false
	for _, a := range harms {
		some, err := a.release(func(l xdpfault.Link) bool {
			return (at[l.From] || at[l.To]) && !a.isolates(l, at)
		}, nodes...)
		if err != nil {
			return err
		}
		hit = hit || some
	}
	if !hit {
		return fmt.Errorf("%s: not isolated, and on no side of a split\nhint: %s", names(nodes), w.onNow())
	}
	return nil
}

// isolates tells whether an end of a link is a node that the harm cuts off from
// everyone, and that is not among those that rejoin; a.mu is held.
func (a *active) isolates(l xdpfault.Link, rejoin map[int]bool) bool {
	everyone := slices.ContainsFunc(a.asked, func(l xdpfault.Link) bool { return l.From == xdpfault.All || l.To == xdpfault.All })
	return a.kind == kindIsolate && everyone && slices.ContainsFunc(a.who, func(n *Node) bool {
		_, freed := a.freed[n]
		return !freed && !rejoin[n.Port()] && (l.From == n.Port() || l.To == n.Port())
	})
}

// HealLink ends all network harm on the links between two sides, both ways.
func (w *World) HealLink(ctx context.Context, a, b sel.Selector) error {
	ends, err := w.sides(ctx, a, b)
	if err != nil {
		return err
	}
	on := map[xdpfault.Link]bool{}
	for _, l := range links(ends[0].at, ends[1].at, true) {
		on[l] = true
	}
	for _, h := range w.active(func(h *active) bool { return h.kind.network() }) {
		if _, err := h.release(func(l xdpfault.Link) bool { return on[l] }); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) onNow() string {
	if on := w.harmsOn(); on != "" {
		return "on now: " + on
	}
	return "no harm is on"
}
