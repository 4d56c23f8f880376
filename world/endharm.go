package world

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"brine.test/brine/xdpfault"
)

// healable are the kinds of harm that one sentence ends by name.
var healable = map[string]harmKind{
	"loss": kindLoss, "corruption": kindCorrupt, "duplication": kindDuplicate, "reordering": kindReorder,
	"delay": kindDelay, "bandwidth limit": kindRate, "flapping": kindFlap,
}

// EndHarm ends one kind of harm ("delay", "loss", …) on some traffic, and
// nothing else: the harm that was asked for with the same words where there is
// one; else that kind of harm on those links, while it stays on its others.
func (w *World) EndHarm(ctx context.Context, kind string, t Traffic) error {
	k, ok := healable[kind]
	if !ok {
		return fmt.Errorf("the %s: no such harm to end", kind)
	}
	r, err := w.route(ctx, t)
	if err != nil {
		return err
	}
	if t.From == nil && t.To == nil && r.match == (xdpfault.Match{}) {
		return w.endAll(ctx, k)
	}
	return w.endOn(k, r, noun("the "+kind, noun(t.Proto, "", r.words), "")+": not on")
}

func (w *World) endAll(ctx context.Context, k harmKind) error {
	ofKind := func(a *active) bool { return a.kind == k }
	if len(w.active(ofKind)) == 0 {
		return fmt.Errorf("the %s: not on\nhint: %s", k, w.onNow())
	}
	return w.healAll(ctx, ofKind)
}

// endOn ends harm of one kind on the route's links.
func (w *World) endOn(k harmKind, r route, otherwise string) error {
	var same, near []*active
	for _, a := range w.active(func(a *active) bool { return a.kind == k }) {
		switch {
		case !a.matches(r.match):
		case sameLinks(a.asked, r.links):
			same = append(same, a)
		default:
			near = append(near, a)
		}
	}
	if len(same) > 0 {
		exact := slices.DeleteFunc(slices.Clone(same), func(a *active) bool { return a.match[0] != r.match })
		if len(exact) > 0 {
			same = exact
		}
		return endEach(same, func(xdpfault.Link) bool { return true })
	}
	var hit []*active
	on := covers(r.links)
	for _, a := range near {
		if slices.ContainsFunc(a.handle.Links(), on) {
			hit = append(hit, a)
		}
	}
	if len(hit) == 0 {
		return fmt.Errorf("%s\nhint: %s", otherwise, w.onNow())
	}
	return endEach(hit, on)
}

func endEach(harms []*active, on func(xdpfault.Link) bool) error {
	var errs []error
	for _, a := range harms {
		_, err := a.release(on)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// matches tells whether the harm acts on the packets that a sentence names by
// protocol and port; one that names neither means all.
func (a *active) matches(m xdpfault.Match) bool {
	if m.Proto == xdpfault.Any && m.DstPort == 0 {
		return true
	}
	return slices.ContainsFunc(a.match, func(have xdpfault.Match) bool {
		return have.DstPort == m.DstPort && (have.Proto == m.Proto || m.Proto == xdpfault.Any)
	})
}

// sameLinks compares two sets of links.
func sameLinks(a, b []xdpfault.Link) bool {
	has := map[xdpfault.Link]bool{}
	for _, l := range a {
		has[l] = true
	}
	for _, l := range b {
		if !has[l] {
			return false
		}
		delete(has, l)
	}
	return len(has) == 0
}

// covers tells whether a link is one of some links, which may have All ends.
func covers(links []xdpfault.Link) func(xdpfault.Link) bool {
	is := func(want, port int) bool { return want == xdpfault.All || want == port }
	return func(l xdpfault.Link) bool {
		return slices.ContainsFunc(links, func(w xdpfault.Link) bool { return is(w.From, l.From) && is(w.To, l.To) })
	}
}
