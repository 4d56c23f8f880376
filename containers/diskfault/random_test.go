package diskfault

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// action is one random operation in a folder, by names under it.
type action struct {
	kind     string
	name, to string
	off, len int
	fill     byte
}

func (a action) String() string {
	return fmt.Sprintf("%s %s %s off=%d len=%d fill=%c", a.kind, a.name, a.to, a.off, a.len, a.fill)
}

var (
	kinds = []string{
		"write", "write", "write", "append", "truncate", "create", "unlink", "rename", "rename", "mkdir", "rmdir", "link",
		"symlink", "fallocate", "punch", "exchange", "map", "fsync", "fsyncdir",
	}
	names = []string{"a", "b", "c", "d/a", "d/b", "e", "e/a", "d/f", "d/f/a", "d"}
	dirs  = []string{"", "d", "e", "d/f"}
)

func drawAction(t *rapid.T) action {
	return action{
		kind: rapid.SampledFrom(kinds).Draw(t, "kind"),
		name: rapid.SampledFrom(names).Draw(t, "name"),
		to:   rapid.SampledFrom(names).Draw(t, "to"),
		off:  rapid.IntRange(0, 20_000).Draw(t, "off"),
		len:  rapid.IntRange(0, 10_000).Draw(t, "len"),
		fill: byte(rapid.IntRange('a', 'z').Draw(t, "fill")),
	}
}

// do carries an action out in a folder and returns its error number.
func (a action) do(top string) syscall.Errno {
	name, to := filepath.Join(top, a.name), filepath.Join(top, a.to)
	switch a.kind {
	case "create":
		return a.withFile(name, unix.O_CREAT|unix.O_EXCL|unix.O_RDWR, func(int) error { return nil })
	case "unlink":
		return errnoOf(unix.Unlink(name))
	case "rename":
		return errnoOf(unix.Rename(name, to))
	case "exchange":
		return errnoOf(unix.Renameat2(unix.AT_FDCWD, name, unix.AT_FDCWD, to, unix.RENAME_EXCHANGE))
	case "mkdir":
		return errnoOf(unix.Mkdir(name, 0o755))
	case "rmdir":
		return errnoOf(unix.Rmdir(name))
	case "link":
		return errnoOf(unix.Link(name, to))
	case "symlink":
		return errnoOf(unix.Symlink("nowhere", name))
	case "fsyncdir":
		return a.withFile(filepath.Join(top, dirs[a.off%len(dirs)]), unix.O_RDONLY|unix.O_DIRECTORY, unix.Fsync)
	}
	return a.withFile(name, unix.O_RDWR|unix.O_NOFOLLOW, a.change)
}

func (a action) withFile(name string, flags int, f func(fd int) error) syscall.Errno {
	fd, err := unix.Open(name, flags|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return errnoOf(err)
	}
	defer unix.Close(fd) //nolint:errcheck // a test's
	return errnoOf(f(fd))
}

func (a action) data() []byte { return []byte(strings.Repeat(string(a.fill), a.len)) }

func (a action) change(fd int) error {
	var err error
	switch a.kind {
	case "write":
		_, err = unix.Pwrite(fd, a.data(), int64(a.off))
	case "append":
		var st unix.Stat_t
		if err = unix.Fstat(fd, &st); err == nil {
			_, err = unix.Pwrite(fd, a.data(), st.Size)
		}
	case "truncate":
		err = unix.Ftruncate(fd, int64(a.off))
	case "fallocate":
		err = unix.Fallocate(fd, 0, int64(a.off), int64(a.len)+1)
	case "punch":
		err = unix.Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, int64(a.off), int64(a.len)+1)
	case "fsync":
		err = unix.Fsync(fd)
	case "map":
		err = a.store(fd)
	}
	return err
}

// store writes through a shared mapping, without syncing it.
func (a action) store(fd int) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Size == 0 {
		return err
	}
	m, err := unix.Mmap(fd, 0, int(st.Size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	from := a.off % len(m)
	copy(m[from:], a.data())
	return unix.Munmap(m)
}

// tree is what is in a folder: path → what.
type tree map[string]string

func treeOf(t testing.TB, top string) tree {
	t.Helper()
	out := tree{}
	var walk func(rel string)
	walk = func(rel string) {
		entries, err := os.ReadDir(filepath.Join(top, rel))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			name := filepath.Join(rel, e.Name())
			var st unix.Stat_t
			if err := unix.Lstat(filepath.Join(top, name), &st); err != nil {
				t.Fatal(err)
			}
			switch st.Mode & unix.S_IFMT {
			case unix.S_IFDIR:
				out[name] = "folder"
				walk(name)
			case unix.S_IFLNK:
				target, err := os.Readlink(filepath.Join(top, name))
				if err != nil {
					t.Fatal(err)
				}
				out[name] = "link to " + target
			default:
				data, err := os.ReadFile(filepath.Join(top, name))
				if err != nil {
					t.Fatal(err)
				}
				out[name] = fmt.Sprintf("file with %d links, %d bytes: %s", st.Nlink, len(data), runs(data))
			}
		}
	}
	walk("")
	return out
}

// runs writes data down short.
func runs(data []byte) string {
	var b strings.Builder
	for i := 0; i < len(data); {
		j := i
		for j < len(data) && data[j] == data[i] {
			j++
		}
		fmt.Fprintf(&b, "%q*%d ", data[i], j-i)
		i = j
	}
	return b.String()
}

// diff lists where two trees differ.
func (t tree) diff(other tree) []string {
	var out []string
	for name, what := range t {
		if other[name] != what {
			out = append(out, fmt.Sprintf("%s: %q against %q", name, what, other[name]))
		}
	}
	for name, what := range other {
		if _, there := t[name]; !there {
			out = append(out, fmt.Sprintf("%s: nothing against %q", name, what))
		}
	}
	slices.Sort(out)
	return out
}

// The volume does to every sequence of operations what a plain folder does.
func TestLikePlainFolder(t *testing.T) {
	d := newDisk(t)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		mine := d.path(fmt.Sprint(n))
		plain := filepath.Join(filepath.Dir(d.dir), "plain", fmt.Sprint(n))
		ok(t, os.MkdirAll(mine, 0o755))
		ok(t, os.MkdirAll(plain, 0o755))
		for range rapid.IntRange(1, 40).Draw(rt, "actions") {
			a := drawAction(rt)
			got, want := a.do(mine), a.do(plain)
			if got != want {
				rt.Fatalf("%v: got %v, plain %v", a, got, want)
			}
		}
		if diff := treeOf(t, mine).diff(treeOf(t, plain)); len(diff) > 0 {
			rt.Fatalf("the volume against the plain folder:\n%s", strings.Join(diff, "\n"))
		}
		if diff := treeOf(t, filepath.Join(d.backing, fmt.Sprint(n))).diff(treeOf(t, mine)); len(diff) > 0 {
			// links in the grave count in the backing folder
			for _, line := range diff {
				if !strings.Contains(line, "links") {
					rt.Fatalf("the backing folder against the volume:\n%s", line)
				}
			}
		}
	})
}
