package xdpfault

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"testing"
	"time"
)

// testAll attaches a port after a rule on All was applied.
func testAll(t *testing.T, f *fabric) {
	h := f.drop(isolate(2)...)
	node := f.add(9)
	if err := f.engine.Attach(node.port); err != nil {
		t.Fatal(err)
	}
	f.reach(9, 2, false)
	f.reach(2, 9, false)
	f.reach(9, 3, true)
	f.heal(h)
	f.reach(9, 2, true)

	// A zone: all but the links inside it, for a port that is attached later too.
	h = f.apply(Rule{Links: append(isolate(2), isolate(9)...), Except: both(2, 9), Action: Drop{}})
	late := f.add(10)
	if err := f.engine.Attach(late.port); err != nil {
		t.Fatal(err)
	}
	f.reach(2, 9, true)
	f.reach(9, 2, true)
	f.reach(9, 3, false)
	f.reach(2, 10, false)
	f.reach(10, 9, false)
	f.reach(10, 3, true)
	f.heal(h)
	f.reach(10, 9, true)
}

// testServices: the services' own address is out of harm's way, the outside
// world behind them is not.
func testServices(t *testing.T, f *fabric) {
	h := f.drop(isolate(2)...)
	f.reach(2, Services, true)
	f.reach(Services, 2, true)
	f.heal(h)
	if err := f.engine.SetDefault(Services); err != nil {
		t.Fatal(err)
	}
	outside := netip.MustParseAddr("192.0.2.7")
	err := f.nodes[Services].ns.Do(func() error { return addAddr("eth0", outside) })
	if err != nil {
		t.Fatal(err)
	}
	f.nodes[Services].ip = outside
	for _, want := range []bool{true, false, true} {
		if !want {
			h = f.drop(isolate(2)...)
		} else {
			f.heal(h)
		}
		for _, l := range both(2, Services) {
			if got := f.burst(l.From, l.To, 4000, 5, false) == 5; got != want {
				t.Errorf("outside, %s: reachable %v, want %v", l, got, want)
			}
		}
	}
	if err := f.engine.SetDefault(-1); err != nil {
		t.Fatal(err)
	}
	if got := f.burst(2, Services, 4000, 5, false); got != 0 {
		t.Errorf("%d datagrams reached an unknown address without a default port", got)
	}
}

func testProve(t *testing.T, f *fabric) {
	ctx := context.Background()
	for name, rule := range map[string]Rule{
		"isolation": {Links: isolate(2), Action: Drop{}},
		"split":     {Links: splitLinks([]int{0, 2, 3}, []int{4, 5}), Action: Drop{}},
		"port":      {Links: []Link{{2, 3}}, Match: Match{Proto: TCP, DstPort: 2380}, Action: Drop{}},
		"ICMP":      {Links: []Link{{2, 3}}, Match: Match{Proto: ICMP}, Action: Drop{}},
		"new":       {Links: []Link{{2, 3}}, Match: Match{NewConns: true}, Action: Drop{}},
		"loss":      {Links: both(2, 3), Action: Loss{Share: 0.5}},
	} {
		h := f.apply(rule)
		begin := time.Now()
		if err := f.engine.Prove(ctx, h); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		t.Logf("%s: proved in %v", name, time.Since(begin))
		r := h.Receipt()
		if r.Touched() || r.Probes == 0 || drops(rule.Action) && r.ProbesDropped != r.Probes {
			t.Errorf("%s: receipt %+v, want probes alone", name, r)
		}
		if s := f.engine.LinkStats(Link{2, 3}, Match{}); s.Sent.Packets != 0 {
			t.Errorf("%s: probes are in the link's traffic: %+v", name, s)
		}
		f.heal(h)
	}
	// a rule that is not there is not proved
	h := f.drop(Link{2, 3})
	change := newChange(f.engine.matrix, f.engine.sets)
	if err := change.rewrite(h.rules[0].on, func(setKey) (setKey, error) { return setKey{}, nil }); err != nil {
		t.Fatal(err)
	}
	change.commit()
	ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	if err := f.engine.Prove(ctx, h); err == nil {
		t.Error("a harm that is not in force was proved")
	} else {
		t.Log(err)
	}
}

func testLinkStats(t *testing.T, f *fabric) {
	h := f.drop(Link{2, 3})
	f.burst(2, 3, 4001, 5, false)
	f.heal(h)
	f.burst(2, 3, 4001, 5, true)
	f.burst(2, 3, 4002, 5, false)
	for _, c := range []struct {
		match         Match
		sent, arrived uint64
	}{
		{Match{}, 15, 10},
		{Match{DstPort: 4001}, 10, 5},
		{Match{Proto: UDP, DstPort: 4002}, 5, 5},
		{Match{Proto: TCP}, 0, 0},
	} {
		s := f.engine.LinkStats(Link{2, 3}, c.match)
		if s.Sent.Packets != c.sent || s.Arrived.Packets != c.arrived {
			t.Errorf("%+v: got %+v, want %d sent and %d arrived", c.match, s, c.sent, c.arrived)
		}
	}
	if s := f.engine.LinkStats(Link{3, 2}, Match{}); s.Sent.Packets != 0 {
		t.Errorf("3→2: got %+v, want none", s)
	}
}

func testDetach(t *testing.T, f *fabric) {
	h := f.drop(Link{4, 2})
	for range 3 {
		if err := f.engine.Detach(2); err != nil {
			t.Fatal(err)
		}
		f.reach(3, 2, false)
		if err := f.engine.Attach(f.nodes[2].port); err != nil {
			t.Fatal(err)
		}
		f.reach(3, 2, true)
		f.reach(2, 3, true)
		f.reach(4, 2, false)
	}
	f.heal(h)
	if err := f.engine.Detach(77); !errors.Is(err, ErrNoSuchPort) {
		t.Errorf("detach port 77: got %v", err)
	}
}

func testLoss(t *testing.T, f *fabric) {
	n := 20_000
	if os.Getenv("BRINE_LONG") != "" {
		n = 100_000
	}
	h := f.apply(Rule{Links: []Link{{2, 3}}, Action: Loss{Share: 0.1}})
	got := n - f.burst(2, 3, 4000, n, false)
	if r := h.Receipt(); r.Dropped.Packets != uint64(got) || r.Matched.Packets != uint64(n) {
		t.Errorf("receipt: got %v, want %d of %d dropped", r, got, n)
	}
	within(t, got, n, 0.1)
	f.heal(h)
}

func testBurst(t *testing.T, f *fabric) {
	const n = 50000
	h := f.apply(Rule{Links: []Link{{2, 3}}, Action: Loss{Share: 0.1, Burst: 5}})
	got := n - f.burst(2, 3, 4000, n, false)
	if share := float64(got) / n; share < 0.08 || share > 0.12 {
		t.Errorf("lost %.3f, want about 0.1", share)
	}
	f.heal(h)
}

func testRefusals(t *testing.T, f *fabric) {
	for name, rule := range map[string]Rule{
		"no action":     {Links: []Link{{2, 3}}},
		"no links":      {Action: Drop{}},
		"unknown port":  {Links: []Link{{2, 77}}, Action: Drop{}},
		"itself":        {Links: []Link{{2, 2}}, Action: Drop{}},
		"share":         {Links: []Link{{2, 3}}, Action: Loss{Share: 1.5}},
		"burst":         {Links: []Link{{2, 3}}, Action: Loss{Share: 0.9, Burst: 2}},
		"ICMP port":     {Links: []Link{{2, 3}}, Match: Match{Proto: ICMP, DstPort: 5}, Action: Drop{}},
		"new UDP":       {Links: []Link{{2, 3}}, Match: Match{Proto: UDP, NewConns: true}, Action: Drop{}},
		"new, existing": {Links: []Link{{2, 3}}, Match: Match{NewConns: true, Existing: true}, Action: Drop{}},
	} {
		good := Rule{Links: []Link{{2, 3}}, Action: Drop{}}
		if _, err := f.engine.Apply(good, rule); err == nil {
			t.Errorf("%s: no error", name)
		} else {
			t.Log(err)
		}
	}
	f.reach(2, 3, true) // nothing of a refused Apply is in force
	var harms []*Handle
	for range setRules {
		harms = append(harms, f.drop(Link{2, 3}))
	}
	if _, err := f.engine.Apply(Rule{Links: []Link{{4, 5}, {2, 3}}, Action: Drop{}}); err == nil {
		t.Error("one rule too many: no error")
	}
	f.reach(4, 5, true)
	for _, h := range harms {
		f.heal(h)
	}
	f.reach(2, 3, true)
	if n := len(f.engine.sets.index); n != 1 {
		t.Errorf("%d rule sets are left, want the empty one alone", n)
	}
}
