package catalogue

import (
	"fmt"
	"slices"
)

// Node is one node as templates see it.
type Node struct {
	Name    string
	Index   int // from 1, in its cluster
	IP, IP6 string
	Zone    string // "" for none
}

// Data is what the templates of a node's container can use. Whoever renders fills it in; Port comes from the service.
type Data struct {
	Node    Node
	Nodes   []Node // all nodes of the cluster
	Peers   []Node // the others
	Members []Node // of Nodes those that run this service; Render takes all Nodes where it is nil
	// Services are by name the Nodes that run a service; nil stands for a made-up cluster, where all run any.
	Services map[string][]Node
	Cluster  string
	Version  string // "" for the service's default
	Joining  bool   // the node joins a cluster that runs already (node4 joins; a node replaced by an empty one)

	ports map[string]int
}

// Port gives the number of one of the service's ports: {{.Port "client"}}.
func (d Data) Port(name string) (int, error) {
	number, ok := d.ports[name]
	if !ok {
		return 0, fmt.Errorf("unknown port %q, there is %s", name, list(keys(d.ports), "and"))
	}
	return number, nil
}

// Running gives the nodes of the cluster that run a service: {{range .Running "redis"}}.
func (d Data) Running(service string) []Node {
	if d.Services == nil {
		return d.Nodes
	}
	return d.Services[service]
}

// OpData is what the templates of a described client can use: Data of the node that is asked, and the operation.
type OpData struct {
	Data
	Key, Value string
	Expect     string   // of a compare-and-set: what must be there
	Keys       []string // of read_all
	Changes    []Change // of change_all
	Target     Node     // of move_leader, add_member and remove_member: the node that is to lead, to come, to go
}

// Change is one key's share of a change_all: what must be there, and what is to be. {{json .Changes}} writes
// [{"key": …, "expect": …, "value": …}, …].
type Change struct {
	Key    string `json:"key"`
	Expect string `json:"expect"`
	Value  string `json:"value"`
}

// dataKind is which data a template is filled in with.
type dataKind int

const (
	nodeData dataKind = iota // Data
	opData                   // OpData
	pathData                 // OpData, escaped for a URL
)

// sampleNodes is how many nodes the made-up cluster has that templates are tried with.
const sampleNodes = 5

// samples are data of a made-up cluster: every node of it, at first start and joining later.
func samples(s *Service) []Data {
	var nodes []Node
	for i := 1; i <= sampleNodes; i++ {
		nodes = append(nodes, Node{
			Name: fmt.Sprintf("node%d", i), Index: i, Zone: fmt.Sprintf("az%d", i),
			IP: fmt.Sprintf("10.77.0.%d", i+1), IP6: fmt.Sprintf("fd00:77::%d", i+1),
		})
	}
	version := s.Version
	if version == "" {
		version = "1.2.3"
	}
	var all []Data
	for i, n := range nodes {
		peers := slices.Delete(slices.Clone(nodes), i, i+1)
		for _, joining := range []bool{false, true} {
			all = append(all, Data{
				Node: n, Nodes: nodes, Peers: peers, Members: nodes,
				Cluster: "default", Version: version, Joining: joining, ports: s.Ports,
			})
		}
	}
	return all
}

// keys are a map's, sorted.
func keys[V any](m map[string]V) []string {
	all := make([]string, 0, len(m))
	for k := range m {
		all = append(all, k)
	}
	return sorted(all)
}
