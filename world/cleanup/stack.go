package cleanup

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// DefaultTimeout is the time limit of an undo that was pushed without one.
const DefaultTimeout = 10 * time.Second

// A Stack holds undos. Its zero value is empty and ready to use; it is safe for
// concurrent use and must not be copied. Whoever closes it, owns it.
type Stack struct {
	closing sync.Mutex // held while undos run, so that a second Close waits for the first

	mu      sync.Mutex
	undos   []undo
	removed []string
	late    []error // of undos that were pushed when the stack had been closed
	closed  bool
}

type undo struct {
	name    string
	timeout time.Duration
	run     func(context.Context) error
}

// Push adds an undo: name says what it removes, in words that stand in errors
// and in Removed ("veth of node2"); timeout is its time limit, DefaultTimeout
// if it is not above zero.
//
// What is made while the stack is being closed is undone by that Close; what is
// made after it is undone by Push itself, at once, and the error kept for the
// next Close: a thing that came too late must not stay for ever.
func (s *Stack) Push(name string, timeout time.Duration, run func(ctx context.Context) error) {
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	u := undo{name: name, timeout: timeout, run: run}

	s.mu.Lock()
	if !s.closed {
		s.undos = append(s.undos, u)
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()

	if err := s.do(context.Background(), u); err != nil {
		s.mu.Lock()
		s.late = append(s.late, err)
		s.mu.Unlock()
	}
}

// Close runs the undos, last-in first-out, and returns their errors joined, each
// led by the name of its undo. It keeps ctx's values but not its end. Closing
// again is harmless; a Close during another one waits for it. An undo must not
// close the stack that it stands on.
func (s *Stack) Close(ctx context.Context) error {
	s.closing.Lock()
	defer s.closing.Unlock()

	var errs []error
	for {
		u, ok := s.pop()
		if !ok {
			break
		}
		if err := s.do(ctx, u); err != nil {
			errs = append(errs, err)
		}
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	errs = append(errs, s.late...)
	s.late = nil
	return errors.Join(errs...)
}

// CloseOnError closes the stack if *err is not nil, and joins what went wrong
// then to *err. It is for a constructor's defer.
func (s *Stack) CloseOnError(ctx context.Context, err *error) {
	if *err == nil {
		return
	}
	if undoErr := s.Close(ctx); undoErr != nil {
		*err = errors.Join(*err, fmt.Errorf("and undoing what had been made: %w", undoErr))
	}
}

// Release hands the undos over: it moves them to a new stack and leaves this one
// empty, so that closing it does nothing.
func (s *Stack) Release() *Stack {
	s.mu.Lock()
	defer s.mu.Unlock()
	to := &Stack{undos: s.undos}
	s.undos = nil
	return to
}

// Removed lists, in the order of their going, the names of the undos that ran
// without error.
func (s *Stack) Removed() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.removed...)
}

// Pending lists, in the order of their making, the names of the undos that have
// not been run.
func (s *Stack) Pending() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, u := range s.undos {
		names = append(names, u.name)
	}
	return names
}

// pop takes the last undo, or marks the stack closed when there is none.
func (s *Stack) pop() (undo, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.undos) == 0 {
		s.closed = true
		return undo{}, false
	}
	last := len(s.undos) - 1
	u := s.undos[last]
	s.undos = s.undos[:last]
	return u, true
}

// do runs one undo and notes its name when it succeeded.
func (s *Stack) do(ctx context.Context, u undo) error {
	if err := u.bounded(ctx); err != nil {
		return fmt.Errorf("%s: %w", u.name, err)
	}
	s.mu.Lock()
	s.removed = append(s.removed, u.name)
	s.mu.Unlock()
	return nil
}
