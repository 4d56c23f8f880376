package catalogue

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// folderName is the folder of service files beside a feature or above it.
const folderName = "services"

// Catalogue finds services by name for the scenarios of one feature file. Make one per scenario: what a scenario
// defines ends with it.
type Catalogue struct {
	folders []string // nearest first

	mu      sync.Mutex
	defined map[string]*Service
	levels  []*level // folders read so far
}

// level is one folder's services, and the files in it that could not be read.
type level struct {
	services map[string]*Service
	broken   []brokenFile
}

type brokenFile struct {
	stem string // of the file's name
	name string // as far as it could be told
	err  error
}

// New makes the catalogue of a feature file: services/ beside it and above, features/services in the working folder, and
// the built-in ones. It reads nothing yet: a folder is read when a name is looked for in it.
func New(featureFile string) *Catalogue {
	folders := foldersFrom(filepath.Dir(featureFile))
	if here, err := filepath.Abs(filepath.Join("features", folderName)); err == nil && !slices.Contains(folders, here) {
		folders = append(folders, here)
	}
	return &Catalogue{folders: folders, defined: map[string]*Service{}}
}

// foldersFrom lists services/ in a folder and its parents, up to the module's root, which holds go.mod. Outside a
// module the parents count up to the file system's border, but not those that anybody may write to, such as /tmp.
func foldersFrom(dir string) []string {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil
	}
	var folders []string
	inModule := moduleRoot(dir) != ""
	for first := true; ; first = false {
		if inModule || first || !writableByAll(dir) {
			folders = append(folders, filepath.Join(dir, folderName))
		}
		parent := filepath.Dir(dir)
		if parent == dir || isModuleRoot(dir) || !inModule && device(parent) != device(dir) {
			return folders
		}
		dir = parent
	}
}

func isModuleRoot(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil && info.Mode().IsRegular()
}

func moduleRoot(dir string) string {
	for ; ; dir = filepath.Dir(dir) {
		if isModuleRoot(dir) {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}

func writableByAll(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.Mode().Perm()&0o002 != 0
}

func device(dir string) uint64 {
	var st syscall.Stat_t
	if err := syscall.Stat(dir, &st); err != nil {
		return 0
	}
	return st.Dev
}

// Define adds a service for this scenario: `the service "kv":` and its doc string. It goes before all files.
func (c *Catalogue) Define(origin Origin, name, text string) (*Service, error) {
	s, err := Parse(origin, name, []byte(text))
	if err != nil {
		return nil, err
	}
	c.Add(s)
	return s, nil
}

// Add adds a service that ParseAll or FromImage made, for this scenario.
func (c *Catalogue) Add(s *Service) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.defined[s.Name] = s
}

// Find looks a service up: among those defined in the scenario, in services/ from the feature upwards, among the
// built-in ones. The error for an unknown name lists what there is. A file that cannot be read is in the way only of the
// name it seems to define.
func (c *Catalogue) Find(name string) (*Service, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s, ok := c.defined[name]; ok {
		return s, nil
	}
	var unread []error
	for i := range len(c.folders) + 1 {
		l, err := c.level(i)
		if err != nil {
			return nil, err
		}
		for _, b := range l.broken {
			if b.name == name || b.stem == name {
				return nil, b.err
			}
			unread = append(unread, b.err)
		}
		if s, ok := l.services[name]; ok {
			return s, nil
		}
	}
	return nil, errors.Join(append([]error{c.unknown(name)}, unread...)...)
}

// unknown is the error for a name that is nowhere, with what there is.
func (c *Catalogue) unknown(name string) error {
	where := map[string]string{}
	for n := range c.defined {
		where[n] = "this scenario"
	}
	for _, l := range c.levels {
		for n, s := range l.services {
			if where[n] == "" {
				where[n] = s.File
			}
		}
	}
	names := keys(where)
	there := make([]string, len(names))
	for i, n := range names {
		there[i] = fmt.Sprintf("%s (%s)", n, where[n])
	}
	hint := didYouMean(name, names)
	if hint == "" {
		hint = fmt.Sprintf("describe it in %s/%s.yaml beside the feature, or with: the service %q:", folderName, name, name)
	}
	return fmt.Errorf("%s: no such service, there is %s\nhint: %s", name, list(there, "and"), hint)
}

// level reads the i-th folder, or after the last the built-in services, once. The caller holds the lock.
func (c *Catalogue) level(i int) (*level, error) {
	for len(c.levels) <= i {
		l := &level{}
		var err error
		if next := len(c.levels); next < len(c.folders) {
			l, err = readFolder(c.folders[next])
		} else {
			l.services, err = readBuiltin()
		}
		if err != nil {
			return nil, err
		}
		c.levels = append(c.levels, l)
	}
	return c.levels[i], nil
}

// readFolder reads a folder's *.yaml and *.yml. A folder that is not there is empty.
func readFolder(dir string) (*level, error) {
	l := &level{services: map[string]*Service{}}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return l, nil
	}
	if err != nil {
		return nil, fmt.Errorf("service files: %w", err)
	}
	for _, e := range entries {
		extension := filepath.Ext(e.Name())
		if e.IsDir() || extension != ".yaml" && extension != ".yml" || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		file := filepath.Join(dir, e.Name())
		b := brokenFile{stem: strings.TrimSuffix(e.Name(), extension)}
		text, err := os.ReadFile(file)
		if err != nil {
			b.err = fmt.Errorf("service file: %w", err)
			l.broken = append(l.broken, b)
			continue
		}
		s, err := Parse(Origin{File: Shown(file), Base: home(file)}, "", text)
		if err != nil {
			b.name, b.err = nameIn(string(text)), err
			l.broken = append(l.broken, b)
			continue
		}
		if other := l.services[s.Name]; other != nil {
			return nil, fmt.Errorf("%s: name: %s is the name of a service in %s too\nhint: give each service file its own name", s.File, s.Name, other.File)
		}
		l.services[s.Name] = s
	}
	return l, nil
}

// home is the folder that relative paths in a service file start at: where it is, or, of a link, where it leads.
func home(file string) string {
	if info, err := os.Lstat(file); err == nil && info.Mode()&os.ModeSymlink != 0 {
		if real, err := filepath.EvalSymlinks(file); err == nil {
			return filepath.Dir(real)
		}
	}
	return filepath.Dir(file)
}

// nameIn guesses the name in a file that is not right, from a line `name: …` at its margin.
func nameIn(text string) string {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "name:"); ok {
			rest, _, _ = strings.Cut(rest, " #")
			return strings.Trim(strings.TrimSpace(rest), `"'`)
		}
	}
	return ""
}

// Shown is a path as errors show it: relative to the working folder where that is shorter.
func Shown(file string) string {
	here, err := os.Getwd()
	if err != nil {
		return file
	}
	relative, err := filepath.Rel(here, file)
	if err != nil || len(relative) >= len(file) {
		return file
	}
	return relative
}
