package diskfault

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func (d *disk) lose(t testing.TB) Loss {
	t.Helper()
	return must[Loss](t)(d.LosePower(t.Context()))
}

func syncDir(t testing.TB, name string) {
	t.Helper()
	f := must[*os.File](t)(os.Open(name))
	ok(t, f.Sync())
	ok(t, f.Close())
}

func write(t testing.TB, name, text string, sync bool) {
	t.Helper()
	f := must[*os.File](t)(os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o644))
	_ = must[int](t)(f.WriteString(text))
	if sync {
		ok(t, f.Sync())
	}
	ok(t, f.Close())
}

func wantFile(t testing.TB, name, text string) {
	t.Helper()
	got, err := os.ReadFile(name)
	if err != nil || string(got) != text {
		t.Errorf("%s: got %q, %v; want %q", name, got, err, text)
	}
}

func wantNone(t testing.TB, name string) {
	t.Helper()
	if _, err := os.Lstat(name); !os.IsNotExist(err) {
		t.Errorf("%s: is there (%v)", name, err)
	}
}

func TestLosePowerData(t *testing.T) {
	d := newDisk(t)
	write(t, d.path("a"), "durable", true)
	write(t, d.path("a"), "DUR", false)
	write(t, d.path("never"), "synced", false)
	f := open(t, d.path("a"))
	_ = must[int64](t)(f.Seek(0, 2))
	_ = must[int](t)(f.WriteString(" tail"))
	wantFile(t, d.path("a"), "DURable tail")
	if loss := d.lose(t); loss.Files == 0 || loss.Entries == 0 {
		t.Errorf("loss: %+v", loss)
	}
	wantFile(t, d.path("a"), "durable")
	wantNone(t, d.path("never"))
	// The volume goes on, and what it has now is the durable state.
	write(t, d.path("a"), "again", false)
	d.lose(t)
	wantFile(t, d.path("a"), "durable")
}

func TestLosePowerNames(t *testing.T) {
	d := newDisk(t)
	write(t, d.path("x"), "x", true)
	write(t, d.path("y"), "y", true)
	ok(t, os.Mkdir(d.path("dir"), 0o755))
	syncDir(t, d.dir)
	ok(t, os.Rename(d.path("x"), d.path("y")))
	ok(t, os.Remove(d.path("dir")))
	ok(t, os.Mkdir(d.path("other"), 0o755))
	write(t, d.path("other/z"), "z", false)
	d.lose(t)
	wantFile(t, d.path("x"), "x")
	wantFile(t, d.path("y"), "y")
	wantNone(t, d.path("other"))
	if _, err := os.Stat(d.path("dir")); err != nil {
		t.Error(err)
	}
	ok(t, os.Rename(d.path("x"), d.path("y")))
	syncDir(t, d.dir)
	d.lose(t)
	wantNone(t, d.path("x"))
	wantFile(t, d.path("y"), "x")
}

// An fsync of a file makes its own name durable, as Linux's file systems do, and
// not those of others; strictly it does not.
func TestLosePowerOwnName(t *testing.T) {
	for _, strict := range []bool{false, true} {
		d := newDisk(t, func(c *Config) { c.Strict = strict })
		ok(t, os.MkdirAll(d.path("member/snap"), 0o755))
		write(t, d.path("member/snap/db"), "db", true)
		write(t, d.path("member/snap/later"), "later", false)
		d.lose(t)
		if strict {
			wantNone(t, d.path("member"))
		} else {
			wantFile(t, d.path("member/snap/db"), "db")
			wantNone(t, d.path("member/snap/later"))
		}
	}
}

// A rename whose directory is not synced is lost, although the file was synced
// before it.
func TestLosePowerRenameWithoutDirSync(t *testing.T) {
	d := newDisk(t)
	write(t, d.path("config"), "old", true)
	write(t, d.path("config.tmp"), "new", true)
	ok(t, os.Rename(d.path("config.tmp"), d.path("config")))
	d.lose(t)
	wantFile(t, d.path("config"), "old")
	wantFile(t, d.path("config.tmp"), "new")
}

// What was unlinked and is still open can be changed, and is back as it was.
func TestLosePowerUnlinked(t *testing.T) {
	d := newDisk(t)
	write(t, d.path("f"), "whole", true)
	f := open(t, d.path("f"))
	ok(t, os.Remove(d.path("f")))
	ok(t, f.Truncate(0))
	d.lose(t)
	wantFile(t, d.path("f"), "whole")
}

func TestLosePowerMapping(t *testing.T) {
	d := newDisk(t)
	write(t, d.path("db"), "0123456789", true)
	f := open(t, d.path("db"))
	m := must[[]byte](t)(unix.Mmap(int(f.Fd()), 0, 10, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED))
	defer unix.Munmap(m) //nolint:errcheck // a test's
	copy(m, "SYN")
	ok(t, unix.Msync(m, unix.MS_SYNC))
	copy(m[5:], "LOST")
	d.lose(t)
	wantFile(t, d.path("db"), "SYN3456789")
	if string(m) != "SYN3456789" {
		t.Errorf("the mapping has %q", m)
	}
}

// Writes with O_DSYNC are durable one by one.
func TestLosePowerSyncedWrites(t *testing.T) {
	d := newDisk(t)
	f := must[*os.File](t)(os.OpenFile(d.path("log"), os.O_CREATE|os.O_WRONLY|unix.O_DSYNC, 0o644))
	defer f.Close()
	_ = must[int](t)(f.WriteString("one"))
	d.lose(t)
	wantFile(t, d.path("log"), "one")
}

// A failed fsync makes nothing durable; the next good one makes all.
func TestLosePowerFailedSync(t *testing.T) {
	d := newDisk(t)
	write(t, d.path("a"), "old", true)
	f := open(t, d.path("a"))
	_ = must[int](t)(f.WriteAt([]byte("NEW"), 0))
	fails := d.apply(t, FsyncFails())
	if f.Sync() == nil {
		t.Fatal("fsync succeeded")
	}
	ok(t, fails.Heal())
	d.lose(t)
	wantFile(t, d.path("a"), "old")
}

func TestSyncMakesAllDurable(t *testing.T) {
	d := newDisk(t)
	ok(t, os.MkdirAll(d.path("a/b"), 0o755))
	write(t, d.path("a/b/c"), "c", false)
	ok(t, d.Sync(t.Context()))
	if loss := d.lose(t); loss != (Loss{}) {
		t.Errorf("loss: %+v", loss)
	}
	wantFile(t, d.path("a/b/c"), "c")
}

func TestNoUndo(t *testing.T) {
	d := newDisk(t, func(c *Config) { c.NoUndo = true })
	if _, err := d.LosePower(t.Context()); err == nil {
		t.Error("power was lost without undo")
	}
}
