package world

import "slices"

// bring gives nodes what their services need: a service that is needed and that no node of the cluster was asked to run
// comes along on every node that runs one which needs it.
func (w *World) bring(c *Cluster, specs []NodeSpec) ([]NodeSpec, error) {
	asked := map[string]bool{}
	for _, n := range c.nodes {
		for _, s := range n.services {
			asked[s.Name] = asked[s.Name] || !s.brought
		}
	}
	for _, spec := range specs {
		for _, ref := range spec.Services {
			asked[ref.Name] = true
		}
	}
	specs = slices.Clone(specs)
	for i := range specs {
		services := slices.Clone(specs[i].Services)
		for at := 0; at < len(services); at++ { // what comes along may need more
			def, err := w.lookup.Find(services[at].Name)
			if err != nil {
				return nil, err
			}
			for _, name := range def.Needs {
				has := func(r ServiceRef) bool { return r.Name == name }
				if !asked[name] && !slices.ContainsFunc(services, has) {
					services = append(services, ServiceRef{Name: name, brought: true})
				}
			}
		}
		specs[i].Services = services
	}
	return specs, nil
}

// meant are, of several services that a sentence could mean, those that it does: not those that only came along with
// another, and of the rest not those that are there to look after another of them.
func meant(all []*Service) []*Service {
	named := slices.DeleteFunc(slices.Clone(all), func(s *Service) bool { return s.brought })
	if len(named) == 0 {
		named = all
	}
	base := slices.DeleteFunc(slices.Clone(named), func(s *Service) bool {
		return slices.ContainsFunc(named, func(other *Service) bool { return slices.Contains(s.def.Needs, other.Name) })
	})
	if len(base) == 0 {
		return named
	}
	return base
}
