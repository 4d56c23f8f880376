package netfab

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// nameTable says which addresses a name has, and whose an address is. The name
// server and the dialler both ask it.
type nameTable struct {
	mu      sync.RWMutex
	nodes   map[string]*Node   // by canonical name
	aliases map[string][]*Node // by canonical name, in the order given
	owners  map[netip.Addr]*Node
}

func newNameTable() *nameTable {
	return &nameTable{nodes: map[string]*Node{}, aliases: map[string][]*Node{}, owners: map[netip.Addr]*Node{}}
}

// canonical is the form under which names are kept: lower case, no last dot.
func canonical(name string) string {
	return strings.ToLower(strings.TrimSuffix(name, "."))
}

func (t *nameTable) add(n *Node) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.nodes[canonical(n.Name)] = n
	t.owners[n.IP], t.owners[n.IP6] = n, n
}

func (t *nameTable) remove(n *Node) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.nodes, canonical(n.Name))
	delete(t.owners, n.IP)
	delete(t.owners, n.IP6)
	for alias, nodes := range t.aliases {
		nodes = slices.DeleteFunc(slices.Clone(nodes), func(o *Node) bool { return o == n })
		if t.aliases[alias] = nodes; len(nodes) == 0 {
			delete(t.aliases, alias)
		}
	}
}

// taken tells whether a node may not have this name, as something has it.
func (t *nameTable) taken(name string) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	name = canonical(name)
	return t.nodes[name] != nil || t.aliases[name] != nil
}

// owner is the node that an address belongs to, nil where none.
func (t *nameTable) owner(a netip.Addr) *Node {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.owners[a.Unmap().WithZone("")]
}

// lookup gives a name's addresses, all IPv4 ones first.
func (t *nameTable) lookup(name string) ([]netip.Addr, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	name = canonical(name)
	if n := t.nodes[name]; n != nil {
		return []netip.Addr{n.IP, n.IP6}, true
	}
	nodes := t.aliases[name]
	if nodes == nil {
		return nil, false
	}
	addrs := make([]netip.Addr, 0, 2*len(nodes))
	for _, n := range nodes {
		addrs = append(addrs, n.IP)
	}
	for _, n := range nodes {
		addrs = append(addrs, n.IP6)
	}
	return addrs, true
}

var domainName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$`)

// Alias makes a name stand for nodes, in the cluster and for the clients. A
// name that is an alias already stands for these nodes too.
func (n *Network) Alias(name string, nodes ...string) error {
	if !domainName.MatchString(name) || len(name) > 253 {
		return fmt.Errorf("%q: no domain name", name)
	}
	t := n.names
	t.mu.Lock()
	defer t.mu.Unlock()
	key := canonical(name)
	if t.nodes[key] != nil || key == "localhost" {
		return fmt.Errorf("%s: alias: a node has this name", name)
	}
	all := slices.Clone(t.aliases[key])
	for _, want := range nodes {
		node := t.nodes[canonical(want)]
		if node == nil {
			return fmt.Errorf("%s: alias for %s: no such node", want, name)
		}
		if !slices.Contains(all, node) {
			all = append(all, node)
		}
	}
	if len(all) == 0 {
		return fmt.Errorf("%s: alias for no node", name)
	}
	t.aliases[key] = all
	return nil
}

// Lookup gives the addresses of a node's name or an alias, IPv4 first, as the
// name server would when nobody harms it.
func (n *Network) Lookup(name string) ([]netip.Addr, bool) { return n.names.lookup(name) }
