package image

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	// keepUnused is how long an image stays that no run asks for.
	keepUnused = 30 * 24 * time.Hour
	// keepLoose is how long one stays that no reference means any more, such
	// as what a local package was before its last change.
	keepLoose = 24 * time.Hour
)

// Prune removes what no run has asked for during that time, and what no
// reference means any more for a day. It tells how many bytes that freed.
// Runs may go on meanwhile: what they use is younger. Resolve calls it once
// a day, with 30 days.
func Prune(ctx context.Context, cfg Config, unused time.Duration) (freed int64, err error) {
	s, err := openStore(cfg.CacheDir, cfg.Progress)
	if err != nil {
		return 0, err
	}
	unlock, err := s.lock(ctx, "prune", "image cache")
	if err != nil {
		return 0, err
	}
	defer unlock()
	return s.prune(ctx, unused)
}

func (s *store) prune(ctx context.Context, unused time.Duration) (freed int64, err error) {
	tmp, err := s.draft()
	if err != nil {
		return 0, err
	}
	defer tmp.Close() //nolint:errcheck // what stays is swept later
	meant := map[string]bool{}
	for name := range s.entries("names") {
		if e, ok := s.lookup(strings.TrimSuffix(name, ".json")); ok {
			meant[s.layoutPath(e.Digest)] = true
		}
	}
	var errs []error
	for name, age := range s.entries("") {
		dir := s.path(name)
		if !strings.HasPrefix(name, "sha256-") || age < unused && (meant[dir] || age < keepLoose) {
			continue
		}
		errs = append(errs, s.dropLayout(tmp, dir))
	}
	for name, age := range s.entries("programs") {
		if age >= unused {
			freed += treeSize(s.path("programs", name))
			errs = append(errs, os.RemoveAll(s.path("programs", name)))
		}
	}
	for name := range s.entries("names") {
		if e, ok := s.lookup(strings.TrimSuffix(name, ".json")); !ok || !exists(s.layoutPath(e.Digest)) {
			errs = append(errs, os.Remove(s.path("names", name)))
		}
	}
	// The layouts that were dropped hold links to their blobs still.
	errs = append(errs, os.RemoveAll(tmp.dir))
	for name := range s.entries("blobs/sha256") {
		if ctx.Err() != nil {
			return freed, ctx.Err()
		}
		file := s.path("blobs", "sha256", name)
		info, err := os.Lstat(file)
		if err != nil {
			continue
		}
		st := info.Sys().(*syscall.Stat_t)
		// One link: no layout has it. The young ones may be of a pull that
		// broke off and will go on.
		if st.Nlink == 1 && time.Since(info.ModTime()) >= keepLoose {
			freed += info.Size()
			errs = append(errs, os.Remove(file))
		}
	}
	return freed, errors.Join(errs...)
}

// entries lists a folder with the age of each entry.
func (s *store) entries(dir string) map[string]time.Duration {
	found := map[string]time.Duration{}
	list, err := os.ReadDir(s.path(dir))
	if err != nil {
		return found
	}
	for _, e := range list {
		if info, err := e.Info(); err == nil {
			found[e.Name()] = time.Since(info.ModTime())
		}
	}
	return found
}

func exists(path string) bool { _, err := os.Lstat(path); return err == nil }

func treeSize(dir string) (total int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				total += info.Size()
			}
		}
		return nil
	})
	return total
}

// pruneDaily prunes unless that was done today. It never fails a run.
func (s *store) pruneDaily(ctx context.Context) {
	stampFile := s.path("pruned")
	if info, err := os.Stat(stampFile); err == nil && time.Since(info.ModTime()) < 24*time.Hour {
		return
	}
	unlock, err := s.lock(ctx, "prune", "image cache")
	if err != nil {
		return
	}
	defer unlock()
	if info, err := os.Stat(stampFile); err == nil && time.Since(info.ModTime()) < 24*time.Hour {
		return
	}
	if err := os.WriteFile(stampFile, nil, 0o600); err != nil {
		return
	}
	now := time.Now()
	_ = os.Chtimes(stampFile, now, now)
	if freed, err := s.prune(ctx, keepUnused); err == nil && freed > 0 {
		s.progress(fmt.Sprintf("image cache: %s that nothing uses was removed", size(freed)))
	}
}
