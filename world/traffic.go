package world

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"brine.test/brine/world/record"
	sel "brine.test/brine/world/selector"
	"brine.test/brine/xdpfault"
)

// Traffic says which packets a harm acts on: by direction, protocol and
// destination port. A nil end means any; Port is a number or a name of the
// service file; Proto is "", "TCP", "UDP" or "ICMP"; Both means the packets
// back too.
type Traffic struct {
	From, To    *sel.Selector
	Both        bool
	Proto, Port string
}

// route is traffic as the fault engine knows it.
type route struct {
	from, to ports
	both     bool
	links    []xdpfault.Link
	match    xdpfault.Match
	who      []*Node
	words    string // "from node1 to node2 on port 2380"
}

// route resolves the ends of t. That no packet can be meant is an error.
func (w *World) route(ctx context.Context, t Traffic) (route, error) {
	r := route{from: everyone(), to: everyone(), both: t.Both}
	if len(w.allNodes()) == 0 {
		return r, errors.New("there is no cluster yet\nhint: begin with \"Given a 3-node cluster running etcd\"")
	}
	var named []sel.Selector
	for _, end := range []*sel.Selector{t.From, t.To} {
		if end != nil {
			named = append(named, *end)
		}
	}
	ends, err := w.sides(ctx, named...)
	if err != nil {
		return r, err
	}
	var from, to side
	var words []string
	if t.From != nil {
		from, ends = ends[0], ends[1:]
		r.from = from.at
		words = append(words, "from "+from.name())
	}
	if t.To != nil {
		to = ends[0]
		r.to = to.at
		words = append(words, "to "+to.name())
	}
	if t.Both {
		words = []string{between(words)}
	}
	if r.match.Proto, err = proto(t.Proto); err != nil {
		return r, err
	}
	if t.Port != "" {
		if r.match.DstPort, err = w.portNumber(t.Port, slices.Concat(to.nodes, w.allNodes())); err != nil {
			return r, err
		}
		words = append(words, "on port "+t.Port)
	}
	r.words = strings.Join(words, " ")
	r.who = unique(slices.Concat(from.nodes, to.nodes))
	r.links = links(r.from, r.to, t.Both)
	if t.From == nil && t.To == nil {
		r.links = []xdpfault.Link{{From: xdpfault.All, To: xdpfault.All}}
	}
	if len(r.links) == 0 {
		return r, fmt.Errorf("%s: there is no such link", r.words)
	}
	return r, nil
}

// between words both directions: "between node1 and node2", "between all of node1 and node2".
func between(ends []string) string {
	a, b := strings.TrimPrefix(ends[0], "from "), strings.TrimPrefix(ends[1], "to ")
	if a == b {
		return "between " + a
	}
	return "between " + a + " and " + b
}

func proto(word string) (xdpfault.Proto, error) {
	switch word {
	case "":
		return xdpfault.Any, nil
	case "TCP":
		return xdpfault.TCP, nil
	case "UDP":
		return xdpfault.UDP, nil
	case "ICMP":
		return xdpfault.ICMP, nil
	}
	return 0, fmt.Errorf("%s: expected TCP, UDP or ICMP", word)
}

// rule acts on the route's packets.
func (r route) rule(action xdpfault.Action) xdpfault.Rule {
	return xdpfault.Rule{Links: r.links, Match: r.match, Action: action}
}

// noun words the packets: "TCP packets from node1 to node2".
func noun(protocol, what, words string) string {
	return strings.TrimSpace(strings.TrimSpace(protocol+" "+what) + " " + words)
}

// DropTraffic drops packets by direction, protocol and destination port.
func (w *World) DropTraffic(ctx context.Context, t Traffic, l Length) error {
	r, err := w.route(ctx, t)
	if err != nil {
		return err
	}
	what := noun(t.Proto, "traffic", r.words) + " dropped"
	return w.impose(ctx, &active{kind: kindDrop, what: what, who: r.who}, l, r.rule(xdpfault.Drop{}))
}

// impose puts rules on at one instant, proves them, and enters them as one harm.
func (w *World) impose(ctx context.Context, a *active, l Length, rules ...xdpfault.Rule) error {
	began := time.Now()
	h, err := w.faults.Apply(rules...)
	if err != nil {
		return fmt.Errorf("%s: %w", a.what, err)
	}
	a.id, a.handle, a.inject = w.nextID("harm"), h, time.Since(began)
	for _, r := range rules {
		a.asked = append(a.asked, r.Links...)
		a.match = append(a.match, r.Match)
	}
	a.undo = func(context.Context) error { return h.Heal() }
	a.gauge = func() record.Receipt { return w.linkReceipt(h.Receipt()) }
	if err := w.faults.Prove(ctx, h); err != nil {
		return fmt.Errorf("%s: the fault is not there: %w", a.what, errors.Join(err, h.Heal()))
	}
	return w.begin(ctx, a, l)
}
