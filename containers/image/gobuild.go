package image

import (
	"context"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// program is a compiled main package in the cache.
type program struct {
	name    string // its name in the image
	file    string
	digest  string
	size    int64
	version string
}

// programInfo lies beside a cached program.
type programInfo struct {
	Package string    `json:"package"` // for people
	Version string    `json:"version,omitempty"`
	Name    string    `json:"name"`
	Digest  string    `json:"digest"`
	Size    int64     `json:"size"`
	Built   time.Time `json:"built"`
}

// savedProgram gives a cached program whose bytes are as they were written.
// The caller has the lock of the key; the program stays as it is for this
// resolver even when another run replaces it afterwards.
func (r *resolver) savedProgram(key string) (program, bool) {
	var info programInfo
	file := r.path("programs", key, "program")
	if readJSON(r.path("programs", key, "info.json"), &info) != nil {
		return program{}, false
	}
	h, err := v1.NewHash(info.Digest)
	if err != nil || checkBlob(file, v1.Descriptor{Digest: h, Size: info.Size}) != nil {
		return program{}, false
	}
	held := r.held.path(key)
	if err := os.Link(file, held); err != nil && !errors.Is(err, fs.ErrExist) {
		return program{}, false
	}
	file = held
	now := time.Now()
	_ = os.Chtimes(r.path("programs", key), now, now)
	return program{name: info.Name, file: file, digest: info.Digest, size: info.Size, version: info.Version}, true
}

// saveProgram copies a program that was built into the cache.
func (r *resolver) saveProgram(ctx context.Context, key, built string, p Package, version string) (program, error) {
	info, err := buildinfo.ReadFile(built)
	if err != nil {
		return program{}, hinted(fmt.Errorf("package %s: expected a main package, got a library", p), goHint)
	}
	name, err := programOf(info.Path)
	if err != nil {
		return program{}, err
	}
	tmp, err := r.draft()
	if err != nil {
		return program{}, err
	}
	defer tmp.Close() //nolint:errcheck // what stays is swept later
	f, err := openPlain(built)
	if err != nil {
		return program{}, err
	}
	defer f.Close() //nolint:errcheck // only read
	h, n, err := addBlob(ctx, tmp, f)
	if err != nil {
		return program{}, err
	}
	dir := r.path("programs", key)
	_ = os.Remove(r.held.path(key))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return program{}, err
	}
	raw, err := json.MarshalIndent(programInfo{p.String(), version, name, h.String(), n, time.Now().UTC()}, "", "  ")
	if err != nil {
		return program{}, err
	}
	if err := os.Rename(tmp.blobPath(h), filepath.Join(dir, "program")); err != nil {
		return program{}, err
	}
	if err := writeAtomic(tmp, filepath.Join(dir, "info.json"), raw); err != nil {
		return program{}, err
	}
	prog, ok := r.savedProgram(key)
	if !ok {
		return prog, fmt.Errorf("%s: the program was stored and cannot be read back", dir)
	}
	return prog, nil
}

// moduleProgram builds a package of the module proxy.
//
// A scratch module takes the package as a tool, because `go install
// PACKAGE@VERSION` refuses modules with replace directives, as etcd's; they
// are without effect here, as for everyone who imports the module.
func (r *resolver) moduleProgram(ctx context.Context, tool *goTool, p Package) (program, error) {
	key := keyOf("module", tool.print, r.platform.String(), strings.Join(buildFlags, " "), p.String())
	unlock, err := r.lock(ctx, key, r.ref.Text)
	if err != nil {
		return program{}, err
	}
	defer unlock()
	if fixedVersion.MatchString(p.Version) {
		if prog, ok := r.savedProgram(key); ok {
			return prog, nil
		}
	}
	work, err := r.workDir(tool)
	if err != nil {
		return program{}, err
	}
	defer work.Close() //nolint:errcheck // what stays is swept later
	tool = tool.with("GOWORK=off", "GOFLAGS=-mod=mod")
	// go get raises the go line to what the modules ask for, and with it the
	// defaults of GODEBUG to what their authors tested.
	if err := tool.write(work.path("go.mod"), "module brine.invalid/scratch\n\ngo 1.21\n"); err != nil {
		return program{}, err
	}
	begin := time.Now()
	r.progress("fetching " + p.String())
	if _, err := tool.run(ctx, work.dir, r.fetching(p), "get", "-tool", p.String()); err != nil {
		return program{}, fetchError(p, err)
	}
	version, err := resolvedVersion(ctx, tool, work.dir, p)
	if err != nil {
		return program{}, err
	}
	// A branch or latest: what it is now may have been built before.
	if old, ok := r.savedProgram(key); ok && old.version == version {
		return old, nil
	}
	r.progress(fmt.Sprintf("compiling %s %s, which is kept for the next time", p.Path, version))
	built := work.path("program")
	args := append(append([]string{"build", "-v"}, buildFlags...), "-o", built, p.Path)
	if _, err := tool.run(ctx, work.dir, r.compiling(p), args...); err != nil {
		return program{}, compileError(p, err)
	}
	prog, err := r.saveProgram(ctx, key, built, p, version)
	if err == nil {
		r.progress(fmt.Sprintf("compiled %s %s in %s", p.Path, version, time.Since(begin).Round(100*time.Millisecond)))
	}
	return prog, err
}

// resolvedVersion tells which version of the module was taken.
func resolvedVersion(ctx context.Context, tool *goTool, dir string, p Package) (string, error) {
	out, err := tool.run(ctx, dir, nil, "list", "-json=Name,Module", p.Path)
	if err != nil {
		return "", fetchError(p, err)
	}
	var listed struct {
		Name   string
		Module *struct{ Version string }
	}
	if err := json.Unmarshal(out, &listed); err != nil {
		return "", fmt.Errorf("go list: %w", err)
	}
	if listed.Name != "main" {
		return "", hinted(fmt.Errorf("package %s: expected a main package, got the library %s", p, listed.Name), goHint)
	}
	if listed.Module == nil {
		return "", &resolveError{fmt.Errorf("package %s: it is in no module", p)}
	}
	return listed.Module.Version, nil
}

// write writes a file that the tool's user owns.
func (t *goTool) write(path, content string) error {
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		return err
	}
	return t.give(path)
}

func (t *goTool) give(path string) error {
	if t.user == nil {
		return nil
	}
	return os.Lchown(path, int(t.user.uid), int(t.user.gid))
}

// copyFile copies a program for the linker to find and leave alone when it is
// up to date.
func copyFile(from, to string) error {
	src, err := openPlain(from)
	if err != nil {
		return err
	}
	defer src.Close() //nolint:errcheck // only read
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	return errors.Join(err, dst.Close())
}
