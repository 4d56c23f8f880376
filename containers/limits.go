package containers

import (
	"context"
	"path/filepath"

	"brine.test/brine/containers/cgroup"
)

// DataDir is the folder on the host that holds the volume of a service, by the
// folder of its node: known before the service is made, so that something can be
// mounted over it.
func DataDir(nodeDir, service string) string { return filepath.Join(nodeDir, service, "data") }

// SetMemory limits the memory of the service, in bytes, now and after each start;
// 0 lifts the limit. Its node's limit stays as it is.
func (s *Service) SetMemory(ctx context.Context, bytes int64) error {
	s.op.Lock()
	defer s.op.Unlock()
	if err := ctx.Err(); err != nil {
		return s.wrap(err)
	}
	if s.task() != nil {
		if err := s.cgroup.SetMemory(bytes); err != nil {
			return s.wrap(err)
		}
	}
	s.spec.Memory = bytes
	return nil
}

// SetCPU limits the CPU time of the service, in CPUs, now and after each start; 0
// lifts the limit. Its node's limit stays as it is.
func (s *Service) SetCPU(ctx context.Context, cpus float64) error {
	s.op.Lock()
	defer s.op.Unlock()
	if err := ctx.Err(); err != nil {
		return s.wrap(err)
	}
	if s.task() != nil {
		if err := s.cgroup.SetCPU(cpus); err != nil {
			return s.wrap(err)
		}
	}
	s.spec.CPU = cpus
	return nil
}

// Usage is what a node or service used, and how its limits were felt.
type Usage = cgroup.Usage

// Usage reads the node's counters.
func (n *Node) Usage() (Usage, error) { return n.cgroup.Usage() }

// Usage reads the service's counters, which begin with each start. It fails when
// the service does not run.
func (s *Service) Usage() (Usage, error) { return s.cgroup.Usage() }
