package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"brine.test/brine/containers/engine"
)

// toolChecks are about programs: the engine's own, and what builds them and the
// images with a go: source.
func toolChecks(ctx context.Context, cacheDir string) []Check {
	var all []Check
	seen := map[string]bool{}
	for _, c := range engineChecks(ctx, cacheDir) {
		seen[c.Name] = true
		all = append(all, c)
	}
	for _, t := range []struct{ name, arg, disables, mend string }{
		{"go", "version", "images with a go: source; the project's tests", "install Go from https://go.dev/dl"},
		{"git", "--version", "go: images of modules outside the module proxy", "apt-get install git"},
	} {
		if !seen[t.name] {
			all = append(all, probe{
				name: t.name, disables: t.disables, mend: t.mend,
				try: func() (string, error) { return version(ctx, t.name, t.arg) },
			}.run())
		}
	}
	return all
}

// missingTools are the essential programs that are missing. They are needed only
// where the engine is still to be built.
func missingTools(ctx context.Context) []Check {
	o := Options{}
	o.fill()
	if _, cached := engine.Cached(o.CacheDir); cached || os.Getenv("CONTAINERD_ADDRESS") != "" {
		return nil
	}
	var missing []Check
	for _, c := range engineChecks(ctx, o.CacheDir) {
		if c.Essential && c.Status == Missing {
			missing = append(missing, c)
		}
	}
	return missing
}

// engineChecks are what the engine says of its needs, but for cgroups: they are
// tried with the kernel.
func engineChecks(ctx context.Context, cacheDir string) []Check {
	var all []Check
	for _, f := range engine.Check(ctx, cacheDir) {
		if f.Name != "cgroup2" {
			all = append(all, fromEngine(f))
		}
	}
	return all
}

// fromEngine turns what the engine says of its needs into a Check.
func fromEngine(f engine.Finding) Check {
	c := Check{Name: f.Name, Status: OK, Found: f.Detail}
	if f.OK {
		return c
	}
	c.Status, c.Mend = Missing, f.Fix
	switch f.Name {
	case "seccomp":
		c.Status, c.Disables = Warn, "the system call filter of containers"
	case "overlay file system":
		c.Status, c.Disables = Warn, "quick starts: images are copied for each container"
	default:
		c.Disables, c.Essential = "building the container engine, so every scenario", true
	}
	return c
}

// version runs a program to see what it says of itself.
func version(ctx context.Context, name, arg string) (string, error) {
	text, err := exec.CommandContext(ctx, name, arg).Output()
	if errors.Is(err, exec.ErrNotFound) {
		return "", warning{errors.New("not found in PATH")}
	}
	if err != nil {
		return "", warning{fmt.Errorf("%s %s: %w", name, arg, err)}
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return line, nil
}
