package image

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// localProgram builds a package of the source at hand. Whether it must be
// built anew is for the go command to say; when nothing changed it does not
// even link, since it finds what it built the last time.
func (r *resolver) localProgram(ctx context.Context, tool *goTool, p Package) (program, error) {
	where, target := ".", p.Path
	if p.isFolder() {
		// From inside, so that a folder with a go.mod of its own works too.
		where, target = p.Path, "."
	}
	dir, err := r.locate(where)
	if err != nil {
		return program{}, err
	}
	if !p.isFolder() && !inModule(dir) {
		if here, err := os.Getwd(); err == nil && inModule(here) {
			dir = here
		}
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return program{}, hinted(fmt.Errorf("package %s: %s: no such folder", p, dir), "the path is relative to the feature file")
	case err != nil:
		return program{}, err
	case !info.IsDir():
		return program{}, hinted(fmt.Errorf("package %s: %s: expected the folder of a main package", p, dir), goHint)
	}
	key := keyOf("local", tool.print, r.platform.String(), strings.Join(buildFlags, " "), dir, target)
	unlock, err := r.lock(ctx, key, r.ref.Text)
	if err != nil {
		return program{}, err
	}
	defer unlock()
	work, err := r.workDir(tool)
	if err != nil {
		return program{}, err
	}
	defer work.Close() //nolint:errcheck // what stays is swept later
	built := work.path("program")
	old, have := r.savedProgram(key)
	if have {
		if err := copyFile(old.file, built); err != nil {
			return program{}, err
		}
		if err := tool.give(built); err != nil {
			return program{}, err
		}
	}
	begin := time.Now()
	args := append(append([]string{"build", "-v"}, buildFlags...), "-o", built, target)
	if _, err := tool.run(ctx, dir, r.compiling(p), args...); err != nil {
		return program{}, compileError(p, err)
	}
	if have && old.sameAs(built) {
		return old, nil
	}
	prog, err := r.saveProgram(ctx, key, built, p, "")
	if err == nil {
		r.progress(fmt.Sprintf("compiled %s in %s", p, time.Since(begin).Round(100*time.Millisecond)))
	}
	return prog, err
}

// inModule tells whether a folder belongs to a Go module. A feature that lies
// outside of any has its packages from the module of the working folder, which
// is that of the tests that run it.
func inModule(dir string) bool {
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return true
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return false
		}
		dir = parent
	}
}

// sameAs says whether a build gave the program that is in the cache.
func (p program) sameAs(built string) bool {
	h, err := v1.NewHash(p.digest)
	return err == nil && checkBlob(built, v1.Descriptor{Digest: h, Size: p.size}) == nil
}
