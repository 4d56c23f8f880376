package world

import (
	"context"
	"errors"

	"brine.test/brine/world/record"
)

// follow copies what a service writes into the scenario's artifacts while it is
// written, one file per stream, each line with its time.
func (w *World) follow(s *Service) {
	stdout, stderr := s.box.LogPaths()
	for stream, path := range map[string]string{"stdout": stdout, "stderr": stderr} {
		s.unfollow = append(s.unfollow, w.rec.Follow(path, record.LogFile{Service: s.Name, Node: s.node.Name, Stream: stream}))
	}
}

// keepLogs takes the last lines of a service and ends the following.
func (s *Service) keepLogs() error {
	var errs []error
	for _, stop := range s.unfollow {
		errs = append(errs, stop())
	}
	return errors.Join(errs...)
}

// collect completes the artifacts. It runs before the teardown, whatever
// happened.
func (w *World) collect(context.Context) error {
	var errs []error
	for _, n := range w.allNodes() {
		for _, s := range n.services {
			errs = append(errs, s.keepLogs())
		}
	}
	return errors.Join(errs...)
}
