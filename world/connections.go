package world

import (
	"context"
	"errors"
	"fmt"
	"time"

	"brine.test/brine/world/record"
	"brine.test/brine/xdpfault"
)

// ResetConnections resets the live TCP connections between two sides: both
// ends get an RST. New ones may be made at once.
func (w *World) ResetConnections(ctx context.Context, t Traffic) error {
	r, err := w.route(ctx, t)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("connections %s reset", r.words)
	began := time.Now()
	conns, err := w.faults.Reset(ctx, r.links, r.match)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	hit := make([]string, len(conns))
	for i, c := range conns {
		hit[i] = fmt.Sprintf("%s %s – %s %s", w.portName(c.From), c.Local, w.portName(c.To), c.Remote)
	}
	a := &active{
		id: w.nextID("harm"), kind: kindReset, what: what, who: r.who, inject: time.Since(began), why: record.Done,
		undo:  func(context.Context) error { return nil },
		gauge: func() record.Receipt { return record.Receipt{Connections: hit} },
	}
	return errors.Join(w.begin(ctx, a, Length{}), a.Heal(ctx))
}

// RefuseConnections drops the first packet of each new TCP connection from one
// side to the other; those that are open live on.
func (w *World) RefuseConnections(ctx context.Context, t Traffic, l Length) error {
	r, err := w.route(ctx, t)
	if err != nil {
		return err
	}
	r.match.Proto, r.match.NewConns = xdpfault.TCP, true
	what := "no new connections " + r.words
	return w.impose(ctx, &active{kind: kindRefuse, what: what, who: r.who}, l, r.rule(xdpfault.Drop{}))
}

// HangConnections drops both directions of the TCP connections between two
// sides that are open now; new ones may be made.
func (w *World) HangConnections(ctx context.Context, t Traffic, l Length) error {
	r, err := w.route(ctx, t)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("existing connections %s hang", r.words)
	there := links(r.from, r.to, true)
	match := xdpfault.Match{Proto: xdpfault.TCP, Existing: true, DstPort: r.match.DstPort}
	rules := []xdpfault.Rule{{Links: there, Match: match, Action: xdpfault.Drop{}}}
	if match.DstPort != 0 { // packets back come from that port
		match.DstPort, match.SrcPort = 0, match.DstPort
		rules = append(rules, xdpfault.Rule{Links: there, Match: match, Action: xdpfault.Drop{}})
	}
	return w.impose(ctx, &active{kind: kindHang, what: what, who: r.who}, l, rules...)
}

// ResumeConnections lets connections that hang go on.
func (w *World) ResumeConnections(ctx context.Context, t Traffic) error {
	r, err := w.route(ctx, t)
	if err != nil {
		return err
	}
	r.links = links(r.from, r.to, true)
	return w.endOn(kindHang, r, fmt.Sprintf("existing connections %s: none hang", r.words))
}
