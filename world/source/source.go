// Package source reads the files that sentences name: scripts, experiments, schedules, Compose files.
package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// mostNames is how many files an error names.
const mostNames = 8

// Read reads a file; what says what it is, such as "PxL script". Where there is none the error says what there is.
func Read(what, path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: there is no such %s\nhint: %s", path, what, instead(path))
	case err != nil:
		var failed *fs.PathError
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return nil, fmt.Errorf("%s: read the %s: %w", path, what, err)
	}
	return text, nil
}

// instead tells which files of that kind lie where one was looked for.
func instead(path string) string {
	dir, kind := filepath.Dir(path), filepath.Ext(path)
	for len(dir) > 1 {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			break
		}
		dir = filepath.Dir(dir)
	}
	if dir != filepath.Dir(path) {
		return fmt.Sprintf("there is no folder %s; a relative path starts at the feature file", filepath.Dir(path))
	}
	entries, _ := os.ReadDir(dir) // a folder that cannot be read has nothing to offer
	var names []string
	for _, e := range entries {
		if e.Type().IsRegular() && filepath.Ext(e.Name()) == kind {
			names = append(names, e.Name())
		}
	}
	if len(names) == 0 {
		return fmt.Sprintf("no *%s lies in %s; a relative path starts at the feature file", kind, dir)
	}
	more := ""
	if len(names) > mostNames {
		more = fmt.Sprintf(" and %d more", len(names)-mostNames)
		names = names[:mostNames]
	}
	return fmt.Sprintf("there is %s%s in %s", strings.Join(names, ", "), more, dir)
}
