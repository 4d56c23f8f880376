package image

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// hostProgram resolves host:/PATH: a program of this machine, with all that
// the kernel and the dynamic linker will ask for when it starts. The program
// is not run to find that out. host:/PATH+/PATH takes more along: programs,
// libraries that are loaded by name, other files, folders with all in them.
func (r *resolver) hostProgram(ctx context.Context) (*Image, error) {
	if here := (v1.Platform{OS: runtime.GOOS, Architecture: runtime.GOARCH}); !runs(here, r.platform) {
		return nil, fmt.Errorf("expected a program for %s, this machine has programs for %s", r.platform, here)
	}
	t := newHostTree()
	paths, err := hostPaths(r.ref.Path)
	if err != nil {
		return nil, err
	}
	for i, p := range paths {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		add := t.addProgram
		if i > 0 {
			add = t.addAlong
		}
		if err := add(p); err != nil {
			return nil, err
		}
	}
	if t.script != "" {
		r.say("%s; other programs and modules that it loads are not taken along", t.script)
	}
	if err := t.addSystem(); err != nil {
		return nil, err
	}
	t.addBase()
	config := v1.Config{Entrypoint: paths[:1], Env: []string{searchPathWith(filepath.Dir(paths[0]))}, WorkingDir: "/"}
	return r.build(ctx, t.rootfs, config, time.Since(t.changed) > settled)
}

// hostTree is a root file system that copies paths of this machine to the
// same places.
type hostTree struct {
	*rootfs
	changed time.Time // when the youngest of the files was last changed
	script  string    // said when a script was taken
	linker  *linker
}

func newHostTree() *hostTree { return &hostTree{rootfs: newRootfs(), linker: newLinker()} }

// addPath copies a file with every symbolic link on the way to it, so that
// all its names lead to it as they do here. It gives the file's own path.
func (t *hostTree) addPath(name string) (string, error) {
	rest := strings.Split(clean(name), "/")
	at := "/"
	for links := 0; len(rest) > 0; {
		next := filepath.Join(at, rest[0])
		info, err := os.Lstat(next)
		if err != nil {
			return "", err
		}
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			if links++; links > 40 {
				return "", fmt.Errorf("%s: too many symbolic links", name)
			}
			target, err := os.Readlink(next)
			if err != nil {
				return "", err
			}
			t.put(next, node{link: target})
			if filepath.IsAbs(target) {
				at = "/"
			}
			// Without cleaning: .. after a link means the parent of its target.
			rest = append(pathParts(target), rest[1:]...)
		case rest[0] == "..":
			at, rest = filepath.Dir(at), rest[1:]
		case info.IsDir():
			t.put(next, node{mode: fs.ModeDir | 0o755})
			at, rest = next, rest[1:]
		case len(rest) > 1:
			return "", fmt.Errorf("%s: %w", next, errNotDir)
		default:
			return next, t.addFile(next, info)
		}
	}
	return at, nil
}

var errNotDir = errors.New("not a folder")

func pathParts(p string) []string {
	return strings.FieldsFunc(p, func(r rune) bool { return r == '/' })
}

func (t *hostTree) addFile(file string, info os.FileInfo) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s: expected a plain file, got %s", file, info.Mode().Type())
	}
	if info.Size() > maxBlob {
		return fmt.Errorf("%s: %s: expected at most %s", file, size(info.Size()), size(maxBlob))
	}
	st := stampOf(info)
	if change := time.Unix(0, st.Change); change.After(t.changed) {
		t.changed = change
	}
	t.put(file, node{mode: 0o644 | info.Mode()&0o111, file: file, identity: fmt.Sprintf("%+v", st)})
	return nil
}

// addProgram adds a program with its interpreter or its shared libraries.
func (t *hostTree) addProgram(name string) error { return t.addInterpreted(name, 0) }

func (t *hostTree) addInterpreted(name string, depth int) error {
	if depth > 4 { // as the kernel counts, BINPRM_MAX_RECURSION
		return fmt.Errorf("%s: too many interpreters of interpreters", name)
	}
	file, err := t.addPath(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return hinted(fmt.Errorf("%s: no such program on this machine", name), "install it; "+pathHint(Host))
	case err != nil:
		return err
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	if info.IsDir() || info.Mode()&0o111 == 0 {
		return hinted(fmt.Errorf("%s: expected a program, got a file that cannot be executed or a folder", name), pathHint(Host))
	}
	head, err := fileHead(file)
	if err != nil {
		return err
	}
	switch {
	case bytes.HasPrefix(head, []byte("\x7fELF")):
		return t.addELF(file)
	case bytes.HasPrefix(head, []byte("#!")):
		return t.addScript(file, head, depth)
	}
	return hinted(fmt.Errorf("%s: expected an ELF program or a script with #! in its first line", name), pathHint(Host))
}

func fileHead(file string) ([]byte, error) {
	f, err := openPlain(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()           //nolint:errcheck // only read
	head := make([]byte, 256) // the kernel's BINPRM_BUF_SIZE
	n, err := f.ReadAt(head, 0)
	if n == 0 && err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return head[:n], nil
}

// addScript adds the interpreter that the first line names; for
// #!/usr/bin/env NAME also the program that env will find.
func (t *hostTree) addScript(file string, head []byte, depth int) error {
	line, _, _ := bytes.Cut(head[2:], []byte("\n"))
	words := strings.Fields(string(line))
	if len(words) == 0 || !filepath.IsAbs(words[0]) {
		return fmt.Errorf("%s: #! names no interpreter by its absolute path", file)
	}
	t.script = fmt.Sprintf("%s is a script: it and its interpreter %s are taken", file, words[0])
	if err := t.addInterpreted(words[0], depth+1); err != nil {
		return fmt.Errorf("%s: interpreter: %w", file, err)
	}
	if filepath.Base(words[0]) != "env" {
		return nil
	}
	for _, word := range words[1:] {
		if strings.HasPrefix(word, "-") || strings.Contains(word, "=") {
			continue
		}
		for _, dir := range strings.Split(strings.TrimPrefix(searchPath, "PATH="), ":") {
			if info, err := os.Stat(filepath.Join(dir, word)); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
				return t.addInterpreted(filepath.Join(dir, word), depth+1)
			}
		}
		return fmt.Errorf("%s: interpreter %s is not on this machine's PATH", file, word)
	}
	return nil
}
