package reports

import (
	"fmt"
	"sort"

	"brine.test/brine/world/record"
)

// lane is one service of one node through time.
type lane struct {
	Node     string    `json:"node"`
	Service  string    `json:"service"`
	Segments []segment `json:"segments"`
}

// segment is a time in one state.
type segment struct {
	State record.State `json:"state"`
	Begin int64        `json:"b"`
	End   int64        `json:"e"`
	Text  string       `json:"text,omitempty"`
}

// lanes turns changes of state into segments. A pause gives back, when it ends, the state before it. That a service leads
// is known from its own claims, made when it was asked: a claim holds until the service says otherwise, ends, or another
// one claims a higher term. Exits after the last sentence are the teardown's.
func lanes(c clock, s *record.ScenarioRun) []lane {
	type key struct{ node, service string }
	index := map[key]int{}
	before := map[key]record.State{}
	terms := map[key]uint64{}
	var out []lane
	var over int64
	for _, st := range s.Steps {
		over = max(over, st.End.Mono)
	}
	states := append([]record.StateRun(nil), s.States...)
	sort.SliceStable(states, func(i, j int) bool { return states[i].Mono < states[j].Mono })
	for _, st := range states {
		k := key{st.Node, st.Service}
		i, ok := index[k]
		if !ok {
			i = len(out)
			index[k] = i
			out = append(out, lane{Node: st.Node, Service: st.Service})
		}
		l := &out[i]
		state, text := st.State, stateText(st.ServiceState)
		at := c.at(st.Mono)
		if state == record.Leader {
			for other, j := range index {
				if other.service == k.service && other != k && terms[other] < st.Term {
					out[j].dethrone(at)
				}
			}
			terms[k] = st.Term
		}
		if !state.Alive() && st.Mono > over && over > 0 {
			state, text = record.Removed, "ended by the teardown"
		}
		if l.same(state, plain(text)) {
			continue
		}
		if n := len(l.Segments); n > 0 {
			l.Segments[n-1].End = at
			if state == record.Paused {
				before[k] = l.Segments[n-1].State
			}
		}
		if state == record.Resumed {
			if state = before[k]; state == "" {
				state = record.Running
			}
		}
		l.Segments = append(l.Segments, segment{State: state, Begin: at, End: c.at(s.End.Mono), Text: plain(text)})
	}
	sort.SliceStable(out, func(i, j int) bool {
		if out[i].Node != out[j].Node {
			return natural(out[i].Node, out[j].Node)
		}
		return out[i].Service < out[j].Service
	})
	return out
}

// same tells that a state says nothing new: what leads is ready and runs.
func (l *lane) same(state record.State, text string) bool {
	n := len(l.Segments)
	if n == 0 {
		return false
	}
	switch last := l.Segments[n-1].State; state {
	case record.Ready, record.Running:
		return last == state || last == record.Leader || last == record.Follower
	case record.Leader:
		return last == state && l.Segments[n-1].Text == text // else of a later term
	default:
		return last == state
	}
}

// dethrone ends a leader's segment.
func (l *lane) dethrone(at int64) {
	n := len(l.Segments)
	if n == 0 || l.Segments[n-1].State != record.Leader {
		return
	}
	end := l.Segments[n-1].End
	l.Segments[n-1].End = at
	l.Segments = append(l.Segments, segment{State: record.Ready, Begin: at, End: end, Text: "another one leads"})
}

func stateText(st record.ServiceState) string {
	text := ""
	add := func(s string) {
		if text != "" {
			text += ", "
		}
		text += s
	}
	if st.Code != nil {
		add(fmt.Sprintf("exit code %d", *st.Code))
	}
	if st.Signal != "" {
		add(st.Signal)
	}
	if st.Term > 0 {
		add(fmt.Sprintf("term %d", st.Term))
	}
	if st.Detail != "" {
		add(st.Detail)
	}
	return text
}

// natural orders node2 before node10.
func natural(a, b string) bool {
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		if digit(a[i]) && digit(b[j]) {
			x, y := i, j
			for i < len(a) && digit(a[i]) {
				i++
			}
			for j < len(b) && digit(b[j]) {
				j++
			}
			if i-x != j-y {
				return i-x < j-y
			}
			if a[x:i] != b[y:j] {
				return a[x:i] < b[y:j]
			}
			continue
		}
		if a[i] != b[j] {
			return a[i] < b[j]
		}
		i, j = i+1, j+1
	}
	return len(a)-i < len(b)-j
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// topologyView is the cluster from a moment on.
type topologyView struct {
	At    int64      `json:"t"`
	Nodes []nodeView `json:"nodes"`
}

type nodeView struct {
	Name     string   `json:"name"`
	Zone     string   `json:"zone,omitempty"`
	Address  string   `json:"address,omitempty"`
	Services []string `json:"services,omitempty"`
	Text     string   `json:"text,omitempty"`
}

func topologies(c clock, s *record.ScenarioRun) []topologyView {
	var out []topologyView
	for _, t := range s.Topologies {
		v := topologyView{At: c.at(t.Mono)}
		for _, n := range t.Nodes {
			nv := nodeView{Name: n.Name, Zone: n.Zone, Text: plain(list(n.Addresses))}
			if len(n.Addresses) > 0 {
				nv.Address = n.Addresses[0]
			}
			if len(n.Aliases) > 0 {
				nv.Text += " · also " + plain(list(n.Aliases))
			}
			for _, svc := range n.Services {
				name := svc.Name
				if svc.Version != "" {
					name += " " + svc.Version
				}
				nv.Services = append(nv.Services, plain(name))
			}
			v.Nodes = append(v.Nodes, nv)
		}
		out = append(out, v)
	}
	return out
}
