package catalogue

import (
	"fmt"
	"slices"
)

// Before are the services that are started, and ready, before this one where its node has them.
func (s *Service) Before() []string { return append(slices.Clone(s.Start.After), s.Needs...) }

// Order sorts the services of one node so that each comes after those it names in start.after, and after those that it
// needs and the node has; else they keep their order. It fails when one waits for a service that the node has not, or when they wait for each other.
func Order(services []*Service) ([]*Service, error) {
	byName := map[string]*Service{}
	for _, s := range services {
		byName[s.Name] = s
	}
	var ordered []*Service
	done := map[string]bool{}
	var visit func(s *Service, waiting []string) error
	visit = func(s *Service, waiting []string) error {
		if done[s.Name] {
			return nil
		}
		if slices.Contains(waiting, s.Name) {
			return fmt.Errorf("%s: start.after: %s wait for each other", s.Name, list(waiting, "and"))
		}
		for _, name := range s.Before() {
			before, ok := byName[name]
			if !ok && slices.Contains(s.Needs, name) {
				continue // another node has it
			}
			if !ok {
				return fmt.Errorf("%s: start.after: the node has no service %s, only %s", s.Name, name, list(keys(byName), "and"))
			}
			if err := visit(before, append(waiting, s.Name)); err != nil {
				return err
			}
		}
		done[s.Name] = true
		ordered = append(ordered, s)
		return nil
	}
	for _, s := range services {
		if err := visit(s, nil); err != nil {
			return nil, err
		}
	}
	return ordered, nil
}
