package world

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"brine.test/brine/containers"
	"brine.test/brine/world/compose"
)

// volumesDir is the folder, in the scenario's own, of volumes that no single
// service has for itself. No node has a name like it.
const volumesDir = ".volumes"

// BuildCompose makes a cluster of the services of a Compose file, one node each,
// started in the order that depends_on asks for. A relative path starts at the
// feature's folder.
func (w *World) BuildCompose(ctx context.Context, path string) error {
	if !filepath.IsAbs(path) {
		path = filepath.Join(w.baseDir, path)
	}
	project, err := compose.Load(ctx, path, os.Environ())
	if err != nil {
		return err
	}
	for name, value := range project.Used {
		w.keepSecret(name, value)
	}
	specs := make([]NodeSpec, len(project.Services))
	for i, s := range project.Services {
		for name, value := range s.Def.Env {
			w.keepSecret(name, value.String())
		}
		w.lookup.Add(s.Def)
		specs[i] = NodeSpec{Name: s.Name, Services: []ServiceRef{{Name: s.Def.Name}}, aliases: s.Aliases, after: s.After}
		if specs[i].binds, err = w.bindsOf(s); err != nil {
			return err
		}
	}
	return w.BuildCluster(ctx, ClusterSpec{Nodes: specs})
}

// keepSecret keeps a variable's value out of the record where its name looks
// secret.
func (w *World) keepSecret(name, value string) {
	if LooksSecret(name) {
		w.suite.rec.AddSecret(value)
	}
}

// bindsOf gives a service's further volumes, whose folders it makes.
func (w *World) bindsOf(s compose.Service) ([]containers.Bind, error) {
	var out []containers.Bind
	for _, b := range s.Binds {
		source := b.Source
		if b.Volume != "" {
			source = filepath.Join(w.dir, volumesDir, b.Volume)
			if err := os.MkdirAll(source, 0o777); err != nil {
				return nil, err
			}
		} else if _, err := os.Stat(source); err != nil {
			return nil, fmt.Errorf("%s: volume %s: %w", s.Name, b.Target, err)
		}
		out = append(out, containers.Bind{Source: source, Target: b.Target, ReadOnly: b.ReadOnly})
	}
	return out, nil
}
