package world

import (
	"context"
	"errors"
	"fmt"
	"time"

	"brine.test/brine/netfab"
	"brine.test/brine/world/record"
	sel "brine.test/brine/world/selector"
)

// FailNames lets every question for a name that the nodes ask fail at once.
func (w *World) FailNames(ctx context.Context, who sel.Selector, l Length) error {
	return w.harmNames(ctx, who, "fails", l, func(n *netfab.Node) *netfab.NameHarm { return n.FailNames(netfab.NamesServFail) })
}

// SlowNames lets every question for a name that the nodes ask wait for d
// before it is answered.
func (w *World) SlowNames(ctx context.Context, who sel.Selector, d time.Duration, l Length) error {
	return w.harmNames(ctx, who, "slow by "+d.String(), l, func(n *netfab.Node) *netfab.NameHarm { return n.SlowNames(d) })
}

func (w *World) harmNames(ctx context.Context, who sel.Selector, how string, l Length, harm func(*netfab.Node) *netfab.NameHarm) error {
	askers, nodes, err := w.askers(ctx, who)
	if err != nil {
		return err
	}
	on := make([]*netfab.NameHarm, len(askers))
	for i, n := range askers {
		on[i] = harm(n)
	}
	return w.begin(ctx, &active{
		id: w.nextID("harm"), kind: kindNames, who: nodes,
		what: fmt.Sprintf("name resolution %s on %s", how, side{of: who, nodes: nodes}.name()),
		undo: func(context.Context) error {
			var errs []error
			for _, h := range on {
				errs = append(errs, h.Heal())
			}
			return errors.Join(errs...)
		},
		gauge: func() record.Receipt { return nameReceipt(on) },
	}, l)
}

// askers are the network's nodes of a selector, which may hold the clients.
func (w *World) askers(ctx context.Context, who sel.Selector) ([]*netfab.Node, []*Node, error) {
	asking, err := w.side(ctx, who)
	if err != nil {
		return nil, nil, err
	}
	var out []*netfab.Node
	if hasClients(who) {
		if w.net == nil {
			return nil, nil, errors.New("the clients: there is no cluster yet")
		}
		out = append(out, w.net.Clients())
	}
	for _, n := range asking.nodes {
		out = append(out, n.net)
	}
	return out, asking.nodes, nil
}

func nameReceipt(harms []*netfab.NameHarm) record.Receipt {
	var r record.Receipt
	for _, h := range harms {
		r.Queries += h.Touched()
		first, last := h.Window()
		if first != 0 && (r.FirstTouched == 0 || first < r.FirstTouched) {
			r.FirstTouched = first
		}
		r.LastTouched = max(r.LastTouched, last)
	}
	return r
}
