package clock

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
)

// errGone says that a process ended while it was looked at. It is no failure.
var errGone = errors.New("process ended")

// errBusy says that a thread was where the code was to change. Trying again helps.
var errBusy = errors.New("inside the code that is to change")

// LeftoverError says that the clock is right again, and in which processes the
// patch stays, unused. The next Restore or Close takes it away.
type LeftoverError struct {
	Node  string   // "node2"
	Where []string // "pid 77 (prog): thread 78: …"
}

func (e *LeftoverError) Error() string {
	return fmt.Sprintf("%s: clock: right again, but its patch stays, unused, in %s\nhint: when it is paused, resume it, and set the clock right once more", e.Node, strings.Join(e.Where, ", "))
}

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

// Untested says why nobody knows whether clocks can be changed on this kind of
// machine; empty where it is tested.
func Untested() string {
	if runtime.GOARCH == "amd64" {
		return ""
	}
	return "on " + runtime.GOARCH + " it was never tried with a program that runs"
}

// Supported tells whether this kernel's vDSO is one that clocks can be changed in.
func Supported() error {
	_, err := loadImage()
	return err
}
