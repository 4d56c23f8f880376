package world

// allNodes lists the nodes of all clusters in the order of their making.
func (w *World) allNodes() []*Node {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []*Node
	for _, c := range w.clusters {
		out = append(out, c.nodes...)
	}
	return out
}

// node finds a node by its name or one of its aliases, or nil.
func (w *World) node(name string) *Node {
	for _, n := range w.allNodes() {
		if n.Name == name {
			return n
		}
	}
	return nil
}

// isPaused tells whether a pause of the node is on.
func (w *World) isPaused(n *Node) bool {
	return len(w.active(func(a *active) bool { return a.kind == kindPause && a.on([]*Node{n}) })) > 0
}

// frozen tells whether a pause of the node is on that nothing but a later sentence ends.
func (w *World) frozen(n *Node) bool {
	return len(w.active(func(a *active) bool {
		return a.kind == kindPause && a.lasts.Kind == UntilHealed && !a.random && a.on([]*Node{n})
	})) > 0
}

// forget takes a node out of the scenario.
func (w *World) forget(n *Node) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.clusters {
		for i, have := range c.nodes {
			if have == n {
				c.nodes = append(c.nodes[:i:i], c.nodes[i+1:]...)
				w.left[n.Name] = true
				return
			}
		}
	}
}
