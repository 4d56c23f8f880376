package diskfault

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// wantErr checks an error of a call, and that the rule's receipt tells of calls of
// op.
func wantErr(t *testing.T, f *Fault, op Op, got error, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got %v, want %v", op, got, want)
	}
	if n := f.Receipt().Calls[op]; n == 0 {
		t.Errorf("%s: not in the receipt %v", op, f.Receipt())
	}
}

func open(t *testing.T, name string) *os.File {
	t.Helper()
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	ok(t, err)
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func fill(t *testing.T, f *os.File, size int) []byte {
	t.Helper()
	data := bytes.Repeat([]byte("brine and salt. "), size/16)
	_, err := f.WriteAt(data, 0)
	ok(t, err)
	return data
}

func TestFull(t *testing.T) {
	d := newDisk(t)
	f := open(t, d.path("wal"))
	ok(t, unix.Fallocate(int(f.Fd()), 0, 0, 1<<20))
	full := d.apply(t, Full())
	_, err := f.WriteAt([]byte("x"), 10) // into space that is allocated
	wantErr(t, full, OpWrite, err, syscall.ENOSPC)
	wantErr(t, full, OpAllocate, unix.Fallocate(int(f.Fd()), 0, 0, 2<<20), syscall.ENOSPC)
	wantErr(t, full, OpCreate, os.WriteFile(d.path("new"), nil, 0o644), syscall.ENOSPC)
	var st unix.Statfs_t
	ok(t, unix.Statfs(d.dir, &st))
	if st.Bavail != 0 || st.Blocks == 0 {
		t.Errorf("statfs: %d of %d blocks are free", st.Bavail, st.Blocks)
	}
	if _, err := f.ReadAt(make([]byte, 1), 0); err != nil {
		t.Errorf("read: %v", err)
	}
	ok(t, os.Remove(d.path("wal")))
	ok(t, full.Heal())
	if _, err := f.WriteAt([]byte("x"), 10); err != nil {
		t.Errorf("healed: %v", err)
	}
	r := full.Receipt()
	if r.Calls[OpWrite] != 1 || r.Bytes != 1+2<<20 || r.First == 0 || r.Last < r.First {
		t.Errorf("receipt: %+v", r)
	}
}

// A store into a mapping meets a full disk when it is written back.
func TestFullMapping(t *testing.T) {
	d := newDisk(t)
	f := open(t, d.path("db"))
	fill(t, f, 8192)
	m := must[[]byte](t)(unix.Mmap(int(f.Fd()), 0, 8192, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED))
	defer unix.Munmap(m) //nolint:errcheck // a test's
	full := d.apply(t, Full())
	m[0] = 'x'
	wantErr(t, full, OpWrite, unix.Msync(m, unix.MS_SYNC), syscall.ENOSPC)
}

func TestFails(t *testing.T) {
	d := newDisk(t)
	f := open(t, d.path("db"))
	fill(t, f, 8192)
	ok(t, os.Mkdir(d.path("dir"), 0o755))
	fails := d.apply(t, Fails())
	_, err := f.ReadAt(make([]byte, 1), 0)
	wantErr(t, fails, OpRead, err, syscall.EIO)
	_, err = f.WriteAt(make([]byte, 1), 0)
	wantErr(t, fails, OpWrite, err, syscall.EIO)
	wantErr(t, fails, OpFsync, f.Sync(), syscall.EIO)
	_, err = os.ReadDir(d.dir)
	wantErr(t, fails, OpOpendir, err, syscall.EIO)
	wantErr(t, fails, OpLookup, os.Rename(d.path("db"), d.path("x")), syscall.EIO)
	if _, err := os.Stat(d.dir); err != nil {
		t.Errorf("a container could not mount it: %v", err)
	}
	ok(t, fails.Heal())
	ok(t, f.Sync())
	ok(t, os.Rename(d.path("db"), d.path("x")))
}

// A fault of reading reaches what the kernel had in memory, by read and by
// mapping, and leaves it with healing.
func TestReadsFail(t *testing.T) {
	d := newDisk(t)
	f := open(t, d.path("db"))
	data := fill(t, f, 1<<20)
	m := must[[]byte](t)(unix.Mmap(int(f.Fd()), 0, 1<<20, unix.PROT_READ, unix.MAP_SHARED))
	defer unix.Munmap(m) //nolint:errcheck // a test's
	if !bytes.Equal(m, data) {
		t.Fatal("the mapping differs")
	}
	fails := d.apply(t, ReadsFail())
	_, err := f.ReadAt(make([]byte, 10), 500_000)
	wantErr(t, fails, OpRead, err, syscall.EIO)
	if touched := sigbus(func() { sink = m[4096] }); !touched {
		t.Error("a load from the mapping: no SIGBUS")
	}
	if _, err := f.WriteAt(data[:4096], 0); err != nil {
		t.Errorf("write: %v", err)
	}
	ok(t, fails.Heal())
	if !bytes.Equal(m, data) {
		t.Error("after healing the mapping differs")
	}
}

var sink byte // so that loads are not optimised away

// sigbus tells whether f is stopped by a SIGBUS.
func sigbus(f func()) (was bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { was = recover() != nil }()
	f()
	return false
}

func TestWritesFail(t *testing.T) {
	d := newDisk(t)
	f := open(t, d.path("db"))
	fill(t, f, 4096)
	fails := d.apply(t, WritesFail())
	_, err := f.WriteAt([]byte("x"), 0)
	wantErr(t, fails, OpWrite, err, syscall.EIO)
	wantErr(t, fails, OpTruncate, f.Truncate(1), syscall.EIO)
	ok(t, f.Sync())
}

func TestFsyncFails(t *testing.T) {
	d := newDisk(t)
	f := open(t, d.path("db"))
	fill(t, f, 4096)
	fails := d.apply(t, FsyncFails())
	wantErr(t, fails, OpFsync, f.Sync(), syscall.EIO)
	wantErr(t, fails, OpFdatasync, unix.Fdatasync(int(f.Fd())), syscall.EIO)
	dir := must[*os.File](t)(os.Open(d.dir))
	defer dir.Close()
	wantErr(t, fails, OpFsyncdir, dir.Sync(), syscall.EIO)
	ok(t, fails.Heal())
	ok(t, f.Sync())
}

func TestReadOnly(t *testing.T) {
	d := newDisk(t)
	f := open(t, d.path("db"))
	fill(t, f, 4096)
	ro := d.apply(t, ReadOnly())
	_, err := f.WriteAt([]byte("x"), 0)
	wantErr(t, ro, OpWrite, err, syscall.EROFS)
	_, err = os.OpenFile(d.path("db"), os.O_WRONLY, 0)
	wantErr(t, ro, OpOpenWrite, err, syscall.EROFS)
	wantErr(t, ro, OpMkdir, os.Mkdir(d.path("d"), 0o755), syscall.EROFS)
	wantErr(t, ro, OpRename, os.Rename(d.path("db"), d.path("x")), syscall.EROFS)
	wantErr(t, ro, OpUnlink, os.Remove(d.path("db")), syscall.EROFS)
	if _, err := os.ReadFile(d.path("db")); err != nil {
		t.Error(err)
	}
}

func TestSlow(t *testing.T) {
	d := newDisk(t)
	f := open(t, d.path("db"))
	fill(t, f, 4096)
	slow := d.apply(t, SlowFsync(80*time.Millisecond))
	start := time.Now()
	ok(t, f.Sync())
	if took := time.Since(start); took < 80*time.Millisecond || took > 400*time.Millisecond {
		t.Errorf("fsync took %v", took)
	}
	start = time.Now()
	fill(t, f, 4096)
	if took := time.Since(start); took > 60*time.Millisecond {
		t.Errorf("a write took %v", took)
	}
	// Delays add up.
	both := d.apply(t, Slow(50*time.Millisecond))
	start = time.Now()
	ok(t, f.Sync())
	if took := time.Since(start); took < 130*time.Millisecond {
		t.Errorf("with both, fsync took %v", took)
	}
	if both.Receipt().Calls[OpFsync] != 1 || slow.Receipt().Calls[OpFsync] != 2 {
		t.Errorf("receipts: %v %v", both.Receipt(), slow.Receipt())
	}
}

// Healing ends the waits of calls under way.
func TestHealEndsWaits(t *testing.T) {
	d := newDisk(t)
	f := open(t, d.path("db"))
	slow := d.apply(t, SlowFsync(time.Hour))
	done := make(chan error)
	go func() { done <- f.Sync() }()
	deadline := time.Now().Add(5 * time.Second)
	for slow.Receipt().Total() == 0 {
		if time.Now().After(deadline) {
			t.Fatal("the fsync did not arrive")
		}
	}
	ok(t, slow.Heal())
	select {
	case err := <-done:
		ok(t, err)
	case <-time.After(5 * time.Second):
		t.Fatal("the fsync still waits")
	}
}

func TestCorruptReads(t *testing.T) {
	d := newDisk(t)
	f := open(t, d.path("db"))
	data := fill(t, f, 1<<20)
	flips := d.apply(t, CorruptReads(1, 42))
	got := make([]byte, len(data))
	_, err := f.ReadAt(got, 0)
	ok(t, err)
	reads := flips.Receipt().Calls[OpRead]
	if bits := differingBits(data, got); bits == 0 || uint64(bits) != reads {
		t.Errorf("%d bits differ after %d reads", bits, reads)
	}
	ok(t, flips.Heal())
	_, err = f.ReadAt(got, 0)
	ok(t, err)
	if !bytes.Equal(got, data) {
		t.Error("flipped bits stay after healing")
	}
}

func differingBits(a, b []byte) int {
	n := 0
	for i := range a {
		for x := a[i] ^ b[i]; x != 0; x &= x - 1 {
			n++
		}
	}
	return n
}

func TestTorn(t *testing.T) {
	d := newDisk(t)
	f := open(t, d.path("db"))
	fill(t, f, 8192)
	torn := d.apply(t, Rule{Ops: []Op{OpWrite}, Torn: true, Seed: 7})
	n, err := f.WriteAt(bytes.Repeat([]byte{'X'}, 8192), 0)
	if n != 8192 || err != nil {
		t.Fatalf("%d, %v: a torn write reports success", n, err)
	}
	ok(t, torn.Heal())
	got := must[[]byte](t)(os.ReadFile(d.backing + "/db"))
	new := bytes.Count(got, []byte{'X'})
	if new%sector != 0 || new == 8192 || !bytes.Equal(got[:new], bytes.Repeat([]byte{'X'}, new)) {
		t.Errorf("%d bytes are new", new)
	}
}

// A share is of matching calls, the same for a seed, and of those of a path only.
func TestShareAndPath(t *testing.T) {
	d := newDisk(t)
	ok(t, os.MkdirAll(d.path("member/wal"), 0o755))
	hit, spared := open(t, d.path("member/wal/0.wal")), open(t, d.path("member/db"))
	run := func() string {
		f := d.apply(t, Rule{Ops: []Op{OpWrite}, Path: "**/wal/*.wal", Share: 0.25, Seed: 3, Errno: syscall.EIO})
		var pattern string
		for range 1000 {
			_, err := hit.WriteAt([]byte("x"), 0)
			pattern += fmt.Sprint(err == nil)[:1]
			_, err = spared.WriteAt([]byte("x"), 0)
			ok(t, err)
		}
		if n := f.Receipt().Calls[OpWrite]; n < 195 || n > 305 { // 4 standard deviations
			t.Errorf("%d of 1000 writes were touched", n)
		}
		ok(t, f.Heal())
		return pattern
	}
	if first, again := run(), run(); first != again {
		t.Error("the same seed took other calls")
	}
}

func TestRuleChecks(t *testing.T) {
	for want, r := range map[string]Rule{
		"no such operation":    {Ops: []Op{"reed"}, Errno: syscall.EIO},
		"not between 0 and 1":  {Share: 1.5, Errno: syscall.EIO},
		"does nothing":         {},
		"begins with a slash":  {Path: "/data/x", Errno: syscall.EIO},
		"syntax error":         {Path: "a/[", Errno: syscall.EIO},
		"less than nothing":    {Delay: -1},
		"acts on reads":        {Ops: []Op{OpWrite}, Flip: 1},
		"torn: acts on writes": {Ops: []Op{OpRead}, Torn: true},
	} {
		if err := r.check(); err == nil || !bytes.Contains([]byte(err.Error()), []byte(want)) {
			t.Errorf("%+v: got %v, want %q", r, err, want)
		}
	}
}

func TestMatchPath(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"*.wal", "member/wal/0.wal", true},
		{"*.wal", "0.db", false},
		{"member/*", "member/db", true},
		{"member/*", "member/wal/0", false},
		{"member/**", "member/wal/0", true},
		{"**/0", "member/wal/0", true},
		{"**/wal/**", "wal/0", true},
		{"**", "", true},
		{"a/b", "a", false},
	} {
		if got := matchPath(c.pattern, c.name); got != c.want {
			t.Errorf("%q on %q: %v", c.pattern, c.name, got)
		}
	}
}
