package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// giveBack gives a folder that root has written, and what is in it, to the user
// who called sudo; without sudo it does nothing. Links are not followed.
func giveBack(dir string) error {
	if os.Geteuid() != 0 || os.Getenv("SUDO_UID") == "" {
		return nil
	}
	uid, errUID := strconv.Atoi(os.Getenv("SUDO_UID"))
	gid, errGID := strconv.Atoi(os.Getenv("SUDO_GID"))
	if err := errors.Join(errUID, errGID); err != nil {
		return fmt.Errorf("give %s back: SUDO_UID, SUDO_GID: %w", dir, err)
	}
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, uid, gid)
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("give %s back to user %d: %w", dir, uid, err)
	}
	return nil
}
