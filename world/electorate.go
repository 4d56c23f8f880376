package world

import (
	"fmt"

	"brine.test/brine/world/client"
)

// electorate is who elects one leader: a service on the nodes of one cluster.
type electorate struct {
	cluster *Cluster
	service string
}

// electorate finds whose leader a sentence means. of is the service or the
// cluster that it names, or ""; near are the nodes that it names. Where that
// leaves several, the same service in the first cluster is meant.
func (w *World) electorate(of string, near ...*Node) (electorate, error) {
	can := w.electorates()
	var fit []electorate
	for _, e := range can {
		if (of == "" || of == e.service || of == e.cluster.display()) && e.holds(near) {
			fit = append(fit, e)
		}
	}
	if len(fit) == 0 {
		return electorate{}, w.noElectorate(of, can, near)
	}
	fit = w.meantOf(fit)
	for _, e := range fit[1:] {
		if e.service != fit[0].service {
			return electorate{}, fmt.Errorf("the leader: %s could each have one\nhint: say \"the leader of %s\"", w.electorateNames(fit), w.electorateName(fit[0]))
		}
	}
	return fit[0], nil
}

// meantOf leaves of several electorates those that a sentence means which names none.
func (w *World) meantOf(all []electorate) []electorate {
	of := map[*Service]electorate{}
	var firsts []*Service
	for _, e := range all {
		if v := w.voters(e); len(v) > 0 {
			of[v[0]] = e
			firsts = append(firsts, v[0])
		}
	}
	var out []electorate
	for _, s := range meant(firsts) {
		out = append(out, of[s])
	}
	return out
}

// electorates are all that can tell who leads, in the order of their making.
func (w *World) electorates() []electorate {
	var out []electorate
	known := map[electorate]bool{}
	for _, n := range w.allNodes() {
		for _, s := range n.services {
			e := electorate{n.cluster, s.Name}
			if client.CanLead(s.def.Client) && !known[e] {
				known[e] = true
				out = append(out, e)
			}
		}
	}
	return out
}

// holds tells whether all the nodes are of this cluster and run this service.
func (e electorate) holds(nodes []*Node) bool {
	for _, n := range nodes {
		if _, err := n.service(e.service); err != nil || n.cluster != e.cluster {
			return false
		}
	}
	return true
}

func (w *World) noElectorate(of string, can []electorate, near []*Node) error {
	running := map[string]bool{}
	for _, n := range w.allNodes() {
		for _, s := range n.services {
			running[s.Name] = true
		}
	}
	services := keys(running)
	switch {
	case of == "" && len(can) == 0:
		return fmt.Errorf("the leader: no service here has a notion of a leader (there is %s)", listWords(services))
	case of == "":
		return fmt.Errorf("the leader: no service that elects one runs on %s\nhint: there is a leader of %s", names(near), w.electorateNames(can))
	}
	for _, e := range can {
		if of == e.service || of == e.cluster.display() {
			return fmt.Errorf("the leader of %s: %s is no part of that", of, names(near))
		}
	}
	for _, name := range services {
		if name == of {
			return fmt.Errorf("the leader of %s: this service has no notion of a leader\nhint: give its service file a client with \"leader\"", of)
		}
	}
	for _, n := range w.allNodes() {
		if n.cluster.display() == of {
			return fmt.Errorf("the leader of %s: no service of this cluster has a notion of a leader", of)
		}
	}
	return fmt.Errorf("the leader of %s: no such service\nhint: there is %s", of, listWords(services))
}

// voters are the services of an electorate, one a node.
func (w *World) voters(e electorate) []*Service {
	var out []*Service
	for _, n := range w.allNodes() {
		if n.cluster != e.cluster {
			continue
		}
		for _, s := range n.services {
			if s.Name == e.service {
				out = append(out, s)
			}
		}
	}
	return out
}

// members are the nodes of which a majority decides: those that elect a leader,
// or where nothing elects all nodes of the first cluster.
func (w *World) members(of string) ([]*Node, error) {
	var out []*Node
	can := w.electorates()
	if of == "" && len(can) == 0 {
		first := w.firstCluster()
		for _, n := range w.allNodes() {
			if n.cluster == first {
				out = append(out, n)
			}
		}
		return out, nil
	}
	e, err := w.electorate(of)
	if of == "" && err != nil {
		e, err = can[0], nil // of the cluster that was built first
	}
	if err != nil {
		return nil, err
	}
	for _, v := range w.voters(e) {
		out = append(out, v.node)
	}
	return out, nil
}

// electorateName is what stands after "the leader of": the service, or the
// cluster where two clusters run the service.
func (w *World) electorateName(e electorate) string {
	for _, other := range w.electorates() {
		if other.service == e.service && other.cluster != e.cluster {
			return e.cluster.display()
		}
	}
	return e.service
}

func (w *World) electorateNames(all []electorate) string {
	out := make([]string, len(all))
	for i, e := range all {
		out[i] = w.electorateName(e)
	}
	return listWords(out)
}
