package image

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// What the go command says, turned into progress and errors.

// resolveError says that a package could not be found or fetched, as opposed
// to one that does not compile.
type resolveError struct{ error }

func (e *resolveError) Unwrap() error { return e.error }

// fetching says which modules come.
func (r *resolver) fetching(p Package) func(string) {
	say, n := throttle(5*time.Second, r.progress), 0
	return func(line string) {
		if rest, ok := strings.CutPrefix(line, "go: downloading "); ok {
			n++
			say("fetching %s: %d modules, now %s", p.Path, n, rest)
		}
	}
}

// compiling says which packages are compiled; go build -v names each.
func (r *resolver) compiling(p Package) func(string) {
	say, n := throttle(5*time.Second, r.progress), 0
	return func(line string) {
		if !strings.ContainsAny(line, " :#") {
			n++
			say("compiling %s: %d packages, now %s", p.Path, n, line)
		}
	}
}

const (
	noSpace     = "no space left on device"
	noSpaceHint = "`go env GOCACHE GOMODCACHE` tells which folders Go fills; free some room there and in the temporary folder"
)

// fetchError leaves out what was only progress.
func fetchError(p Package, err error) error {
	var failure *goFailure
	if !errors.As(err, &failure) {
		return err
	}
	failure.said = drop(failure.said, func(line string) bool {
		return strings.HasPrefix(line, "go: downloading ") || strings.HasPrefix(line, "go: added ") || strings.HasPrefix(line, "go: upgraded ")
	})
	said := strings.Join(failure.said, " ")
	hint := "check the import path and the version; `go list -m -versions MODULE` lists them"
	if strings.Contains(said, "dial tcp") || strings.Contains(said, "no such host") || strings.Contains(said, "proxy") && strings.Contains(said, "refused") {
		hint = "the module proxy cannot be reached: check the network and GOPROXY; what was built once is taken from the cache"
	}
	if strings.Contains(said, noSpace) {
		return hinted(fmt.Errorf("package %s: %w", p, err), noSpaceHint)
	}
	return &resolveError{hinted(fmt.Errorf("package %s: %w", p, err), hint)}
}

func compileError(p Package, err error) error {
	var failure *goFailure
	if !errors.As(err, &failure) {
		return err
	}
	failure.said = drop(failure.said, func(line string) bool {
		return !strings.ContainsAny(line, " :") || strings.HasPrefix(line, "go: downloading ")
	})
	hint := "`CGO_ENABLED=0 go build " + p.Path + "` says the same; C code cannot be part of the program"
	said := strings.Join(failure.said, " ")
	switch {
	case strings.Contains(said, noSpace):
		hint = noSpaceHint
	case strings.Contains(said, "cannot find main module"), strings.Contains(said, "go.mod file not found"):
		hint = "a package without @VERSION is built in the module of the feature file, or that of the working folder; write the version to take it from the module proxy"
	case strings.Contains(said, "no required module provides"), strings.Contains(said, "is not in std"), strings.Contains(said, "cannot find module providing"):
		hint = "a package without @VERSION must belong to the module of the feature file or to one it requires; else write " + p.Path + "@VERSION"
	}
	return hinted(fmt.Errorf("package %s: %w", p, err), hint)
}

func drop(lines []string, out func(string) bool) []string {
	var kept []string
	for _, line := range lines {
		if !out(line) {
			kept = append(kept, line)
		}
	}
	return kept
}
