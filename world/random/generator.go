package random

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"time"
)

// Node is whom faults may strike.
type Node struct {
	Name    string
	Cluster int  // a partition splits one cluster
	Disk    bool // its data can fail
}

// Config is all that a schedule depends on.
type Config struct {
	Seed   uint64
	Stream string // sets schedules of one seed apart
	Nodes  []Node
	// Groups are sets of nodes of which a majority stays up: those that elect a leader.
	Groups        [][]string
	Faults        []Fault
	AllowMajority bool
	Length        time.Duration // 0: without an end
	Every         time.Duration // so often; 0: at random
}

const (
	// settle is how long after its fault a node is taken to be down still: it starts, and catches up.
	settle = time.Second
	// grid is what moments and lengths are whole multiples of.
	grid = 10 * time.Millisecond
	// brisk is the length from which on faults come at their usual pace; in shorter ones they come faster.
	brisk = 10 * time.Second
	// draws is how often a fault is drawn anew when it cannot end before the end.
	draws = 16
)

// Generator gives the strikes of a schedule one by one. It is not for several goroutines.
type Generator struct {
	cfg   Config
	rng   *rand.Rand
	forms []form
	next  time.Duration // when the next fault is due
	count int
	after time.Duration // how long a node that was down settles
	on    []Strike      // those that may still be on, or settle
}

// New checks a configuration. A kind that its nodes cannot have, or that would take a majority down, is an error, or
// left out where usual tells that nobody named it; left tells which.
func New(cfg Config, usual bool) (g *Generator, left []string, err error) {
	if len(cfg.Nodes) == 0 {
		return nil, nil, errors.New("there is no node to strike")
	}
	h := fnv.New64a()
	h.Write([]byte(cfg.Stream))
	g = &Generator{cfg: cfg, rng: rand.New(rand.NewPCG(cfg.Seed, h.Sum64()))}
	for _, f := range cfg.Faults {
		if f.Weight == 0 {
			continue
		}
		form, err := g.form(f)
		if err != nil && usual {
			left = append(left, fmt.Sprintf("%s (%s)", f.Name, strings.SplitN(err.Error(), "\n", 2)[0]))
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		g.forms = append(g.forms, form)
	}
	if len(g.forms) == 0 {
		return nil, nil, errors.New("no fault has a weight above zero")
	}
	g.after = settle
	if cfg.Every > 0 {
		g.after = min(settle, cfg.Every/5)
	} else {
		g.next = g.gap(100*time.Millisecond, time.Second)
	}
	return g, left, nil
}

// form reads a fault and tells whether it can ever strike.
func (g *Generator) form(f Fault) (form, error) {
	if f.Weight < 0 {
		return form{}, fmt.Errorf("fault %q: weight %g: expected 0 or more", f.Name, f.Weight)
	}
	if short, long := f.lengths(); short > long {
		return form{}, fmt.Errorf("fault %q: at least %s and at most %s: expected the first not to be longer", f.Name, short, long)
	}
	cluster := g.names(func(Node) bool { return true })
	if len(g.cfg.Groups) > 0 {
		cluster = g.cfg.Groups[0]
	}
	out, err := f.form(cluster)
	if err != nil {
		return form{}, err
	}
	able := g.able(out)
	if len(able) < max(1, out.count) && out.kind.disk {
		return form{}, fmt.Errorf("%s: no node keeps data on a disk\nhint: say where a service does in its service file: `data: /data`", f.Name)
	}
	if _, _, ok := g.whom(out, able, nil); !ok {
		return form{}, fmt.Errorf("%s: would take a majority of %d nodes down\nhint: put a row `allow majority` into the table, or use more nodes", f.Name, len(cluster))
	}
	return out, nil
}

func (g *Generator) names(want func(Node) bool) []string {
	var out []string
	for _, n := range g.cfg.Nodes {
		if want(n) {
			out = append(out, n.Name)
		}
	}
	return out
}

// able are the nodes that can have a fault.
func (g *Generator) able(f form) []string {
	return g.names(func(n Node) bool { return n.Disk || !f.kind.disk })
}

// Draw gives the whole schedule of a Config with a length.
func (g *Generator) Draw() []Strike {
	var all []Strike
	for {
		s, ok := g.Next()
		if !ok {
			return all
		}
		all = append(all, s)
	}
}

// Next draws the strike that comes next; ok is false when none fits before the end.
func (g *Generator) Next() (s Strike, ok bool) {
	for range draws {
		f := g.pick()
		if s, ok = g.strike(f); !ok {
			continue
		}
		g.on = append(g.on, s)
		g.count++
		if g.cfg.Every > 0 {
			g.next = time.Duration(g.count) * g.cfg.Every
		} else {
			g.next = s.At + g.gap(400*time.Millisecond, 2400*time.Millisecond)
		}
		return s, true
	}
	return Strike{}, false
}

// pick draws a fault by weight.
func (g *Generator) pick() form {
	total := 0.0
	for _, f := range g.forms {
		total += f.Weight
	}
	at := g.rng.Float64() * total
	for _, f := range g.forms {
		if at -= f.Weight; at < 0 {
			return f
		}
	}
	return g.forms[len(g.forms)-1]
}

// gap draws a pause, shorter where all is short.
func (g *Generator) gap(from, to time.Duration) time.Duration {
	d := from + time.Duration(g.rng.Int64N(int64(to-from)))
	if g.cfg.Length > 0 && g.cfg.Length < brisk {
		d = time.Duration(float64(d) * float64(g.cfg.Length) / float64(brisk))
	}
	return d.Round(grid)
}

// strike places a fault at the first moment from g.next on at which the limits let it strike.
func (g *Generator) strike(f form) (Strike, bool) {
	length, at := g.length(f), g.next
	for {
		on := g.onAt(at)
		if nodes, text, ok := g.whom(f, g.free(f, on), on); ok {
			return g.fit(Strike{At: at, For: length, Fault: text, Nodes: nodes, Down: f.kind.down}, f)
		}
		ends := g.endAfter(on, at)
		if ends <= at || g.cfg.Length > 0 && ends >= g.cfg.Length {
			return Strike{}, false
		}
		if at = ends; g.cfg.Every > 0 { // the next multiple of it
			at = (ends + g.cfg.Every - 1) / g.cfg.Every * g.cfg.Every
			g.count = int(at / g.cfg.Every)
		}
	}
}

// length draws how long a fault lasts. One that strikes every so often ends before the next one begins, so that its node
// can come back.
func (g *Generator) length(f form) time.Duration {
	short, long := f.lengths()
	if every := g.cfg.Every; every > 0 && f.Max == 0 {
		long = min(long, every-g.after)
		short = min(short, long)
	}
	d := short
	if long > short {
		d += time.Duration(g.rng.Int64N(int64(long - short + 1)))
	}
	return max(min(d.Round(grid), long), short)
}

// fit cuts a strike off at the end. One that has no room for its shortest length is refused, but not the first one: a
// sentence that lets faults strike lets at least one.
func (g *Generator) fit(s Strike, f form) (Strike, bool) {
	if g.cfg.Length == 0 {
		return s, true
	}
	short, _ := f.lengths()
	room := g.cfg.Length - s.At
	if room <= 0 || g.cfg.Every == 0 && g.count > 0 && room < short {
		return s, false
	}
	s.For = min(s.For, room)
	return s, true
}

// onAt are the strikes that are on at a moment, or settle, and forgets those before.
func (g *Generator) onAt(at time.Duration) []Strike {
	g.on = slices.DeleteFunc(g.on, func(s Strike) bool { return g.over(s) <= g.next })
	return slices.DeleteFunc(slices.Clone(g.on), func(s Strike) bool { return g.over(s) <= at })
}

// over is when a strike's nodes count as well again.
func (g *Generator) over(s Strike) time.Duration {
	if s.Down {
		return s.At + s.For + g.after
	}
	return s.At + s.For
}

// endAfter is when the first of some strikes is over.
func (g *Generator) endAfter(on []Strike, at time.Duration) time.Duration {
	ends := time.Duration(0)
	for _, s := range on {
		if end := g.over(s); end > at && (ends == 0 || end < ends) {
			ends = end
		}
	}
	return ends
}

// free are the nodes that can have the fault and have none.
func (g *Generator) free(f form, on []Strike) []string {
	return slices.DeleteFunc(g.able(f), func(n string) bool {
		return slices.ContainsFunc(on, func(s Strike) bool { return slices.Contains(s.Nodes, n) })
	})
}

// whom draws nodes that the limits let a fault strike while others are on, and says the fault.
func (g *Generator) whom(f form, free []string, on []Strike) (nodes []string, text string, ok bool) {
	if f.kind.name == partition {
		return g.part(free, on)
	}
	if f.count == 0 {
		return nil, f.say(g.rng, nil), true
	}
	for _, i := range g.rng.Perm(len(free)) {
		if len(nodes) < f.count && (f.asked && f.count > 1 || g.staysUp(append(nodes, free[i]), f.kind.down, on)) {
			nodes = append(nodes, free[i])
		}
	}
	if len(nodes) < f.count || f.asked && f.count > 1 && !g.staysUp(nodes, f.kind.down, on) && len(downOf(on)) > 0 {
		return nil, "", false
	}
	nodes = g.inOrder(nodes)
	return nodes, f.say(g.rng, nodes), true
}

// part draws a partition of one cluster: a part that is smaller than the rest, or any where a majority may go down.
func (g *Generator) part(free []string, on []Strike) (nodes []string, text string, ok bool) {
	for _, i := range g.rng.Perm(len(free)) {
		cluster := g.clusterOf(free[i])
		most := Minority(len(cluster))
		if g.cfg.AllowMajority {
			most = len(cluster) / 2
		}
		if most == 0 {
			continue
		}
		size := 1 + g.rng.IntN(most)
		for _, n := range append([]string{free[i]}, shuffled(g.rng, free)...) {
			if len(nodes) < size && slices.Contains(cluster, n) && !slices.Contains(nodes, n) && g.staysUp(append(nodes, n), true, on) {
				nodes = append(nodes, n)
			}
		}
		if len(nodes) == 0 {
			continue
		}
		nodes = g.inOrder(nodes)
		rest := slices.DeleteFunc(cluster, func(n string) bool { return slices.Contains(nodes, n) })
		return nodes, fmt.Sprintf(`the network is split into "%s" and "%s"`, strings.Join(nodes, ", "), strings.Join(rest, ", ")), true
	}
	return nil, "", false
}

func shuffled(r *rand.Rand, names []string) []string {
	out := slices.Clone(names)
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// clusterOf gives the nodes of the cluster that a node is of.
func (g *Generator) clusterOf(name string) []string {
	at := slices.IndexFunc(g.cfg.Nodes, func(n Node) bool { return n.Name == name })
	return g.names(func(n Node) bool { return n.Cluster == g.cfg.Nodes[at].Cluster })
}

func (g *Generator) inOrder(names []string) []string {
	place := func(name string) int {
		return slices.IndexFunc(g.cfg.Nodes, func(n Node) bool { return n.Name == name })
	}
	sort.Slice(names, func(i, j int) bool { return place(names[i]) < place(names[j]) })
	return names
}

// staysUp tells whether of every group a majority stays up when these nodes go down too.
func (g *Generator) staysUp(nodes []string, down bool, on []Strike) bool {
	if !down || g.cfg.AllowMajority {
		return true
	}
	return StaysUp(g.cfg.Groups, append(downOf(on), nodes...))
}

func downOf(on []Strike) []string {
	var down []string
	for _, s := range on {
		if s.Down {
			down = append(down, s.Nodes...)
		}
	}
	return down
}

// StaysUp tells whether of every group a majority is not among those that are down. A group that none of them is of
// does not count.
func StaysUp(groups [][]string, down []string) bool {
	for _, group := range groups {
		n := 0
		for _, name := range group {
			if slices.Contains(down, name) {
				n++
			}
		}
		if n > Minority(len(group)) {
			return false
		}
	}
	return true
}
