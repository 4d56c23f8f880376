package diskfault

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// fusectl is where the kernel lists FUSE connections.
const fusectl = "/sys/fs/fuse/connections"

// abort breaks the connection between the kernel and a server: all calls that wait
// for it fail with ECONNABORTED, and the server reads the end. It works however
// stuck either side is. A connection that is gone needs none.
func abort(device uint32) error {
	if device == 0 {
		return nil
	}
	// Not every host has fusectl mounted. In a mount namespace of this thread's own
	// it is, and goes with it.
	err := onThread(func() error {
		if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS); err != nil {
			return err
		}
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			return err
		}
		if err := unix.Mount("fusectl", fusectl, "fusectl", 0, ""); err != nil && !errors.Is(err, unix.EBUSY) {
			return err
		}
		err := os.WriteFile(fmt.Sprintf("%s/%d/abort", fusectl, device), []byte("1"), 0)
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("abort FUSE connection %d: %w", device, err)
	}
	return nil
}
