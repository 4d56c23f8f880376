package containers

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"sync"

	"brine.test/brine/containers/cgroup"
)

// NodeSpec is what a node is made of.
type NodeSpec struct {
	Name       string
	NetNS      string // path of its network namespace, as runc can open it
	Hostname   string // default: Name
	ResolvConf string // text of /etc/resolv.conf
	Hosts      string // text of /etc/hosts
	Dir        string // folder for logs and volumes, made when missing, kept
	Memory     int64  // bytes for all services together; 0: no limit
	CPU        float64
}

// Node is a network namespace and a control group, with one container per
// service.
type Node struct {
	Name string

	group  *Group
	spec   NodeSpec
	cgroup *cgroup.Group

	mu       sync.Mutex
	services map[string]*Service
	paused   bool
}

// NewNode makes a node: its control group and its folder.
func (g *Group) NewNode(ctx context.Context, spec NodeSpec) (*Node, error) {
	if spec.Hostname == "" {
		spec.Hostname = spec.Name
	}
	n := &Node{Name: spec.Name, group: g, spec: spec, services: map[string]*Service{}}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", spec.Name, err)
	}
	if !filepath.IsAbs(spec.Dir) {
		return nil, fmt.Errorf("%s: folder %q: not an absolute path", spec.Name, spec.Dir)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, fmt.Errorf("%s: group %s: %w", spec.Name, g.Name, ErrClosed)
	}
	if g.nodes[spec.Name] != nil {
		return nil, fmt.Errorf("%s: there is a node of that name", spec.Name)
	}
	if err := n.writeEtc(); err != nil {
		return nil, fmt.Errorf("%s: %w", spec.Name, err)
	}
	made, err := g.rt.tree.Make(g.cgroup.Path + "/" + spec.Name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", spec.Name, err)
	}
	n.cgroup = made
	if err := limit(made, spec.Memory, spec.CPU); err != nil {
		return nil, fmt.Errorf("%s: %w", spec.Name, err)
	}
	g.nodes[spec.Name] = n
	return n, nil
}

// etcFiles are the files of /etc that belong to the node.
var etcFiles = []string{"hosts", "resolv.conf", "hostname"}

func (n *Node) etcDir() string { return filepath.Join(n.spec.Dir, "etc") }

func (n *Node) writeEtc() error {
	if err := os.MkdirAll(n.etcDir(), 0o755); err != nil {
		return err
	}
	text := map[string]string{"hosts": n.spec.Hosts, "resolv.conf": n.spec.ResolvConf, "hostname": n.spec.Hostname + "\n"}
	for _, name := range etcFiles {
		if err := os.WriteFile(filepath.Join(n.etcDir(), name), []byte(text[name]), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Services lists the node's services by name.
func (n *Node) Services() []*Service {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := make([]*Service, 0, len(n.services))
	for _, s := range n.services {
		out = append(out, s)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}
