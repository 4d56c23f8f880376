package history

import (
	"slices"
	"time"
)

// class is a kind of cycle: through is what its edges may be, need one that it must hold exactly once, or several times.
type class struct {
	name, meaning string
	through       relation
	need          relation
	more          bool // need may occur again
}

// classes are the kinds of cycles, the worst first.
var classes = []class{
	{"G0", "transactions overwrote each other in a cycle", ww | rt, ww, true},
	{"G1c", "transactions depend on each other in a cycle", ww | wr | rt, wr, true},
	{"G-single", "a transaction missed what it comes after", ww | wr | rt, rw, false},
	{"G2", "transactions missed each other's writes", ww | wr | rw | rt, rw, true},
}

// find looks for the shortest cycle of a class. done is false when the time was over first.
func (g *graph) find(c class, deadline time.Time) (cycle []edge, done bool) {
	part := g.components(c.through | c.need)
	var best []edge
	looked := 0
	for from := range g.out {
		for _, e := range g.out[from] {
			if e.how != c.need || part[from] != part[e.to] {
				continue
			}
			if looked++; looked%64 == 0 && time.Now().After(deadline) {
				return best, best != nil
			}
			path := g.path(e.to, from, c.through, part)
			if path == nil {
				continue
			}
			if found := g.plain(append([]edge{e}, path...)); best == nil || len(found) < len(best) {
				best = found
			}
			if len(best) == 2 {
				return best, true
			}
		}
	}
	return best, true
}

// path is the shortest way from one node to another by allowed edges inside a component.
func (g *graph) path(from, to int, through relation, part []int) []edge {
	type came struct {
		node int
		by   edge
	}
	seen := map[int]came{from: {node: -1}}
	queue := []int{from}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		if at == to {
			var path []edge
			for n := to; n != from; n = seen[n].node {
				path = append(path, seen[n].by)
			}
			slices.Reverse(path)
			return path
		}
		for _, e := range g.out[at] {
			if _, ok := seen[e.to]; ok || e.how&through == 0 || part[e.to] != part[from] {
				continue
			}
			seen[e.to] = came{at, e}
			queue = append(queue, e.to)
		}
	}
	return nil
}

// plain puts one edge of time in place of a way through moments.
func (g *graph) plain(cycle []edge) []edge {
	isMoment := func(n int) bool { return n >= len(g.txns) }
	for isMoment(cycle[len(cycle)-1].to) {
		cycle = append(cycle[1:], cycle[0]) // begin where a transaction is
	}
	var out []edge
	for _, e := range cycle {
		if !isMoment(e.to) {
			out = append(out, e)
		}
	}
	return out
}

// components are the strongly connected ones by allowed edges (Tarjan 1972), as a number for each node; a node alone has
// a number of its own. It keeps its own stack, as a chain of moments is as deep as the history is long.
func (g *graph) components(through relation) []int {
	n := len(g.out)
	part := make([]int, n)
	index := make([]int, n)
	low := make([]int, n)
	on := make([]bool, n)
	for i := range index {
		index[i], part[i] = -1, -1
	}
	type frame struct{ node, next int }
	var stack []int
	counter, parts := 0, 0
	for root := range n {
		if index[root] >= 0 {
			continue
		}
		frames := []frame{{node: root}}
		for len(frames) > 0 {
			f := &frames[len(frames)-1]
			v := f.node
			if f.next == 0 {
				index[v], low[v] = counter, counter
				counter++
				stack = append(stack, v)
				on[v] = true
			}
			deeper := false
			for f.next < len(g.out[v]) {
				e := g.out[v][f.next]
				f.next++
				if e.how&through == 0 {
					continue
				}
				if index[e.to] < 0 {
					frames = append(frames, frame{node: e.to})
					deeper = true
					break
				}
				if on[e.to] {
					low[v] = min(low[v], index[e.to])
				}
			}
			if deeper {
				continue
			}
			if f.next == 0 {
				f.next = 1 // a node without edges is not entered again
			}
			if low[v] == index[v] {
				for {
					w := stack[len(stack)-1]
					stack = stack[:len(stack)-1]
					on[w], part[w] = false, parts
					if w == v {
						break
					}
				}
				parts++
			}
			frames = frames[:len(frames)-1]
			if len(frames) > 0 {
				up := frames[len(frames)-1].node
				low[up] = min(low[up], low[v])
			}
		}
	}
	return part
}
