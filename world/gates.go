package world

import (
	"context"
	"fmt"

	"brine.test/brine/world/compose"
)

// gate tells others how far a node's start is; each channel is closed once.
type gate struct {
	node           *Node
	started, ready chan struct{}
}

// gates holds back the start of nodes until those that they depend on are far
// enough.
type gates map[string]*gate

func newGates(nodes []*Node) gates {
	g := make(gates, len(nodes))
	for _, n := range nodes {
		g[n.Name] = &gate{node: n, started: make(chan struct{}), ready: make(chan struct{})}
	}
	return g
}

// wait returns when all that the node depends on is there, or with ctx's error.
func (g gates) wait(ctx context.Context, n *Node) error {
	for _, d := range n.spec.after {
		on := g[d.Node]
		if on == nil {
			continue // its profile is not on
		}
		far := on.started
		if d.Until == compose.Ready {
			far = on.ready
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-far:
		}
		if d.Until == compose.Completed {
			if err := on.node.completed(ctx); err != nil {
				return fmt.Errorf("%s waits for %s to complete: %w", n.Name, d.Node, err)
			}
		}
	}
	return nil
}

// completed waits until all services of the node have ended, with code 0.
func (n *Node) completed(ctx context.Context) error {
	for _, s := range n.services {
		st, err := s.box.Wait(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", s.label(), err)
		}
		if st.Code != 0 {
			return fmt.Errorf("%s: %s", s.label(), s.downState())
		}
	}
	return nil
}
