package world

import (
	"fmt"
	"strings"
	"sync"

	"brine.test/brine/containers"
	"brine.test/brine/containers/diskfault"
	"brine.test/brine/netfab"
	"brine.test/brine/world/catalogue"
	"brine.test/brine/world/client"
	"brine.test/brine/world/compose"
)

// ServiceRef names a service of the catalogue, and a version where one was
// asked for.
type ServiceRef struct {
	Name, Version string

	brought bool // no sentence named it: another service needs it
}

// NodeSpec describes one node of a cluster. Memory is in bytes, CPU in cores;
// zero means no limit.
type NodeSpec struct {
	Name, Zone string
	Services   []ServiceRef
	Image      string
	Command    string
	Env        map[string]string
	Memory     int64
	CPU        float64
	aliases    []string
	binds      []containers.Bind
	after      []compose.Dependency
}

// ClusterSpec describes a cluster: so many nodes that all run the same
// services, or a list of nodes, or services defined in place (YAML).
type ClusterSpec struct {
	Name     string // prefix of the nodes' names; "" for node1 … nodeN
	Size     int
	Services []ServiceRef
	Nodes    []NodeSpec
	YAML     string
}

// Cluster is a group of nodes that know each other.
type Cluster struct {
	name  string
	nodes []*Node
	w     *World
	loose bool // made for single nodes, before a sentence that builds a cluster
}

// display is how tables name the cluster.
func (c *Cluster) display() string {
	if c.name == "" {
		return "default"
	}
	return c.name
}

// Node is one machine of a cluster: a network namespace, a parent cgroup, and
// one container per service.
type Node struct {
	Name    string
	Index   int // from 1, in its cluster
	Zone    string
	cluster *Cluster
	spec    NodeSpec
	net     *netfab.Node
	box     *containers.Node
	dir     string
	limits  limits
	clock   nodeClock

	services []*Service
}

// Port is the node's index in the fault engine.
func (n *Node) Port() int { return n.net.Index }

// Service is one service on one node.
type Service struct {
	Name    string
	node    *Node
	def     *catalogue.Service
	inst    *catalogue.Instance
	version string
	box     *containers.Service
	disk    *diskfault.Volume // behind its data, where the scenario harms disks
	limits  limits

	mu       sync.Mutex
	conn     client.Client
	askConn  client.Client
	down     bool           // told to be down: an exit is no surprise
	fell     string         // how it ended by itself, with an error; "" since it was started again, or told to be down
	logFrom  [2]int64       // sizes of stdout and stderr when it was last started
	unfollow []func() error // ends the copying of its output
	joining  bool           // it joins a cluster that runs already
	brought  bool           // no sentence named it: another service needs it
}

func (s *Service) label() string { return s.node.Name + "/" + s.Name }

// names lists the nodes' names for a person: "node1, node2 and node3".
func names(nodes []*Node) string {
	out := make([]string, len(nodes))
	for i, n := range nodes {
		out[i] = n.Name
	}
	return listWords(out)
}

func listWords(words []string) string {
	switch len(words) {
	case 0:
		return "nothing"
	case 1:
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

func nodeNames(nodes []*Node) []string {
	out := make([]string, len(nodes))
	for i, n := range nodes {
		out[i] = n.Name
	}
	return out
}

// service picks the service that a sentence means: the one named, or the only
// one of the node.
func (n *Node) service(name string) (*Service, error) {
	if name == "" {
		switch len(n.services) {
		case 1:
			return n.services[0], nil
		case 0:
			return nil, fmt.Errorf("%s: runs no service", n.Name)
		}
		if one := meant(n.services); len(one) == 1 {
			return one[0], nil
		}
		return nil, fmt.Errorf("%s: runs %s: which one?\nhint: say \"%s on %s\"", n.Name, n.serviceNames(), n.services[0].Name, n.Name)
	}
	for _, s := range n.services {
		if s.Name == name {
			return s, nil
		}
	}
	return nil, fmt.Errorf("%s on %s: no such service there\nhint: %s runs %s", name, n.Name, n.Name, n.serviceNames())
}

func (n *Node) serviceNames() string {
	out := make([]string, len(n.services))
	for i, s := range n.services {
		out[i] = s.Name
	}
	return listWords(out)
}
