package world

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"brine.test/brine/netfab"
	"brine.test/brine/world/catalogue"
	sel "brine.test/brine/world/selector"
)

// longestName is the length of a DNS label (RFC 1035, 2.3.4), which a node's
// name and host name are.
const longestName = 63

// leastMemory is what a node must be given: below it runc cannot begin.
const leastMemory = 1 << 20

// createAtOnce is how many containers are created side by side.
const createAtOnce = 8

// BuildCluster makes a cluster, starts its services and returns when every one
// of them is ready.
func (w *World) BuildCluster(ctx context.Context, c ClusterSpec) error {
	specs, err := w.plan(ctx, c)
	if err != nil {
		return err
	}
	if err := w.begun(ctx, specNames(specs)...); err != nil {
		return err
	}
	cluster := w.cluster(c.Name)
	if cluster == nil {
		cluster = &Cluster{name: c.Name, w: w}
		w.mu.Lock()
		w.clusters = append(w.clusters, cluster)
		w.mu.Unlock()
	}
	cluster.loose = false
	if err := w.addNodes(ctx, cluster, specs, nil); err != nil {
		return err
	}
	return w.prepare(ctx, cluster)
}

// plan turns a description into one spec per node.
func (w *World) plan(ctx context.Context, c ClusterSpec) ([]NodeSpec, error) {
	if have := w.cluster(c.Name); have != nil && !have.loose {
		return nil, fmt.Errorf("cluster %s: is there already\nhint: a second one needs a name: … named \"db\"", have.display())
	}
	if c.YAML != "" {
		defs, err := catalogue.ParseAll(w.docString(ctx), []byte(c.YAML))
		if err != nil {
			return nil, err
		}
		for _, d := range defs {
			w.lookup.Add(d)
			c.Services = append(c.Services, ServiceRef{Name: d.Name})
		}
		if c.Size == 0 {
			c.Size = 1
		}
	}
	if len(c.Nodes) > 0 {
		return c.Nodes, w.freeNames(c.Nodes)
	}
	if c.Size < 1 {
		return nil, fmt.Errorf("a cluster of %d nodes: expected at least 1", c.Size)
	}
	prefix := c.Name
	if prefix == "" {
		prefix = "node"
	}
	specs := make([]NodeSpec, c.Size)
	for i := range specs {
		specs[i] = NodeSpec{Name: prefix + strconv.Itoa(i+1), Services: c.Services}
	}
	return specs, w.freeNames(specs)
}

func (w *World) freeNames(specs []NodeSpec) error {
	seen := map[string]bool{}
	for _, s := range specs {
		if err := sel.CheckName(s.Name); err != nil {
			return err
		}
		if len(s.Name) > longestName {
			return fmt.Errorf("%s: a node's name has at most %d characters, this one has %d", s.Name, longestName, len(s.Name))
		}
		if seen[s.Name] || w.node(s.Name) != nil {
			return fmt.Errorf("%s: there is a node of that name already", s.Name)
		}
		seen[s.Name] = true
	}
	return nil
}

// AddNode adds one more node, of the first cluster or of a new one.
func (w *World) AddNode(ctx context.Context, spec NodeSpec) error {
	if err := w.freeNames([]NodeSpec{spec}); err != nil {
		return err
	}
	if strings.TrimSpace(spec.Image) == "" && len(spec.Services) == 0 {
		return fmt.Errorf("%s: the image is missing\nhint: write a registry's, oci:DIR, archive:FILE.tar, go:PACKAGE, or host:PROGRAM", spec.Name)
	}
	if err := w.begun(ctx, spec.Name); err != nil {
		return err
	}
	return w.addNodes(ctx, w.firstCluster(), []NodeSpec{spec}, nil)
}

// firstCluster is the cluster that single nodes join.
func (w *World) firstCluster() *Cluster {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.clusters) == 0 {
		w.clusters = append(w.clusters, &Cluster{w: w, loose: true})
	}
	return w.clusters[0]
}

// cluster finds a cluster by its name, or nil.
func (w *World) cluster(name string) *Cluster {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.clusters {
		if c.name == name {
			return c
		}
	}
	return nil
}

// addNodes makes the nodes' networks and containers, in that order, and starts
// them. before, when given, runs after the nodes exist and before they start.
func (w *World) addNodes(ctx context.Context, c *Cluster, specs []NodeSpec, before func(context.Context, []*Node) error) (err error) {
	wanted := specNames(specs)
	what := listWords(wanted)
	if len(specs) > 5 {
		what = fmt.Sprintf("%d nodes", len(specs))
	}
	done := w.stage("start " + what)
	defer func() { done(err) }()
	if specs, err = w.bring(c, specs); err != nil {
		return err
	}
	nets, err := w.netNodes(ctx, wanted)
	if err != nil {
		return fmt.Errorf("make the nodes' network: %w", err)
	}
	nodes := make([]*Node, len(specs))
	for i, spec := range specs {
		if spec.Memory > 0 && spec.Memory < leastMemory {
			return fmt.Errorf("%s: %s of memory: no program starts with so little\nhint: write 64 MiB, or %s or more", spec.Name, byteSize(spec.Memory), byteSize(leastMemory))
		}
		for _, name := range spec.aliases {
			if err := w.alias(name, spec.Name); err != nil {
				return err
			}
		}
		nodes[i] = &Node{Name: spec.Name, Zone: spec.Zone, spec: spec, cluster: c, net: nets[i], dir: filepath.Join(w.dir, spec.Name)}
		if err := w.defineServices(nodes[i]); err != nil {
			return err
		}
	}
	w.mu.Lock()
	for _, n := range nodes {
		n.Index = len(c.nodes) + 1
		c.nodes = append(c.nodes, n)
	}
	w.mu.Unlock()
	if err := w.observeNodes(nodes); err != nil {
		return err
	}
	if before != nil {
		if err := before(ctx, nodes); err != nil {
			return err
		}
	}
	if err := w.createBoxes(ctx, nodes); err != nil {
		return err
	}
	w.topology()
	return w.startNodes(ctx, nodes)
}

func specNames(specs []NodeSpec) []string {
	names := make([]string, len(specs))
	for i, s := range specs {
		names[i] = s.Name
	}
	return names
}

// netNodes gives the nodes' places in the network, and makes those that it did
// not begin with.
func (w *World) netNodes(ctx context.Context, names []string) ([]*netfab.Node, error) {
	missing := slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		_, there := w.net.Node(name)
		return there
	})
	if _, err := w.net.AddNodes(ctx, missing...); err != nil {
		return nil, err
	}
	nodes := make([]*netfab.Node, len(names))
	for i, name := range names {
		nodes[i], _ = w.net.Node(name)
	}
	return nodes, nil
}

// defineServices looks up what a node runs.
func (w *World) defineServices(n *Node) error {
	if n.spec.Image != "" {
		def := catalogue.FromImage(imageName(n.spec.Image, n.Name), n.spec.Image, w.baseDir)
		n.services = append(n.services, &Service{Name: def.Name, node: n, def: def})
	}
	for _, ref := range n.spec.Services {
		def, err := w.lookup.Find(ref.Name)
		if err != nil {
			return err
		}
		if ref.Version != "" && !def.TakesVersion() {
			return def.OneVersion(ref.Version)
		}
		n.services = append(n.services, &Service{Name: def.Name, node: n, def: def, version: word(ref.Version, def.Version), brought: ref.brought})
	}
	return nil
}

// SetZone puts nodes into an availability zone.
func (w *World) SetZone(ctx context.Context, zone string, who sel.Selector) error {
	nodes, err := w.Resolve(ctx, who)
	if err != nil {
		return err
	}
	for _, n := range nodes {
		n.Zone = zone
	}
	w.topology()
	return nil
}

// Alias gives nodes one more name, in the cluster and for the clients.
func (w *World) Alias(ctx context.Context, who sel.Selector, name string) error {
	nodes, err := w.Resolve(ctx, who)
	if err != nil {
		return err
	}
	if err := w.alias(name, nodeNames(nodes)...); err != nil {
		return err
	}
	w.topology()
	return nil
}

// alias gives nodes one more name, before or after they start.
func (w *World) alias(name string, nodes ...string) error {
	if err := w.net.Alias(name, nodes...); err != nil {
		return err
	}
	for _, n := range nodes {
		w.aliases[n] = append(w.aliases[n], name)
	}
	return nil
}

// DefineService adds a service to the catalogue for this scenario.
func (w *World) DefineService(ctx context.Context, name, yaml string) error {
	_, err := w.lookup.Define(w.docString(ctx), name, yaml)
	return err
}

// docString is where the doc string of the sentence that ctx is in comes from.
func (w *World) docString(ctx context.Context) catalogue.Origin {
	from := catalogue.Origin{File: catalogue.Shown(w.scenario.Info.URI), Base: w.baseDir}
	for _, st := range w.scenario.Info.Steps {
		if st.DocString != nil && st.Text == sentenceOf(ctx) {
			from.Line = st.DocString.Line
			break
		}
	}
	return from
}

// versionElement is a module path's last element that is only a version.
var versionElement = regexp.MustCompile(`/v[0-9]+$`)

// imageName gives a service made of an image alone its name: the last element
// of the reference, without kind, tag, version and digest, else the node's name.
func imageName(ref, node string) string {
	ref, _, _ = strings.Cut(ref, "#")
	ref, _, _ = strings.Cut(ref, "@")
	ref = versionElement.ReplaceAllString(ref, "")
	name := ref[strings.LastIndex(ref, "/")+1:]
	if kind, rest, ok := strings.Cut(name, ":"); ok && len(name) == len(ref) && slices.Contains(imageKinds, kind) {
		name = rest
	}
	name, _, _ = strings.Cut(name, ":")
	if sel.CheckName(name) != nil {
		return node
	}
	return name
}

var imageKinds = []string{"go", "host", "oci", "archive"}

// AllowInternet opens the way out of the cluster: TCP, UDP and DNS through a
// userspace relay.
func (w *World) AllowInternet(ctx context.Context) error {
	if err := w.begun(ctx); err != nil {
		return err
	}
	if err := w.net.AllowInternet(ctx); err != nil {
		return err
	}
	w.internet = true
	return nil
}

// openFaults opens the fault engine in the switch namespace and joins it to the
// network: a link is forwarded from the moment it is attached.
func (w *World) openFaults(ns *netfab.Namespace) (netfab.Switch, error) {
	engine, err := newFaults(ns, w.seed)
	if err != nil {
		return nil, err
	}
	w.faults = engine
	return faultSwitch{engine}, nil
}
