package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
)

// GiveBack gives a folder that this process has written as root under sudo, with
// all that is in it, to the user who called sudo (SUDO_UID, SUDO_GID). Without
// root or sudo it does nothing. It follows no link out of the folder.
func GiveBack(dir string) error {
	if os.Geteuid() != 0 || os.Getenv("SUDO_UID") == "" {
		return nil
	}
	uid, errUID := strconv.Atoi(os.Getenv("SUDO_UID"))
	gid, errGID := strconv.Atoi(os.Getenv("SUDO_GID"))
	if err := errors.Join(errUID, errGID); err != nil {
		return fmt.Errorf("%s: give back: SUDO_UID, SUDO_GID: %w", dir, err)
	}
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer root.Close()
	err = fs.WalkDir(root.FS(), ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return root.Lchown(path, uid, gid)
	})
	if err != nil {
		return fmt.Errorf("%s: give back to user %d: %w", dir, uid, err)
	}
	return nil
}
