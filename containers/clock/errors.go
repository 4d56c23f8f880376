package clock

import (
	"errors"
	"fmt"
)

// errGone says that a process ended while it was looked at. It is no failure.
var errGone = errors.New("process ended")

// errBusy says that a thread was where the code was to change. Trying again helps.
var errBusy = errors.New("a thread is inside the code that is to change\nhint: when it is paused, resume it first")

// UnsupportedError says that this kernel or machine lacks something.
type UnsupportedError struct {
	Feature string // "stopping new programs"
	Needs   string // "kernel 5.15"
	Err     error  // what was said, may be nil
}

func (e *UnsupportedError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("%s: unsupported, needs %s", e.Feature, e.Needs)
	}
	return fmt.Sprintf("%s: unsupported, needs %s: %v", e.Feature, e.Needs, e.Err)
}

func (e *UnsupportedError) Unwrap() error { return e.Err }
