package image

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// linker finds shared libraries as ld.so(8) does, with an empty environment:
//
//	DT_RPATH of the object and of those that loaded it, unless it has DT_RUNPATH
//	DT_RUNPATH of the object
//	/etc/ld.so.cache (glibc) or /etc/ld-musl-ARCH.path (musl)
//	the linker's own folders
type linker struct {
	class   elf.Class
	machine elf.Machine
	glibc   bool
	started bool
	cache   *ldCache
	dirs    []string
}

func newLinker() *linker { return &linker{cache: &ldCache{}} }

// object is one ELF file on the way from the program to a library.
type object struct {
	file           string
	rpath, runpath []string
	needed         []string
	interp         string
	loader         *object
}

// addELF adds a program's interpreter and the closure of its libraries.
func (t *hostTree) addELF(file string) error {
	root, err := t.linker.read(file, nil)
	if err != nil {
		return err
	}
	if root.interp == "" && len(root.needed) == 0 {
		return nil // static
	}
	if root.interp != "" {
		if _, err := t.addPath(root.interp); err != nil {
			return fmt.Errorf("%s: its dynamic linker: %w", file, err)
		}
		t.linker.start(root.interp)
	}
	return t.addNeeded(root)
}

// addNeeded goes through the libraries breadth first, as the linker does.
func (t *hostTree) addNeeded(root *object) error {
	queue, seen := []*object{root}, map[string]bool{}
	for len(queue) > 0 {
		o := queue[0]
		queue = queue[1:]
		for _, name := range o.needed {
			if seen[name] {
				continue // one library of a name serves the whole program
			}
			seen[name] = true
			file := t.linker.find(name, o, root)
			if file == "" {
				return hinted(fmt.Errorf("%s: needs %s, which is not on this machine", o.file, name), "the program does not start here either; install the library's package")
			}
			if _, err := t.addPath(file); err != nil {
				return err
			}
			next, err := t.linker.read(file, o)
			if err != nil {
				return err
			}
			queue = append(queue, next)
		}
	}
	return nil
}

// addLibrary adds a library that is loaded at run time.
func (t *hostTree) addLibrary(file string) error {
	if _, err := t.addPath(file); err != nil {
		return err
	}
	o, err := t.linker.read(file, nil)
	if err != nil {
		return err
	}
	return t.addNeeded(o)
}

// start takes note of which linker it is.
func (l *linker) start(interp string) {
	if l.started {
		return
	}
	l.started = true
	base := filepath.Base(interp)
	if arch, ok := strings.CutPrefix(base, "ld-musl-"); ok {
		l.dirs = []string{"/lib", "/usr/local/lib", "/usr/lib"}
		raw, err := os.ReadFile("/etc/ld-musl-" + strings.TrimSuffix(arch, ".so.1") + ".path")
		if dirs := strings.FieldsFunc(string(raw), func(r rune) bool { return r == ':' || r == '\n' }); err == nil && len(dirs) > 0 {
			l.dirs = dirs
		}
		return
	}
	l.glibc = true
	if raw, err := os.ReadFile("/etc/ld.so.cache"); err == nil {
		if cache, err := parseLDCache(raw); err == nil {
			l.cache = cache
		}
	}
	// Debian builds its own folders into the linker; the linker lies there.
	if real, err := filepath.EvalSymlinks(interp); err == nil {
		dir := filepath.Dir(real)
		l.dirs = append(l.dirs, dir, strings.TrimPrefix(dir, "/usr"), "/usr"+strings.TrimPrefix(dir, "/usr"))
	}
	if l.class == elf.ELFCLASS64 {
		l.dirs = append(l.dirs, "/lib64", "/usr/lib64")
	}
	l.dirs = append(l.dirs, "/lib", "/usr/lib")
}

// find gives the path of a library, empty when there is none. loader is the
// object that needs it, root the program.
func (l *linker) find(name string, loader, root *object) string {
	if strings.Contains(name, "/") {
		if l.fits(name) {
			return name
		}
		return ""
	}
	var dirs []string
	if loader != nil && len(loader.runpath) == 0 {
		for o := loader; o != nil; o = o.loader {
			dirs = append(dirs, o.rpath...)
		}
		if root != nil && len(root.runpath) == 0 {
			dirs = append(dirs, root.rpath...)
		}
	}
	if loader != nil {
		dirs = append(dirs, loader.runpath...)
	}
	for _, dir := range dirs {
		if file := filepath.Join(dir, name); l.fits(file) {
			return file
		}
	}
	for _, file := range l.cache.lookup(name) {
		if l.fits(file) {
			return file
		}
	}
	for _, dir := range l.dirs {
		if file := filepath.Join(dir, name); l.fits(file) {
			return file
		}
	}
	return ""
}

// fits says whether a file is a library of the program's own kind; the linker
// passes over those of another one.
func (l *linker) fits(file string) bool {
	f, err := openPlain(file)
	if err != nil {
		return false
	}
	defer f.Close() //nolint:errcheck // only read
	e, err := elf.NewFile(f)
	return err == nil && e.Class == l.class && e.Machine == l.machine && e.Type == elf.ET_DYN
}

// read reads what an ELF file says to the linker.
func (l *linker) read(file string, loader *object) (*object, error) {
	f, err := openPlain(file)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	e, err := elf.NewFile(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if l.class == elf.ELFCLASSNONE {
		l.class, l.machine = e.Class, e.Machine
	} else if e.Class != l.class || e.Machine != l.machine {
		return nil, fmt.Errorf("%s: %s %s: expected %s %s as the first program", file, e.Class, e.Machine, l.class, l.machine)
	}
	o := &object{file: file, loader: loader}
	for _, p := range e.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		if p.Filesz == 0 || p.Filesz > 4096 {
			return nil, fmt.Errorf("%s: the name of its dynamic linker has %d bytes", file, p.Filesz)
		}
		raw := make([]byte, p.Filesz)
		if _, err := p.ReadAt(raw, 0); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		o.interp = strings.TrimRight(string(raw), "\x00")
		if !filepath.IsAbs(o.interp) {
			return nil, fmt.Errorf("%s: dynamic linker %q: expected an absolute path", file, o.interp)
		}
	}
	if o.needed, err = e.ImportedLibraries(); err != nil && !errors.Is(err, elf.ErrNoSymbols) {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	o.rpath = l.searchList(e, elf.DT_RPATH, file)
	o.runpath = l.searchList(e, elf.DT_RUNPATH, file)
	return o, nil
}

// searchList expands $ORIGIN, $LIB and $PLATFORM.
func (l *linker) searchList(e *elf.File, tag elf.DynTag, file string) []string {
	values, err := e.DynString(tag)
	if err != nil {
		return nil
	}
	lib := "lib"
	if l.class == elf.ELFCLASS64 {
		lib = "lib64"
	}
	platform := map[elf.Machine]string{elf.EM_X86_64: "x86_64", elf.EM_AARCH64: "aarch64"}[l.machine]
	origin := filepath.Dir(file)
	if real, err := filepath.EvalSymlinks(file); err == nil {
		origin = filepath.Dir(real)
	}
	expand := strings.NewReplacer("${ORIGIN}", origin, "$ORIGIN", origin, "${LIB}", lib, "$LIB", lib, "${PLATFORM}", platform, "$PLATFORM", platform)
	var dirs []string
	for _, v := range values {
		for _, dir := range strings.Split(v, ":") {
			if dir = expand.Replace(dir); filepath.IsAbs(dir) {
				dirs = append(dirs, filepath.Clean(dir))
			}
		}
	}
	return dirs
}
