package random_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"brine.test/brine/world/random"
)

const second = time.Second

// cluster is n nodes of which a majority must stay up.
func cluster(n int, disk bool) (nodes []random.Node, groups [][]string) {
	var names []string
	for i := range n {
		name := fmt.Sprintf("node%d", i+1)
		nodes, names = append(nodes, random.Node{Name: name, Disk: disk}), append(names, name)
	}
	return nodes, [][]string{names}
}

func drawConfig(t *rapid.T) random.Config {
	n := rapid.IntRange(1, 9).Draw(t, "nodes")
	cfg := random.Config{
		Seed: rapid.Uint64().Draw(t, "seed"), Stream: "s",
		AllowMajority: rapid.Bool().Draw(t, "allow majority"),
		Length:        time.Duration(rapid.IntRange(1, 120).Draw(t, "length")) * second,
	}
	cfg.Nodes, cfg.Groups = cluster(n, rapid.Bool().Draw(t, "disk"))
	for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(random.Kinds()), 1, 18, rapid.ID).Draw(t, "kinds") {
		f := random.Fault{Name: name, Weight: rapid.Float64Range(0, 9).Draw(t, "weight")}
		if rapid.Bool().Draw(t, "own length") {
			f.Min = time.Duration(rapid.IntRange(1, 8000).Draw(t, "min")) * time.Millisecond
			f.Max = f.Min + time.Duration(rapid.IntRange(0, 8000).Draw(t, "more"))*time.Millisecond
		}
		cfg.Faults = append(cfg.Faults, f)
	}
	if rapid.Bool().Draw(t, "every") {
		cfg.Every = time.Duration(rapid.IntRange(1, 10).Draw(t, "period")) * second
	}
	return cfg
}

func draw(t interface{ Fatal(...any) }, cfg random.Config) []random.Strike {
	g, _, err := random.New(cfg, true)
	if err != nil {
		return nil
	}
	strikes := g.Draw()
	if len(strikes) == 0 {
		t.Fatal("a generator that was taken drew nothing")
	}
	return strikes
}

// Whatever is asked for, no node has two faults at a time, no majority is ever down unless that is allowed, faults keep
// their lengths, and all is over at the end.
func TestLimitsAreKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := drawConfig(t)
		strikes := draw(t, cfg)
		last := time.Duration(0)
		for i, s := range strikes {
			if s.At < last {
				t.Fatalf("%v begins before the one before it, at %s", s, last)
			}
			last = s.At
			if s.At+s.For > cfg.Length {
				t.Fatalf("%v ends after %s", s, cfg.Length)
			}
			if cfg.Every > 0 && s.At%cfg.Every != 0 {
				t.Fatalf("%v is not at a multiple of %s", s, cfg.Every)
			}
			var down []string
			for _, o := range strikes[:i] {
				if o.At+o.For <= s.At {
					continue
				}
				if slices.ContainsFunc(o.Nodes, func(n string) bool { return slices.Contains(s.Nodes, n) }) {
					t.Fatalf("%v strikes a node of %v", s, o)
				}
				if o.Down {
					down = append(down, o.Nodes...)
				}
			}
			if s.Down && !cfg.AllowMajority && !random.StaysUp(cfg.Groups, append(down, s.Nodes...)) {
				t.Fatalf("%v takes a majority down; %v are", s, down)
			}
		}
	})
}

func TestSameSeedSameSchedule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := drawConfig(t)
		a := random.Schedule{Length: cfg.Length, Strikes: draw(t, cfg)}
		b := random.Schedule{Length: cfg.Length, Strikes: draw(t, cfg)}
		if a.String() != b.String() {
			t.Fatalf("two schedules of one seed:\n%s\n%s", a, b)
		}
	})
}

// A longer time goes on where the shorter one ended, as long as neither is hurried or cut off.
func TestOpenEndGoesOn(t *testing.T) {
	cfg := random.Config{Seed: 7, Faults: random.Usual()}
	cfg.Nodes, cfg.Groups = cluster(5, true)
	g, _, err := random.New(cfg, true)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Length = time.Minute
	for i, want := range draw(t, cfg) {
		got, ok := g.Next()
		if !ok || got.Fault != want.Fault || got.At != want.At {
			t.Fatalf("strike %d: got %v, want %v", i, got, want)
		}
		if got.For != want.For {
			return // cut off at the end
		}
	}
}

func TestOtherSeedOtherSchedule(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(50) {
		cfg := random.Config{Seed: seed, Faults: random.Usual(), Length: 30 * second}
		cfg.Nodes, cfg.Groups = cluster(3, true)
		seen[random.Schedule{Strikes: draw(t, cfg)}.String()] = true
	}
	if len(seen) != 50 {
		t.Errorf("50 seeds gave %d schedules", len(seen))
	}
}

// Weights are shares of what strikes, also where the limits hold some kinds back more than others.
func TestWeights(t *testing.T) {
	count, all := map[bool]int{}, 0
	for seed := range uint64(40) {
		cfg := random.Config{
			Seed: seed, Length: 10 * time.Minute,
			Faults: []random.Fault{{Name: "kill", Weight: 3}, {Name: "loss", Weight: 1}, {Name: "pause", Weight: 0}},
		}
		cfg.Nodes, cfg.Groups = cluster(3, false)
		for _, s := range draw(t, cfg) {
			count[strings.Contains(s.Fault, "killed")]++
			all++
			if strings.Contains(s.Fault, "paused") {
				t.Fatalf("%v has weight 0", s)
			}
		}
	}
	if share := float64(count[true]) / float64(all); share < 0.72 || share > 0.78 {
		t.Errorf("kill has a share of %.3f, want 0.75 (%d faults)", share, all)
	}
}

func TestUsualFaultsOfSmallClusters(t *testing.T) {
	cfg := random.Config{Seed: 1, Faults: random.Usual(), Length: time.Minute}
	cfg.Nodes, cfg.Groups = cluster(1, true)
	g, left, err := random.New(cfg, true)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 5 || !strings.Contains(left[0], "a majority of 1 nodes") {
		t.Errorf("left out: %q", left)
	}
	for _, s := range g.Draw() {
		if s.Down {
			t.Errorf("%v: takes the only node down", s)
		}
	}
}

func TestSentencesAsFaults(t *testing.T) {
	for name, want := range map[string]string{
		"a random node is paused":                      "node* is paused",
		"2 random nodes are killed":                    "node* and node* are killed",
		"a minority is isolated":                       "node* and node* are isolated",
		"the leader is killed":                         "the leader is killed",
		"a minority with the leader is isolated":       "a minority with the leader is isolated",
		"packets from a random node are delayed by 1s": "packets from node* are delayed by 1s",
	} {
		cfg := random.Config{Seed: 3, Every: 5 * second, Length: 30 * second, Faults: []random.Fault{{Name: name, Weight: 1}}}
		cfg.Nodes, cfg.Groups = cluster(5, false)
		strikes := draw(t, cfg)
		if len(strikes) != 6 {
			t.Errorf("%s: %d strikes in 30s, want 6: %v", name, len(strikes), strikes)
		}
		for _, s := range strikes {
			got := s.Fault
			for i := range 5 {
				got = strings.ReplaceAll(got, fmt.Sprintf("node%d", i+1), "node*")
			}
			if got != want {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
			if s.For > 4*second {
				t.Errorf("%v: leaves no time to come back before the next one", s)
			}
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	for want, faults := range map[string][]random.Fault{
		"no such kind":         {{Name: "meteor", Weight: 1}},
		"expected 0 or more":   {{Name: "kill", Weight: -1}},
		"above zero":           {{Name: "kill", Weight: 0}},
		"not to be longer":     {{Name: "kill", Weight: 1, Min: 3 * second, Max: second}},
		"no node keeps data":   {{Name: "disk", Weight: 1}},
		"not among 3 nodes":    {{Name: "4 random nodes are killed", Weight: 1}},
		"expected one node or": {{Name: "0 random nodes are killed", Weight: 1}},
	} {
		cfg := random.Config{Seed: 1, Faults: faults, Length: time.Minute}
		cfg.Nodes, cfg.Groups = cluster(3, false)
		if _, _, err := random.New(cfg, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %q", faults, err, want)
		}
	}
	cfg := random.Config{Seed: 1, Faults: []random.Fault{{Name: "kill", Weight: 1}}, Length: time.Minute}
	cfg.Nodes, cfg.Groups = cluster(2, false)
	if _, _, err := random.New(cfg, false); err == nil || !strings.Contains(err.Error(), "allow majority") {
		t.Errorf("a kill of one of two nodes: got %v", err)
	}
}
