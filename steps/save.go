package steps

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Save writes a feature made of the scenario into a folder, with links to the service files and to the other files that
// stand beside its own feature, so that it runs there too. It gives the feature's path.
func (c Chosen) Save(dir, text string) (string, error) {
	from, err := filepath.Abs(filepath.Dir(c.File))
	if err != nil {
		return "", err
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Join(dir, "services"), 0o755); err != nil {
		return "", err
	}
	for up := from; ; up = filepath.Dir(up) {
		if err := linkAll(filepath.Join(up, "services"), filepath.Join(dir, "services"), dir); err != nil {
			return "", err
		}
		if _, err := os.Stat(filepath.Join(up, "go.mod")); err == nil || up == filepath.Dir(up) {
			break
		}
	}
	if err := linkAll(from, dir, dir); err != nil {
		return "", err
	}
	file := filepath.Join(dir, filepath.Base(c.File))
	return file, os.WriteFile(file, []byte(text), 0o644)
}

// linkAll links what a folder holds into another, but for features, for what is there already, and for the folder that not
// is in.
func linkAll(from, to, not string) error {
	entries, err := os.ReadDir(from)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("link what stands beside the feature: %w", err)
	}
	for _, e := range entries {
		path := filepath.Join(from, e.Name())
		if strings.HasSuffix(e.Name(), ".feature") || strings.HasPrefix(e.Name(), ".") || strings.HasPrefix(not+"/", path+"/") {
			continue
		}
		if err := os.Symlink(path, filepath.Join(to, e.Name())); err != nil && !errors.Is(err, os.ErrExist) {
			return fmt.Errorf("link what stands beside the feature: %w", err)
		}
	}
	return nil
}
