package containers

import "time"

// Status is what a service is doing.
type Status string

// The states of a service.
const (
	Created Status = "created" // never started
	Running Status = "running"
	Paused  Status = "paused" // by itself or with its node
	Exited  Status = "exited"
)

// State is a service's state at one moment.
type State struct {
	Status Status
	PID    int       // of the first process, in the host's numbers; 0 when not up
	Since  time.Time // when it came into this state
	Code   int       // exit code of the last run; 128+signal when a signal ended it
	Signal int       // the signal that ended the last run, or 0
	OOM    bool      // the last run was ended by the kernel for lack of memory
	Starts int       // how often it was started
}

// Up tells whether the service has a live process, paused or not.
func (s State) Up() bool { return s.Status == Running || s.Status == Paused }

// State tells the service's state as containerd's events have it.
func (s *Service) State() State {
	paused := s.node.isPaused()
	s.mu.Lock()
	defer s.mu.Unlock()
	if paused && s.state.Status == Running {
		st := s.state
		st.Status = Paused
		return st
	}
	return s.state
}
