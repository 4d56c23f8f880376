package world

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"brine.test/brine/world/record"
	sel "brine.test/brine/world/selector"
	"brine.test/brine/xdpfault"
)

// clientsPort is the clients' index in the fault engine.
const clientsPort = 0

// Traffic says which packets a rule drops: by direction, protocol and
// destination port. A nil end means any; Port is a number or a name of the
// service file; Proto is "", "TCP", "UDP" or "ICMP"; Both drops the packets back
// too.
type Traffic struct {
	From, To    *sel.Selector
	Both        bool
	Proto, Port string
}

// ports are the two sides of a rule: indices in the fault engine.
type ports []int

func portsOf(nodes []*Node) ports {
	out := make(ports, len(nodes))
	for i, n := range nodes {
		out[i] = n.Port()
	}
	return out
}

// side resolves a selector that may also be the clients.
func (w *World) side(ctx context.Context, s sel.Selector) (ports, []*Node, error) {
	if s.Kind == sel.Clients {
		return ports{clientsPort}, nil, nil
	}
	nodes, err := w.Resolve(ctx, s)
	return portsOf(nodes), nodes, err
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

// cut puts one dropping rule on, proves it, and enters it as a harm.
func (w *World) cut(ctx context.Context, kind harmKind, what string, who []*Node, cut []xdpfault.Link, m xdpfault.Match, l Length) error {
	if len(cut) == 0 {
		return fmt.Errorf("%s: there is no link to cut", what)
	}
	began := time.Now()
	h, err := w.faults.Apply(xdpfault.Rule{Links: cut, Match: m, Action: xdpfault.Drop{}})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	a := &active{
		id: w.nextID("harm"), kind: kind, what: what, who: who, handle: h, inject: time.Since(began),
		undo:  func(context.Context) error { return h.Heal() },
		gauge: func() record.Receipt { return w.linkReceipt(h.Receipt()) },
	}
	if err := w.faults.Prove(ctx, h); err != nil {
		return fmt.Errorf("%s: the fault is not there: %w", what, errors.Join(err, h.Heal()))
	}
	return w.begin(ctx, a, l)
}

// Isolate cuts nodes off: from everything when from is nil, else from the nodes
// (or the clients) that from names. Both directions, at one instant.
func (w *World) Isolate(ctx context.Context, who sel.Selector, from *sel.Selector, l Length) error {
	nodes, err := w.Resolve(ctx, who)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("%s isolated", names(nodes))
	others := everyone()
	if from != nil {
		var otherNodes []*Node
		if others, otherNodes, err = w.side(ctx, *from); err != nil {
			return err
		}
		what += " from " + sideName(*from, otherNodes)
	}
	w.setLast("isolated", nodes)
	return w.cut(ctx, kindIsolate, what, nodes, links(portsOf(nodes), others, true), xdpfault.Match{}, l)
}

// Cut drops the packets from one side to the other, and back too when both.
func (w *World) Cut(ctx context.Context, from, to sel.Selector, both bool, l Length) error {
	a, an, err := w.side(ctx, from)
	if err != nil {
		return err
	}
	b, bn, err := w.side(ctx, to)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("%s cannot reach %s", sideName(from, an), sideName(to, bn))
	if both {
		what += ", nor back"
	}
	return w.cut(ctx, kindCut, what, append(an, bn...), links(a, b, both), xdpfault.Match{}, l)
}

// DropTraffic drops packets by direction, protocol and destination port.
func (w *World) DropTraffic(ctx context.Context, t Traffic, l Length) error {
	from, to := everyone(), everyone()
	var fromNodes, toNodes []*Node
	fromName, toName := "anywhere", "anywhere"
	var err error
	if t.From != nil {
		if from, fromNodes, err = w.side(ctx, *t.From); err != nil {
			return err
		}
		fromName = sideName(*t.From, fromNodes)
	}
	if t.To != nil {
		if to, toNodes, err = w.side(ctx, *t.To); err != nil {
			return err
		}
		toName = sideName(*t.To, toNodes)
	}
	m := xdpfault.Match{}
	switch t.Proto {
	case "TCP":
		m.Proto = xdpfault.TCP
	case "UDP":
		m.Proto = xdpfault.UDP
	case "ICMP":
		m.Proto = xdpfault.ICMP
	}
	if t.Port != "" {
		if m.DstPort, err = w.portNumber(t.Port, append(toNodes, w.allNodes()...)); err != nil {
			return err
		}
	}
	what := fmt.Sprintf("%s traffic from %s to %s", word(t.Proto, "all"), fromName, toName)
	if t.Port != "" {
		what += " on port " + t.Port
	}
	return w.cut(ctx, kindDrop, what+" dropped", append(fromNodes, toNodes...), links(from, to, t.Both), m, l)
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

func sideName(s sel.Selector, nodes []*Node) string {
	if s.Kind == sel.Clients {
		return "the clients"
	}
	return names(nodes)
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
	in := map[*Node]bool{}
	for _, n := range inside {
		in[n] = true
	}
	var outside ports
	for _, n := range w.allNodes() {
		if !in[n] && (!fromZonesOnly || n.Zone != "") {
			outside = append(outside, n.Port())
		}
	}
	what := "zone " + zone + " isolated"
	if fromZonesOnly {
		what += " from the other zones"
	} else {
		outside = append(outside, clientsPort)
	}
	if len(outside) == 0 {
		return fmt.Errorf("%s: there is no other zone", what)
	}
	w.setLast("isolated", inside)
	return w.cut(ctx, kindIsolate, what, inside, links(portsOf(inside), outside, true), xdpfault.Match{}, l)
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
		some, err := a.release(func(l xdpfault.Link) bool { return at[l.From] || at[l.To] })
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

// HealLink ends all network harm on the links between two sides, both ways.
func (w *World) HealLink(ctx context.Context, a, b sel.Selector) error {
	left, _, err := w.side(ctx, a)
	if err != nil {
		return err
	}
	right, _, err := w.side(ctx, b)
	if err != nil {
		return err
	}
	on := map[xdpfault.Link]bool{}
	for _, l := range links(left, right, true) {
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
