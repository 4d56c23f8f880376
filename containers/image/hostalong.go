package image

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// addAlong adds what a program needs and does not say: another program, a
// library that is loaded by name, a file, or a folder with all that is in it.
func (t *hostTree) addAlong(name string) error {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return hinted(fmt.Errorf("%s: no such program on this machine", name), "install it; "+pathHint(Host))
	case err != nil:
		return err
	case info.IsDir():
		return t.addFolder(name)
	case info.Mode()&0o111 != 0 && filepath.Ext(name) != ".so":
		return t.addProgram(name)
	}
	return t.addPlain(name)
}

// addPlain adds a file, and what it needs if it is a library.
func (t *hostTree) addPlain(name string) error {
	file, err := t.addPath(name)
	if err != nil {
		return err
	}
	info, err := os.Stat(file)
	if err != nil || info.Size() == 0 {
		return err
	}
	head, err := fileHead(file)
	if err != nil || !bytes.HasPrefix(head, []byte("\x7fELF")) {
		return err
	}
	return t.addLibrary(file)
}

// addFolder adds all that is in a folder. Links that lead nowhere are left out.
func (t *hostTree) addFolder(name string) error {
	dir, err := t.addPath(name)
	if err != nil {
		return err
	}
	return filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			_, err := t.addPath(file)
			return err
		}
		info, err := os.Stat(file)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case !info.Mode().IsRegular():
			return nil
		}
		return t.addPlain(file)
	})
}
