package diskfault

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"syscall"
	"time"
)

// Rule is harm to some calls: which, and what. A call that several rules match
// waits for the sum of their delays and gets the error of the one applied first.
type Rule struct {
	// Ops are the operations it acts on. None: all.
	Ops []Op `json:"ops,omitempty"`
	// Path is a pattern (path.Match, and ** for any number of elements) for the
	// path in the volume, without a leading slash; a pattern without a slash is
	// for the last element. Empty: all.
	Path string `json:"path,omitempty"`
	// Share is the part of the matching calls that is touched, above 0 and up to
	// 1. Zero: all of them.
	Share float64 `json:"share,omitempty"`
	// Seed decides which calls a share takes, and where bits flip and writes tear.
	Seed uint64 `json:"seed,omitempty"`

	// Errno is what a touched call returns instead of being carried out.
	Errno syscall.Errno `json:"errno,omitempty"`
	// Delay is how long a touched call waits first. Killing the caller or healing
	// the rule ends the wait.
	Delay time.Duration `json:"delay,omitempty"`
	// Torn writes only the first of a write's 512-byte sectors, how many is drawn,
	// and reports success; with Errno it reports that.
	Torn bool `json:"torn,omitempty"`
	// Flip is how many bits flip in what a read returns.
	Flip int `json:"flip,omitempty"`
}

// Receipt is what a rule did: the calls it touched.
type Receipt struct {
	Calls map[Op]uint64 `json:"calls"`
	Bytes uint64        `json:"bytes"` // that touched reads and writes asked for
	First int64         `json:"first"` // CLOCK_MONOTONIC, ns; 0: none touched
	Last  int64         `json:"last"`
}

// Total is the number of calls touched.
func (r Receipt) Total() uint64 {
	var n uint64
	for _, c := range r.Calls {
		n += c
	}
	return n
}

func (r Rule) check() error {
	for _, op := range r.Ops {
		if _, ok := opIndex[op]; !ok {
			return fmt.Errorf("operation %q: there is no such operation", op)
		}
	}
	if err := checkPattern(r.Path); err != nil {
		return err
	}
	ops := setOf(r.Ops)
	switch {
	case r.Share < 0 || r.Share > 1:
		return fmt.Errorf("share %v: not between 0 and 1", r.Share)
	case r.Delay < 0:
		return fmt.Errorf("delay %v: less than nothing", r.Delay)
	case r.Torn && !ops.has(OpWrite):
		return errors.New("torn: acts on writes, and the rule does not")
	case r.Flip != 0 && !ops.has(OpRead):
		return errors.New("flip: acts on reads, and the rule does not")
	case r.Flip < 0:
		return fmt.Errorf("flip %d: less than nothing", r.Flip)
	case r.Errno == 0 && r.Delay == 0 && !r.Torn && r.Flip == 0:
		return errors.New("rule: does nothing: no errno, delay, torn, or flip")
	}
	return nil
}

func checkPattern(pattern string) error {
	if strings.HasPrefix(pattern, "/") {
		return fmt.Errorf("path %q: begins with a slash; paths are those in the volume", pattern)
	}
	for _, part := range strings.Split(pattern, "/") {
		if _, err := path.Match(part, ""); err != nil {
			return fmt.Errorf("path %q: %w", pattern, err)
		}
	}
	return nil
}

// matchPath tells whether a pattern that was checked matches a path.
func matchPath(pattern, name string) bool {
	if !strings.Contains(pattern, "/") {
		if pattern == "**" {
			return true
		}
		return matchOne(pattern, path.Base(name))
	}
	return matchParts(strings.Split(pattern, "/"), strings.Split(name, "/"))
}

func matchParts(pattern, name []string) bool {
	for len(pattern) > 0 {
		if pattern[0] == "**" {
			for skip := 0; skip <= len(name); skip++ {
				if matchParts(pattern[1:], name[skip:]) {
					return true
				}
			}
			return false
		}
		if len(name) == 0 || !matchOne(pattern[0], name[0]) {
			return false
		}
		pattern, name = pattern[1:], name[1:]
	}
	return len(name) == 0
}

func matchOne(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}
