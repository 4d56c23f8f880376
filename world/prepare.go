package world

import (
	"context"
	"fmt"

	"brine.test/brine/world/catalogue"
	"brine.test/brine/world/client"
)

// prepare makes what the services' clients need, once per service: a cluster is
// ready when it can be written to.
func (w *World) prepare(ctx context.Context, c *Cluster) error {
	ctx, cancel := context.WithTimeout(ctx, catalogue.DefaultReadyWithin)
	defer cancel()
	seen := map[string]bool{}
	for _, n := range c.nodes {
		for _, s := range n.services {
			if s.def.Client == nil || seen[s.Name] {
				continue
			}
			seen[s.Name] = true
			conn, err := s.fromInside()
			if err != nil {
				return err
			}
			p, ok := conn.(client.Preparer)
			if !ok {
				continue
			}
			if err := p.Prepare(ctx); err != nil {
				return fmt.Errorf("%s is not ready: %w", s.label(), err)
			}
		}
	}
	return nil
}
