package random

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// How long a fault lasts where nothing else is said.
const (
	ShortestFault = time.Second
	LongestFault  = 5 * time.Second
)

// Fault is what may be drawn, and how likely it is among the others.
type Fault struct {
	// Name is that of a kind ("kill"), or a sentence that harms ("2 random nodes are paused").
	Name   string
	Weight float64
	// Min and Max bound its length; zero is ShortestFault and LongestFault.
	Min, Max time.Duration
}

// NeedsDisk and NeedsClock tell what a kind asks for before a cluster starts. Sentences tell for themselves.
func (f Fault) NeedsDisk() bool { k, _ := kindOf(f.Name); return k.disk }

// NeedsClock is said above.
func (f Fault) NeedsClock() bool { k, _ := kindOf(f.Name); return k.clock }

// IsKind tells whether the name is that of a kind, and not a sentence.
func (f Fault) IsKind() bool { _, ok := kindOf(f.Name); return ok }

// lengths are Min and Max with their defaults.
func (f Fault) lengths() (shortest, longest time.Duration) {
	shortest, longest = f.Min, f.Max
	if shortest == 0 {
		shortest = ShortestFault
		if longest > 0 {
			shortest = min(shortest, longest)
		}
	}
	if longest == 0 {
		longest = max(shortest, LongestFault)
	}
	return shortest, longest
}

// form is a fault that can be drawn for so many nodes.
type form struct {
	Fault
	kind  kind
	count int // nodes drawn; 0: the sentence names its own
	asked bool
	say   func(r *rand.Rand, nodes []string) string
}

var drawn = regexp.MustCompile(`\b(?:a random node|(\d+) random nodes?|a minority|a majority)( with)?`)

// form reads a fault. groups[0] is what a minority is one of.
func (f Fault) form(cluster []string) (form, error) {
	if k, ok := kindOf(f.Name); ok {
		out := form{Fault: f, kind: k, count: 1}
		if k.name == partition {
			out.say = nil // drawn with the nodes
		} else {
			out.say = func(r *rand.Rand, nodes []string) string { return k.say(r, nodes[0]) }
		}
		return out, nil
	}
	if !strings.Contains(f.Name, " ") {
		return form{}, fmt.Errorf("fault %q: no such kind\nhint: there is %s; or write a sentence, such as `a random node is paused`", f.Name, strings.Join(Kinds(), ", "))
	}
	out := form{Fault: f, kind: kind{name: f.Name, down: true}, asked: true}
	at := drawn.FindStringSubmatchIndex(f.Name)
	if at == nil || at[4] >= 0 { // "a minority with the leader" is known when it strikes
		out.say = func(*rand.Rand, []string) string { return f.Name }
		return out, nil
	}
	switch words := f.Name[at[0]:at[1]]; {
	case at[2] >= 0:
		n, err := strconv.Atoi(f.Name[at[2]:at[3]])
		if err != nil || n < 1 {
			return form{}, fmt.Errorf("fault %q: expected one node or more", f.Name)
		}
		out.count = n
	case words == "a minority":
		out.count = Minority(len(cluster))
	case words == "a majority":
		out.count = len(cluster)/2 + 1
	default:
		out.count = 1
	}
	if out.count == 0 || out.count > len(cluster) {
		return form{}, fmt.Errorf("fault %q: not among %d nodes", f.Name, len(cluster))
	}
	out.say = func(_ *rand.Rand, nodes []string) string {
		return agree(f.Name[:at[0]]+List(nodes)+f.Name[at[1]:], f.Name[at[0]:at[1]], len(nodes))
	}
	return out, nil
}

// agree mends the verb of a sentence whose selector became one name or several.
func agree(text, was string, n int) string {
	if strings.HasPrefix(was, "a ") && n > 1 {
		return strings.Replace(text, " is ", " are ", 1)
	}
	return text
}

// List is how a sentence names nodes: "node1, node2 and node3".
func List(nodes []string) string {
	last := len(nodes) - 1
	if last < 1 {
		return strings.Join(nodes, "")
	}
	return strings.Join(nodes[:last], ", ") + " and " + nodes[last]
}

// Minority is the size of the largest minority of n.
func Minority(n int) int { return max(0, (n-1)/2) }
