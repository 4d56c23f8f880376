package image

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// inside runs a program in the root file system of an image and nothing else.
func (b *bench) inside(img *Image, args ...string) (string, error) {
	b.Helper()
	needsRoot(b.T)
	cmd := exec.CommandContext(b.Context(), args[0], args[1:]...)
	cmd.Path, cmd.Err = args[0], nil
	root := b.unpack(img)
	// $ORIGIN is found through /proc/self/exe.
	proc := filepath.Join(root, "proc")
	if err := syscall.Mount("proc", proc, "proc", syscall.MS_RDONLY, ""); err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := syscall.Unmount(proc, syscall.MNT_DETACH); err != nil {
			b.Fatal(err)
		}
	}()
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root}
	cmd.Dir, cmd.Env = "/", img.Config.Env
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func (b *bench) prints(img *Image, want string, args ...string) {
	b.Helper()
	if out, err := b.inside(img, args...); err != nil || !strings.Contains(out, want) {
		b.Errorf("%s: expected %q, got %q, %v", args, want, out, err)
	}
}

// compile builds a C program or library with the machine's compiler.
func compile(t *testing.T, source string, args ...string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "x.c")
	write(t, file, source)
	if out, err := exec.CommandContext(t.Context(), "gcc", append([]string{file}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v: %s", err, out)
	}
}

func TestHostProgram(t *testing.T) {
	b := newBench(t)
	b.platform = ""
	img := b.resolve("host:/usr/bin/getent")
	if img.Config.Entrypoint[0] != "/usr/bin/getent" {
		t.Errorf("got %+v", img.Config)
	}
	// Name look-ups load libraries that no program lists.
	b.prints(img, "root:", "/usr/bin/getent", "passwd", "root")
	b.prints(img, "nobody:", "/usr/bin/getent", "passwd", "nobody")
	b.prints(img, "root:", "/usr/bin/getent", "group", "root")
	b.prints(img, "127.0.0.1", "/usr/bin/getent", "ahostsv4", "127.0.0.1")
	again := b.resolve("host:/usr/bin/getent")
	if again.Digest != img.Digest {
		t.Error("the same program gives different digests")
	}
	other := newBench(t)
	if got := other.resolve("host:/usr/bin/getent"); got.Digest != img.Digest {
		t.Error("a fresh cache gives another digest")
	}
	b.fails("host:/usr/bin/getent#"+someDigest, "expected digest "+someDigest, "got "+img.Digest)
	b.resolve("host:/usr/bin/getent#" + img.Digest)
}

func TestHostPieces(t *testing.T) {
	b := newBench(t)
	b.platform = ""
	root := b.unpack(b.resolve("host:/usr/bin/getent+/bin/ls"))
	for _, want := range []string{"etc/passwd", "etc/group", "etc/nsswitch.conf", "tmp", "bin/ls", "usr/bin/getent"} {
		if _, err := os.Stat(filepath.Join(root, want)); err != nil {
			t.Error(err)
		}
	}
	if raw, err := os.ReadFile("/etc/ssl/certs/ca-certificates.crt"); err == nil {
		got, err := os.ReadFile(filepath.Join(root, "etc/ssl/certs/ca-certificates.crt"))
		if err != nil || !bytes.Equal(got, raw) {
			t.Errorf("the CA certificates are not those of the machine: %v", err)
		}
	}
	if _, err := os.Stat(filepath.Join(root, "etc/shadow")); err == nil {
		t.Error("the passwords of the machine are in the image")
	}
	f := newRootfs()
	f.addBase()
	if got := f.nodes["tmp"].mode; got&os.ModeSticky == 0 || got.Perm() != 0o777 {
		t.Errorf("/tmp is %v", got)
	}
}

// TestHostLibraries: each way for a program to name its libraries.
func TestHostLibraries(t *testing.T) {
	b := newBench(t)
	b.platform = ""
	dir := t.TempDir()
	lib := func(sub string) string { return filepath.Join(dir, sub) }
	for _, sub := range []string{"lib", "deep", "real"} {
		if err := os.Mkdir(lib(sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	compile(t, `int deep(void) { return 40; }`, "-shared", "-fPIC", "-o", lib("deep/libdeep.so"), "-Wl,-soname,libdeep.so")
	compile(t, `int deep(void); int mid(void) { return deep() + 2; }`, "-shared", "-fPIC", "-o", lib("real/libmid.so.1.2"), "-Wl,-soname,libmid.so.1",
		"-L"+lib("deep"), "-ldeep", "-Wl,--enable-new-dtags,-rpath,$ORIGIN/../deep")
	for from, to := range map[string]string{"lib/libmid.so.1": "../real/libmid.so.1.2", "lib/libmid.so": "libmid.so.1"} {
		if err := os.Symlink(to, lib(from)); err != nil {
			t.Fatal(err)
		}
	}
	const source = `#include <stdio.h>
int mid(void); int main(void) { printf("answer %d\n", mid()); return 0; }`
	for name, tags := range map[string]string{"runpath": "--enable-new-dtags", "rpath": "--disable-new-dtags"} {
		program := lib(name)
		compile(t, source, "-o", program, "-L"+lib("lib"), "-lmid", "-Wl,"+tags+",-rpath,$ORIGIN/lib", "-Wl,--allow-shlib-undefined")
		b.prints(b.resolve("host:"+program), "answer 42", program)
	}
	static := lib("static")
	compile(t, `int puts(const char*); int main(void) { puts("static"); return 0; }`, "-static", "-o", static)
	b.prints(b.resolve("host:"+static), "static", static)
	// A link to the program keeps its name, which some programs look at.
	if err := os.Symlink("static", lib("alias")); err != nil {
		t.Fatal(err)
	}
	img := b.resolve("host:" + lib("alias"))
	if img.Config.Entrypoint[0] != lib("alias") {
		t.Errorf("got %v", img.Config.Entrypoint)
	}
	b.prints(img, "static", lib("alias"))
	if err := os.Remove(lib("deep/libdeep.so")); err != nil {
		t.Fatal(err)
	}
	b.fails("host:"+lib("runpath"), "needs libdeep.so, which is not on this machine")
}

func TestHostScripts(t *testing.T) {
	b := newBench(t)
	b.platform = ""
	dir := t.TempDir()
	script := func(name, content string) string {
		file := filepath.Join(dir, name)
		write(t, file, content)
		if err := os.Chmod(file, 0o755); err != nil {
			t.Fatal(err)
		}
		return file
	}
	sh := script("sh", "#!/bin/sh\necho shell $1\n")
	b.prints(b.resolve("host:"+sh), "shell x", sh, "x")
	if !strings.Contains(b.said(), "is a script: it and its interpreter /bin/sh are taken") {
		t.Errorf("said: %s", b.said())
	}
	env := script("env", "#!/usr/bin/env -S sh -e\necho by env\n")
	b.prints(b.resolve("host:"+env), "by env", env)
	twice := script("twice", "#!"+sh+"\n")
	b.prints(b.resolve("host:"+twice), "shell "+twice, twice)
	b.fails("host:"+script("loop", "#!"+filepath.Join(dir, "loop")+"\n"), "too many interpreters")
	b.fails("host:"+script("none", "#!/no/such\n"), "/no/such: no such program")
	b.fails("host:"+script("bare", "#!\n"), "names no interpreter")
	b.fails("host:"+script("text", "hello"), "expected an ELF program or a script")
	b.fails("host:"+script("empty", ""), "empty")
	b.fails("host:"+dir, "expected a program")
	write(t, filepath.Join(dir, "data"), "data")
	b.fails("host:"+filepath.Join(dir, "data"), "cannot be executed")
	b.fails("host:/no/such/program", "no such program on this machine", "command -v")
	b.fails("host:/dev/zero", "expected a plain file")
	b.fails("host:"+script("cut", "\x7fELF"), "cut")
	b.platform = "linux/s390x"
	b.fails("host:/bin/ls", "expected a program for linux/s390x")
	plus := script("a+b", "#!/bin/sh\necho plus\n")
	b.platform = ""
	b.prints(b.resolve("host:"+plus), "plus", plus)
}

// TestLDCache writes the machine's linker cache anew and lets ldconfig read it.
func TestLDCache(t *testing.T) {
	raw, err := os.ReadFile("/etc/ld.so.cache")
	if err != nil {
		t.Fatal(err)
	}
	c, err := parseLDCache(raw)
	if err != nil || len(c.entries) < 5 {
		t.Fatalf("%d entries, %v", len(c.entries), err)
	}
	file := filepath.Join(t.TempDir(), "cache")
	write(t, file, string(c.keep(func(string) bool { return true })))
	list := func(file string) []string {
		out, err := exec.CommandContext(t.Context(), "/sbin/ldconfig", "-p", "-C", file).CombinedOutput()
		if err != nil {
			t.Fatalf("ldconfig: %v: %s", err, out)
		}
		var libs []string
		for _, line := range strings.Split(string(out), "\n") {
			if strings.Contains(line, " => ") && !strings.Contains(line, "hwcap") {
				libs = append(libs, line)
			}
		}
		return libs
	}
	if got, want := list(file), list("/etc/ld.so.cache"); !slices.Equal(got, want) {
		t.Errorf("expected %d libraries, got %d", len(want), len(got))
	}
	if c.keep(func(string) bool { return false }) != nil {
		t.Error("a cache of nothing")
	}
}

// FuzzLDCache: what is read is written and read again the same.
func FuzzLDCache(f *testing.F) {
	if raw, err := os.ReadFile("/etc/ld.so.cache"); err == nil {
		f.Add(raw)
	}
	f.Add([]byte(ldNewMagic + strings.Repeat("\x00", 64)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := parseLDCache(raw)
		if err != nil {
			return
		}
		kept := c.keep(func(string) bool { return true })
		if kept == nil {
			return
		}
		again, err := parseLDCache(kept)
		if err != nil {
			t.Fatal(err)
		}
		plain := slices.DeleteFunc(slices.Clone(c.entries), func(e ldEntry) bool { return e.hwcaps != 0 })
		if fmt.Sprint(again.entries) != fmt.Sprint(plain) {
			t.Errorf("expected %v, got %v", plain, again.entries)
		}
	})
}

func BenchmarkHostCached(b *testing.B) {
	cfg := Config{CacheDir: b.TempDir()}
	var img *Image
	for b.Loop() {
		var err error
		if img, err = Resolve(b.Context(), cfg, "host:/usr/bin/getent", "/"); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(img.Size)/1e6, "MB")
}
