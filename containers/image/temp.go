package image

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// tempDir is a folder for what is not finished. Its writer holds a lock on
// it, so that a later process can tell what a killed one left from what a
// living one still writes.
type tempDir struct {
	dir  string
	lock *os.File
}

// newTemp makes a locked folder in parent; its name begins with prefix.
func newTemp(parent, prefix string) (*tempDir, error) {
	for range 100 {
		dir, err := os.MkdirTemp(parent, prefix+"*")
		if err != nil {
			return nil, err
		}
		lock, err := os.Open(dir)
		if err == nil {
			err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		}
		if err == nil {
			// A sweep may have taken the folder before it was locked.
			if _, err = os.Lstat(dir); err == nil {
				return &tempDir{dir: dir, lock: lock}, nil
			}
		}
		if lock != nil {
			_ = lock.Close()
		}
	}
	return nil, fmt.Errorf("%s: no temporary folder could be kept", parent)
}

func (t *tempDir) path(elem ...string) string {
	return filepath.Join(append([]string{t.dir}, elem...)...)
}

// blobPath is where the blobs of an image wait for its commit.
func (t *tempDir) blobPath(h v1.Hash) string { return t.path("blobs", h.Hex) }

// draft makes a temporary folder for an image that is being made.
func (s *store) draft() (*tempDir, error) {
	tmp, err := newTemp(s.path("tmp"), "")
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(tmp.path("blobs"), 0o700); err != nil {
		_ = tmp.Close()
		return nil, err
	}
	return tmp, nil
}

// Close removes the folder.
func (t *tempDir) Close() error {
	err := os.RemoveAll(t.dir)
	_ = t.lock.Close()
	return err
}

// sweepTemp removes the folders of writers that are dead. What cannot be
// removed now is left to the next sweep.
func sweepTemp(parent, prefix string) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), prefix) || !e.IsDir() {
			continue
		}
		dir := filepath.Join(parent, e.Name())
		f, err := os.OpenFile(dir, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_DIRECTORY, 0)
		if err != nil {
			continue
		}
		if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			_ = os.RemoveAll(dir)
		}
		_ = f.Close()
	}
}
