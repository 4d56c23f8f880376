package selector

import (
	"fmt"
	"strings"
)

// Kind says how a selector finds its nodes.
type Kind int

// The kinds of selector.
const (
	Named     Kind = iota // by name: a node, an alias, or a remembered value
	All                   // every node of the cluster
	Others                // all but those that the sentence names
	Leader                // the node that claims to lead
	Followers             // all running nodes but the leader
	AFollower             // one of them
	Random                // N nodes chosen with the scenario's seed
	Minority              // the largest minority, chosen with the seed
	Majority              // the smallest majority, chosen with the seed
	Zone                  // the nodes of an availability zone
	Isolated              // those last isolated
	Killed                // those last killed
	Paused                // those last paused
	OldLeader             // the last known leader before the present one
	Clients               // the test's own vantage point, which is no node
	List                  // several of the above, in Parts
)

// Selector is one parsed "who". Only the fields that its Kind uses are set.
type Selector struct {
	Kind          Kind
	Names         []string   // Named: one or more, in the order written
	N             int        // Random: how many
	Zone          string     // Zone: its name
	Of            string     // the service whose leader is meant, or "", of all that speak of a leader
	WithLeader    bool       // Minority, Majority: it must hold the leader
	WithoutLeader bool       // Minority, Majority: it must not hold the leader
	Parts         []Selector // List: at least two, none of them a List; read them with Each, which hands Service down
	Service       string     // any but Clients: only this service of the nodes ("redis on node1")
	Text          string     // the words as they were written
}

var plain = map[Kind]string{
	All: "all nodes", Others: "the other nodes", Leader: "the leader", Followers: "the followers",
	AFollower: "a follower", Minority: "a minority", Majority: "a majority", Isolated: "the isolated nodes",
	Killed: "the killed nodes", Paused: "the paused nodes", OldLeader: "the old leader", Clients: "the clients",
}

// String gives the selector in the grammar's own words: Parse of it gives the same selector.
func (s Selector) String() string {
	words := s.who()
	if s.Service != "" {
		return s.Service + " on " + words
	}
	return words
}

func (s Selector) who() string {
	switch s.Kind {
	case Named:
		return join(s.Names)
	case Random:
		if s.N == 1 {
			return "a random node"
		}
		return fmt.Sprintf("%d random nodes", s.N)
	case Zone:
		return "zone " + s.Zone
	case List:
		parts := make([]string, len(s.Parts))
		for i, p := range s.Parts {
			parts[i] = p.String()
		}
		return join(parts)
	}
	words := plain[s.Kind]
	switch {
	case s.WithLeader:
		words += " with the leader"
	case s.WithoutLeader:
		words += " without the leader"
	}
	if s.Of != "" {
		words += " of " + s.Of
	}
	return words
}

// join writes a list as English does: "a", "a and b", "a, b and c".
func join(parts []string) string {
	last := len(parts) - 1
	if last < 1 {
		return strings.Join(parts, "")
	}
	return strings.Join(parts[:last], ", ") + " and " + parts[last]
}

// Each gives the parts of a list as the sentence wrote them: a selector for each name, and for each other phrase.
// A selector that is no list gives itself. "between node1 and node2" is read with it.
func (s Selector) Each() []Selector {
	switch s.Kind {
	case List:
		each := make([]Selector, len(s.Parts))
		for i, part := range s.Parts {
			part.Service = s.Service
			each[i] = part
		}
		return each
	case Named:
		each := make([]Selector, len(s.Names))
		for i, name := range s.Names {
			each[i] = Selector{Kind: Named, Names: []string{name}, Service: s.Service, Text: name}
		}
		return each
	}
	return []Selector{s}
}

// Only makes a selector of one name.
func Only(name string) Selector {
	return Selector{Kind: Named, Names: []string{name}, Text: name}
}
