package doctor

import (
	"context"
	"errors"
	"os"
	"strings"
)

// A Status says whether the machine has a thing.
type Status string

// What a check can find.
const (
	OK      Status = "ok"
	Warn    Status = "warn"    // it works, but less well, or only so far
	Missing Status = "missing" // it does not work
	Untried Status = "untried" // it cannot be tried before something else is mended
)

// A Check is one thing that was looked at.
type Check struct {
	Name      string // what is needed: "BPF at tc"
	Status    Status
	Found     string // what is there: a version, a path, the kernel's error
	Disables  string // what does not work without it; "" when it is there
	Mend      string // the command, or the advice, that mends it; "" when it is there
	Essential bool   // no scenario runs without it
}

// Options say which folders are looked at.
type Options struct {
	StateDir string // default: BRINE_STATE, else /run/brine
	CacheDir string // default: BRINE_CACHE, else /var/cache/brine
	Features string // whose services are asked for; default: features, below the working folder
}

func (o *Options) fill() {
	o.StateDir = first(o.StateDir, os.Getenv("BRINE_STATE"), "/run/brine")
	o.Features = first(o.Features, "features")
	o.CacheDir = first(o.CacheDir, os.Getenv("BRINE_CACHE"), "/var/cache/brine")
}

func first(words ...string) string {
	for _, w := range words {
		if w != "" {
			return w
		}
	}
	return ""
}

// A probe tries one thing. It returns what it found, or why it is not there.
type probe struct {
	name      string
	try       func() (found string, err error)
	disables  string
	mend      string
	essential bool
}

// warning is an error that leaves the thing usable.
type warning struct{ error }

func (w warning) Unwrap() error { return w.error }

// run makes a Check of a probe.
func (p probe) run() Check {
	found, err := p.try()
	c := Check{Name: p.name, Status: OK, Found: found, Essential: p.essential}
	if err == nil {
		return c
	}
	c.Status, c.Disables, c.Mend = Missing, p.disables, p.mend
	var w warning
	if errors.As(err, &w) {
		c.Status = Warn
	}
	// A hint of the error knows more than the probe.
	text, hint, _ := strings.Cut(err.Error(), "\nhint: ")
	c.Found = first(text, found)
	c.Mend = first(hint, c.Mend)
	return c
}

// untried makes a Check of a probe that has to wait.
func (p probe) untried(why string) Check {
	return Check{Name: p.name, Status: Untried, Found: why, Essential: p.essential}
}

// Run tries everything, which takes about a tenth of a second, and returns one
// Check for each thing, in the order in which they are best mended.
func Run(ctx context.Context, o Options) []Check {
	o.fill()
	root := rootProbe().run()
	all := []Check{root}
	for _, p := range append(privilegeProbes(), kernelProbes(ctx)...) {
		if root.Status == Missing {
			all = append(all, p.untried("needs root"))
			continue
		}
		all = append(all, p.run())
	}
	all = append(all, toolChecks(ctx, o.CacheDir)...)
	all = append(all, programChecks(o.Features)...)
	for _, p := range diskProbes(o) {
		all = append(all, p.run())
	}
	return all
}

// Essential tries what every scenario needs, about ten milliseconds' work, and
// returns an error that says all that is missing and what mends it, for a person
// to read; nil if nothing is.
func Essential(ctx context.Context) error {
	root := rootProbe()
	if c := root.run(); c.Status == Missing {
		return c.err() // without root the rest says nothing
	}
	var errs []error
	for _, p := range append(privilegeProbes(), kernelProbes(ctx)...) {
		if !p.essential {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if c := p.run(); c.Status == Missing {
			errs = append(errs, c.err())
		}
	}
	for _, c := range missingTools(ctx) {
		errs = append(errs, c.err())
	}
	if len(errs) > 0 {
		errs = append(errs, errors.New("`brine doctor` (make doctor) shows all that this machine offers and lacks"))
	}
	return errors.Join(errs...)
}

// err is the check as an error with its hint.
func (c Check) err() error {
	return errors.New(c.Name + ": " + c.Found + "\nhint: " + c.Mend)
}
