package containers

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/containerd/containerd/v2/core/mount"
	"golang.org/x/sys/unix"
)

// inRootfs runs f with a container's root file system as its root folder, in
// the mount namespace of the daemon, where alone it can be assembled. f runs
// on a thread of its own that ends with it; it must not start goroutines. It is
// assembled in a folder below parent, which is in the run's: where a kill comes in
// between, the sweep removes that, and with the folder goes the mount.
func (rt *Runtime) inRootfs(ctx context.Context, parent string, mounts []mount.Mount, f func() error) error {
	ns, err := os.Open(rt.MountNamespace())
	if err != nil {
		return fmt.Errorf("mount namespace of containerd: %w", err)
	}
	defer ns.Close() //nolint:errcheck // read only
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread is spoilt
		done <- func() error {
			if err := unix.Unshare(unix.CLONE_FS); err != nil {
				return fmt.Errorf("unshare: %w", err)
			}
			if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNS); err != nil {
				return fmt.Errorf("enter containerd's mount namespace: %w", err)
			}
			return atRoot(ctx, parent, mounts, f)
		}()
	}()
	return <-done
}

// atRoot mounts, enters, runs f, leaves and unmounts.
func atRoot(ctx context.Context, parent string, mounts []mount.Mount, f func() error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(parent, ".rootfs-")
	if err != nil {
		return err
	}
	defer os.Remove(dir) //nolint:errcheck // empty when unmounted
	if err := mount.All(mounts, dir); err != nil {
		return fmt.Errorf("mount the root file system: %w", err)
	}
	home, err := os.Open("/")
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, home.Chdir(), unix.Chroot("."), home.Close(), mount.UnmountAll(dir, unix.MNT_DETACH))
	}()
	if err := unix.Chroot(dir); err != nil {
		return err
	}
	if err := unix.Chdir("/"); err != nil {
		return err
	}
	return f()
}

// placeFiles writes a service's files; called inside the root file system.
// A file that begins with #! may be executed. Folders that are made belong to
// root, files to the service's user, who may want to change them.
func placeFiles(files map[string]string, uid, gid int) error {
	for _, name := range sortedKeys(files) {
		if !path.IsAbs(name) {
			return fmt.Errorf("file %q: the path in the container must begin with /", name)
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return fmt.Errorf("file %s: %w", name, err)
		}
		mode := fs.FileMode(0o644)
		if strings.HasPrefix(files[name], "#!") {
			mode = 0o755
		}
		if err := os.WriteFile(name, []byte(files[name]), mode); err != nil {
			return fmt.Errorf("file %s: %w", name, err)
		}
		if err := errors.Join(os.Chmod(name, mode), os.Chown(name, uid, gid)); err != nil {
			return fmt.Errorf("file %s: %w", name, err)
		}
	}
	return nil
}

// folder is who owns a folder of the image, and what others may do there. A
// new volume in its place gets the same.
type folder struct {
	uid, gid int
	mode     fs.FileMode
}

// lookFolder looks at a folder; called inside the root file system. nil when
// it is not there.
func lookFolder(name string) *folder {
	var st unix.Stat_t
	if err := unix.Stat(name, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return nil
	}
	return &folder{uid: int(st.Uid), gid: int(st.Gid), mode: fs.FileMode(st.Mode & 0o777)}
}

func (f *folder) apply(dir string) error {
	return errors.Join(os.Chown(dir, f.uid, f.gid), os.Chmod(dir, f.mode))
}

// holds32 tells whether programs of the machine's 32-bit sibling are to be
// expected: their loader is there, or the main program is one. Called inside
// the root file system.
func holds32(program string) bool {
	if _, err := os.Stat("/lib/ld-linux.so.2"); err == nil {
		return true
	}
	f, err := elf.Open(program)
	if err != nil {
		return false
	}
	defer f.Close() //nolint:errcheck // read only
	return f.Class == elf.ELFCLASS32
}

// ensureTmp makes the folder that most programs take for granted; called
// inside the root file system.
func ensureTmp() error {
	if _, err := os.Lstat("/tmp"); err == nil {
		return nil
	}
	if err := os.Mkdir("/tmp", 0o777); err != nil {
		return err
	}
	return unix.Chmod("/tmp", 0o1777)
}
