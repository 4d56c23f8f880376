package diskfault

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// programVar makes the test binary a program that uses a disk as databases do.
const programVar = "BRINE_DISKFAULT_TEST_PROGRAM"

// program runs in the folder that it is started in, and says what went wrong.
func program(what string) {
	if what == "hold" {
		hold()
	}
	var failed []string
	for _, step := range steps {
		if what != "all" && what != step.name {
			continue
		}
		if err := step.do(); err != nil {
			failed = append(failed, step.name+": "+err.Error())
		}
	}
	if len(failed) > 0 {
		fmt.Println(strings.Join(failed, "\n"))
		os.Exit(1)
	}
	os.Exit(0)
}

var steps = []struct {
	name string
	do   func() error
}{
	{"write and read", writeAndRead},
	{"append", appendTwice},
	{"mmap", mapShared},
	{"fallocate", preallocate},
	{"rename over", renameOver},
	{"fsync of a directory", syncFolder},
	{"truncate", truncateBothWays},
	{"hard links", linkTwice},
	{"symbolic link", linkSoftly},
	{"attributes", attributes},
	{"flock", lockOut},
	{"unlinked and open", useUnlinked},
	{"direct", writeDirect},
	{"mode and owner", ownAndMode},
	{"seek", seekHoles},
	{"no space for folders in files", wrongKinds},
}

func expect(cond bool, format string, args ...any) error {
	if cond {
		return nil
	}
	return fmt.Errorf(format, args...)
}

func writeAndRead() error {
	want := strings.Repeat("0123456789abcdef", 100_000) // over one request
	if err := os.WriteFile("big", []byte(want), 0o640); err != nil {
		return err
	}
	got, err := os.ReadFile("big")
	return errors.Join(err, expect(string(got) == want, "read %d bytes that differ", len(got)))
}

func appendTwice() error {
	for _, s := range []string{"one ", "two"} {
		f, err := os.OpenFile("log", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		if _, err = f.WriteString(s); err != nil {
			return err
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return err
		}
	}
	got, err := os.ReadFile("log")
	return errors.Join(err, expect(string(got) == "one two", "got %q", got))
}

func mapShared() error {
	f, err := os.Create("map")
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Truncate(1 << 20); err != nil {
		return err
	}
	m, err := unix.Mmap(int(f.Fd()), 0, 1<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	copy(m[8000:], "in the map")
	if err := unix.Msync(m, unix.MS_SYNC); err != nil {
		return err
	}
	buf := make([]byte, 10)
	if _, err := f.ReadAt(buf, 8000); err != nil || string(buf) != "in the map" {
		return fmt.Errorf("read %q, %w", buf, err)
	}
	if _, err := f.WriteAt([]byte("from write"), 100_000); err != nil {
		return err
	}
	if string(m[100_000:100_010]) != "from write" {
		return fmt.Errorf("the map has %q", m[100_000:100_010])
	}
	return unix.Munmap(m)
}

func preallocate() error {
	f, err := os.Create("wal")
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.Fallocate(int(f.Fd()), 0, 0, 1<<20); err != nil {
		return err
	}
	if err := unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_KEEP_SIZE, 0, 2<<20); err != nil {
		return err
	}
	if _, err := f.WriteAt([]byte("record"), 4096); err != nil {
		return err
	}
	if err := unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 4096, 4096); err != nil {
		return err
	}
	buf := make([]byte, 6)
	_, err = f.ReadAt(buf, 4096)
	info, statErr := f.Stat()
	return errors.Join(err, statErr, unix.Fdatasync(int(f.Fd())),
		expect(info.Size() == 1<<20 && string(buf) == "\x00\x00\x00\x00\x00\x00", "size %d, %q", info.Size(), buf))
}

func renameOver() error {
	err := errors.Join(os.WriteFile("new", []byte("new"), 0o644), os.WriteFile("old", []byte("old"), 0o644), os.Rename("new", "old"))
	got, readErr := os.ReadFile("old")
	_, gone := os.Stat("new")
	err = errors.Join(err, readErr, expect(string(got) == "new", "got %q", got), expect(os.IsNotExist(gone), "new is still there"))
	err = errors.Join(err, os.Mkdir("d1", 0o755), os.Mkdir("d2", 0o755), os.WriteFile("d1/f", []byte("x"), 0o600), syscall.Rename("d1", "d2"))
	_, there := os.Stat("d2/f")
	err = errors.Join(err, there)
	full := os.Mkdir("d3", 0o755)
	refused := syscall.Rename("d3", "d2")
	err = errors.Join(err, full, expect(errors.Is(refused, syscall.ENOTEMPTY) || errors.Is(refused, syscall.EEXIST), "rename over a full folder: %v", refused))
	noreplace := unix.Renameat2(unix.AT_FDCWD, "old", unix.AT_FDCWD, "d2/f", unix.RENAME_NOREPLACE)
	err = errors.Join(err, expect(errors.Is(noreplace, syscall.EEXIST), "noreplace: %v", noreplace))
	err = errors.Join(err, unix.Renameat2(unix.AT_FDCWD, "old", unix.AT_FDCWD, "d2/f", unix.RENAME_EXCHANGE))
	got, readErr = os.ReadFile("d2/f")
	return errors.Join(err, readErr, expect(string(got) == "new", "after the exchange: %q", got))
}

func syncFolder() error {
	if err := os.MkdirAll("a/b", 0o755); err != nil {
		return err
	}
	d, err := os.Open("a/b")
	if err != nil {
		return err
	}
	defer d.Close()
	for i := range 300 {
		if err := os.WriteFile(fmt.Sprintf("a/b/%d", i), nil, 0o644); err != nil {
			return err
		}
	}
	names, err := d.Readdirnames(-1)
	return errors.Join(err, d.Sync(), expect(len(names) == 300, "%d names", len(names)))
}

func truncateBothWays() error {
	err := os.WriteFile("t", []byte("0123456789"), 0o644)
	err = errors.Join(err, os.Truncate("t", 4), os.Truncate("t", 6))
	got, readErr := os.ReadFile("t")
	err = errors.Join(err, readErr, expect(string(got) == "0123\x00\x00", "got %q", got))
	f, openErr := os.OpenFile("t", os.O_TRUNC|os.O_RDWR, 0)
	if openErr != nil {
		return errors.Join(err, openErr)
	}
	info, statErr := f.Stat()
	return errors.Join(err, statErr, expect(info.Size() == 0, "size %d", info.Size()), f.Close())
}

func linkTwice() error {
	err := errors.Join(os.WriteFile("l1", []byte("x"), 0o644), os.Link("l1", "l2"))
	a, e1 := os.Stat("l1")
	b, e2 := os.Stat("l2")
	if err := errors.Join(err, e1, e2); err != nil {
		return err
	}
	if !os.SameFile(a, b) || a.Sys().(*syscall.Stat_t).Nlink != 2 {
		return errors.New("not two names of one file")
	}
	err = os.Remove("l1")
	b, e2 = os.Stat("l2")
	return errors.Join(err, e2, expect(b.Sys().(*syscall.Stat_t).Nlink == 1, "still two names"))
}

func linkSoftly() error {
	err := os.Symlink("../target", "soft")
	got, readErr := os.Readlink("soft")
	info, statErr := os.Lstat("soft")
	return errors.Join(err, readErr, statErr, expect(got == "../target" && info.Mode()&os.ModeSymlink != 0, "got %q, %v", got, info))
}

func attributes() error {
	err := os.WriteFile("x", nil, 0o644)
	err = errors.Join(err, unix.Setxattr("x", "user.brine", []byte("salt"), 0))
	buf := make([]byte, 100)
	n, getErr := unix.Getxattr("x", "user.brine", buf)
	err = errors.Join(err, getErr, expect(string(buf[:max(n, 0)]) == "salt", "got %q", buf[:max(n, 0)]))
	n, listErr := unix.Listxattr("x", buf)
	err = errors.Join(err, listErr, expect(strings.Contains(string(buf[:max(n, 0)]), "user.brine\x00"), "list %q", buf[:max(n, 0)]))
	err = errors.Join(err, unix.Removexattr("x", "user.brine"))
	_, none := unix.Getxattr("x", "user.brine", buf)
	return errors.Join(err, expect(errors.Is(none, unix.ENODATA), "after removal: %v", none))
}

func lockOut() error {
	a, e1 := os.Create("lock")
	b, e2 := os.Open("lock")
	if err := errors.Join(e1, e2); err != nil {
		return err
	}
	defer a.Close()
	defer b.Close()
	err := syscall.Flock(int(a.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	refused := syscall.Flock(int(b.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	err = errors.Join(err, expect(errors.Is(refused, syscall.EWOULDBLOCK), "second lock: %v", refused))
	posix := unix.Flock_t{Type: unix.F_WRLCK, Len: 10}
	return errors.Join(err, syscall.Flock(int(a.Fd()), syscall.LOCK_UN), syscall.Flock(int(b.Fd()), syscall.LOCK_EX|syscall.LOCK_NB),
		unix.FcntlFlock(a.Fd(), unix.F_SETLK, &posix))
}

func useUnlinked() error {
	f, err := os.Create("ghost")
	if err != nil {
		return err
	}
	defer f.Close()
	err = os.Remove("ghost")
	_, writeErr := f.WriteString("boo")
	buf := make([]byte, 3)
	_, readErr := f.ReadAt(buf, 0)
	info, statErr := f.Stat()
	if err := errors.Join(err, writeErr, readErr, statErr); err != nil {
		return err
	}
	nlink := info.Sys().(*syscall.Stat_t).Nlink
	return errors.Join(f.Truncate(1), f.Chmod(0o600), f.Sync(), expect(string(buf) == "boo" && nlink == 0, "%q, %d links", buf, nlink))
}

func writeDirect() error {
	f, err := os.OpenFile("direct", os.O_CREATE|os.O_RDWR|unix.O_DIRECT, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	page, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return err
	}
	copy(page, "straight")
	_, err = f.WriteAt(page, 0)
	clear(page)
	_, readErr := f.ReadAt(page, 0)
	return errors.Join(err, readErr, expect(string(page[:8]) == "straight", "got %q", page[:8]), unix.Munmap(page))
}

func ownAndMode() error {
	err := errors.Join(os.WriteFile("own", nil, 0o777), os.Chown("own", 65534, 65534), os.Chmod("own", 0o400))
	var st unix.Stat_t
	err = errors.Join(err, unix.Stat("own", &st), expect(st.Uid == 65534 && st.Gid == 65534 && st.Mode&0o7777 == 0o400, "%d:%d %o", st.Uid, st.Gid, st.Mode))
	ts := []unix.Timespec{{Sec: 1000}, {Sec: 2000, Nsec: 5}}
	err = errors.Join(err, unix.UtimesNanoAt(unix.AT_FDCWD, "own", ts, 0), unix.Stat("own", &st))
	return errors.Join(err, expect(st.Atim.Sec == 1000 && st.Mtim == unix.Timespec{Sec: 2000, Nsec: 5}, "times %v %v", st.Atim, st.Mtim))
}

func seekHoles() error {
	f, err := os.Create("sparse")
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte("x"), 1<<20); err != nil {
		return err
	}
	at, err := unix.Seek(int(f.Fd()), 0, unix.SEEK_DATA)
	return errors.Join(err, expect(at > 0 && at <= 1<<20, "data at %d", at))
}

func wrongKinds() error {
	err := errors.Join(os.Mkdir("dir", 0o755), os.WriteFile("dir/in", nil, 0o644))
	full := syscall.Rmdir("dir")
	notDir := syscall.Rmdir("dir/in")
	isDir := syscall.Unlink("dir")
	_, gone := os.Open("nothing")
	exists := os.Mkdir("dir", 0o755)
	return errors.Join(err,
		expect(errors.Is(full, syscall.ENOTEMPTY), "rmdir of a full one: %v", full),
		expect(errors.Is(notDir, syscall.ENOTDIR), "rmdir of a file: %v", notDir),
		expect(errors.Is(isDir, syscall.EISDIR), "unlink of a folder: %v", isDir),
		expect(errors.Is(gone, syscall.ENOENT), "open of nothing: %v", gone),
		expect(errors.Is(exists, syscall.EEXIST), "mkdir again: %v", exists))
}

// runProgram runs the program, or one step of it, in a folder.
func runProgram(t *testing.T, what, dir string) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), programVar+"="+what)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestPassthrough(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"undo":    func(*Config) {},
		"no undo": func(c *Config) { c.NoUndo = true },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDisk(t, change)
			for _, s := range steps {
				t.Run(s.name, func(t *testing.T) {
					dir := d.path(filepath.Base(s.name))
					ok(t, os.Mkdir(dir, 0o755))
					runProgram(t, s.name, dir)
				})
			}
		})
	}
	t.Run("plain", func(t *testing.T) { runProgram(t, "all", t.TempDir()) }) // the program itself is right
}
