package image

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// goBench is a bench whose base folder is a small module, with a module proxy
// that is a folder. The module cache is the test's own; what the compiler
// made of the standard library is shared.
type goBench struct {
	*bench
	proxy string
}

func newGoBench(t *testing.T) *goBench {
	b := &goBench{bench: newBench(t), proxy: t.TempDir()}
	t.Setenv("GOPROXY", "file://"+b.proxy)
	t.Setenv("GOSUMDB", "off")
	t.Setenv("GOFLAGS", "-modcacherw")
	t.Setenv("GOMODCACHE", t.TempDir())
	t.Setenv("GOTOOLCHAIN", "local")
	b.source("example.com/hello", "kv", "one")
	return b
}

// source writes a module with a main package at cmd/NAME that prints a text.
func (b *goBench) source(module, name, text string) {
	write(b.T, filepath.Join(b.base, "go.mod"), "module "+module+"\n\ngo 1.24\n")
	write(b.T, filepath.Join(b.base, "cmd", name, "main.go"), program1(text))
}

func program1(text string) string {
	return fmt.Sprintf("package main\n\nfunc main() { println(%q) }\n", text)
}

// publish puts a module version into the proxy.
func (b *goBench) publish(module, version string, files map[string]string) {
	b.Helper()
	dir := filepath.Join(b.proxy, filepath.FromSlash(module), "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	list, err := os.OpenFile(filepath.Join(dir, "list"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := fmt.Fprintln(list, version); err != nil {
		b.Fatal(err)
	}
	if err := list.Close(); err != nil {
		b.Fatal(err)
	}
	var raw bytes.Buffer
	zw := zip.NewWriter(&raw)
	for name, content := range files {
		w, err := zw.Create(module + "@" + version + "/" + name)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			b.Fatal(err)
		}
	}
	if err := zw.Close(); err != nil {
		b.Fatal(err)
	}
	write(b.T, filepath.Join(dir, version+".info"), `{"Version":"`+version+`"}`)
	write(b.T, filepath.Join(dir, version+".mod"), files["go.mod"])
	write(b.T, filepath.Join(dir, version+".zip"), raw.String())
}

// runs starts a program of an image and gives what it prints.
func (b *goBench) runs(img *Image, program string) string {
	b.Helper()
	out, err := exec.CommandContext(b.Context(), filepath.Join(b.unpack(img), program)).CombinedOutput()
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func TestGoLocal(t *testing.T) {
	b := newGoBench(t)
	img := b.resolve("go:./cmd/kv")
	if got := b.runs(img, "kv"); got != "one" || strings.Join(img.Config.Entrypoint, " ") != "/kv" {
		t.Errorf("got %q, entrypoint %q", got, img.Config.Entrypoint)
	}
	if !strings.Contains(b.said(), "compiled ./cmd/kv in") {
		t.Errorf("said: %s", b.said())
	}
	b.lines = nil
	if again := b.resolve("go:example.com/hello/cmd/kv"); again.Digest != img.Digest {
		t.Error("the import path and the folder give different images")
	}
	b.lines = nil
	if again := b.resolve("go:./cmd/kv"); again.Digest != img.Digest || b.said() != "" {
		t.Errorf("nothing changed, and yet: %s", b.said())
	}
	b.source("example.com/hello", "kv", "two")
	changed := b.resolve("go:./cmd/kv")
	if got := b.runs(changed, "kv"); got != "two" {
		t.Errorf("the source changed, got %q", got)
	}
	b.fails("go:./cmd/kv#"+img.Digest, "expected digest "+img.Digest, "got "+changed.Digest, "another Go version")
	b.resolve("go:./cmd/kv#" + changed.Digest)
	// A fresh cache and another folder give the same image.
	other := &goBench{bench: newBench(t)}
	other.source("example.com/hello", "kv", "two")
	if got := other.resolve("go:./cmd/kv"); got.Digest != changed.Digest {
		t.Error("the same source gives different digests")
	}
}

func TestGoLocalSeveral(t *testing.T) {
	b := newGoBench(t)
	b.source("example.com/hello", "ctl", "control")
	write(t, filepath.Join(b.base, "nested/v3/go.mod"), "module example.com/nested/v3\n\ngo 1.24\n")
	write(t, filepath.Join(b.base, "nested/v3/main.go"), program1("nested"))
	img := b.resolve("go:./nested/v3+./cmd/ctl+example.com/hello/cmd/kv")
	if img.Config.Entrypoint[0] != "/nested" || b.runs(img, "nested") != "nested" || b.runs(img, "ctl") != "control" || b.runs(img, "kv") != "one" {
		t.Errorf("got %+v", img)
	}
	b.fails("go:./cmd/kv+./cmd/kv", "would be /kv, which is there already")
}

func TestGoLocalErrors(t *testing.T) {
	b := newGoBench(t)
	write(t, filepath.Join(b.base, "lib/lib.go"), "package lib\n")
	write(t, filepath.Join(b.base, "broken/main.go"), "package main\n\nfunc main() { undefined() }\n")
	b.fails("go:./lib", "expected a main package, got a library")
	b.fails("go:./broken", "undefined: undefined", "main.go:3:15", "hint: ")
	b.fails("go:./nowhere", "no such folder", "relative to the feature file")
	b.fails("go:./go.mod", "expected the folder of a main package")
	b.fails("go:example.com/elsewhere/cmd/x", "package example.com/elsewhere/cmd/x: ", "write example.com/elsewhere/cmd/x@VERSION")
	b.base = t.TempDir()
	t.Chdir(b.base)
	b.fails("go:example.com/hello/cmd/kv", "hint: a package without @VERSION")
}

func TestGoLocalOfTheWorkingFolder(t *testing.T) {
	b := newGoBench(t)
	t.Chdir(b.base)
	b.base = t.TempDir()
	if got := b.runs(b.resolve("go:example.com/hello/cmd/kv"), "kv"); got != "one" {
		t.Errorf("got %q", got)
	}
	b.fails("go:./cmd/kv", "no such folder", "relative to the feature file")
}

func TestGoModuleProxy(t *testing.T) {
	b := newGoBench(t)
	module := func(path, text string) map[string]string {
		return map[string]string{
			// go install refuses this line.
			"go.mod":         "module " + path + "\n\ngo 1.22\n\nreplace example.com/none => ./none\n",
			"main.go":        program1(text),
			"cmd/x/x.go":     program1("x of " + text),
			"lib/lib.go":     "package lib\n",
			"broken/main.go": "package main\n\nvar x int = \"\"\n",
		}
	}
	b.publish("example.com/srv/v3", "v3.1.0", module("example.com/srv/v3", "srv 3.1.0"))
	b.publish("example.com/srv/v3", "v3.2.0", module("example.com/srv/v3", "srv 3.2.0"))
	b.publish("example.com/ctl", "v3.1.0", map[string]string{"go.mod": "module example.com/ctl\n"}) // not a version of that path
	b.publish("example.com/tool", "v1.5.0", module("example.com/tool", "tool 1.5.0"))

	img := b.resolve("go:example.com/srv/v3@v3.1.0+example.com/srv/v3/cmd/x")
	if img.Config.Entrypoint[0] != "/srv" || b.runs(img, "srv") != "srv 3.1.0" || b.runs(img, "x") != "x of srv 3.1.0" {
		t.Errorf("got %+v", img)
	}
	if !strings.Contains(b.said(), "fetching example.com/srv/v3@v3.1.0") || !strings.Contains(b.said(), "compiled example.com/srv/v3 v3.1.0") {
		t.Errorf("said: %s", b.said())
	}
	if got := b.resolve("go:example.com/srv/v3@latest"); b.runs(got, "srv") != "srv 3.2.0" {
		t.Error("latest is not the latest")
	}
	// The second has no such version: it gets its own latest, and that is said.
	if got := b.resolve("go:example.com/srv/v3@v3.1.0+example.com/tool"); b.runs(got, "tool") != "tool 1.5.0" {
		t.Error("expected the tool's latest")
	}
	if !strings.Contains(b.said(), "example.com/tool has no version v3.1.0; v1.5.0 was taken") {
		t.Errorf("said: %s", b.said())
	}
	b.fails("go:example.com/srv/v3@v3.9.9", "v3.9.9", "go list -m -versions")
	b.fails("go:example.com/gone@v1.0.0", "example.com/gone", "hint: ")
	b.fails("go:example.com/srv/v3/lib@v3.1.0", "expected a main package, got the library lib")
	b.fails("go:example.com/srv/v3/broken@v3.1.0", "cannot use")

	// What was built needs neither proxy nor compiler; latest is taken as it was.
	if err := os.RemoveAll(b.proxy); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOMODCACHE", t.TempDir())
	b.lines = nil
	if again := b.resolve("go:example.com/srv/v3@v3.1.0+example.com/srv/v3/cmd/x"); again.Digest != img.Digest || b.said() != "" {
		t.Errorf("said: %s", b.said())
	}
	b.resolve("go:example.com/srv/v3@latest")
	if !strings.Contains(b.said(), "the version cannot be looked up; taking the image built") {
		t.Errorf("said: %s", b.said())
	}
}

func TestGoBuildsOnce(t *testing.T) {
	b := newGoBench(t)
	b.publish("example.com/srv", "v1.0.0", map[string]string{"go.mod": "module example.com/srv\n\ngo 1.22\n", "main.go": program1("srv")})
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			if _, err := b.try("go:example.com/srv@v1.0.0"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := strings.Count(b.said(), "compiled "); n != 1 {
		t.Errorf("compiled %d times: %s", n, b.said())
	}
	b.noLeftovers()
}

func TestGoDamagedProgram(t *testing.T) {
	b := newGoBench(t)
	b.publish("example.com/srv", "v1.0.0", map[string]string{"go.mod": "module example.com/srv\n\ngo 1.22\n", "main.go": program1("srv")})
	img := b.resolve("go:example.com/srv@v1.0.0")
	for _, file := range b.files("images/programs") {
		if err := os.Truncate(file, 10); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.RemoveAll(img.LayoutDir); err != nil {
		t.Fatal(err)
	}
	if again := b.resolve("go:example.com/srv@v1.0.0"); again.Digest != img.Digest || b.runs(again, "srv") != "srv" {
		t.Error("a damaged program was used")
	}
}

func TestGoToolchainMissing(t *testing.T) {
	b := newBench(t)
	old := usualPlaces
	usualPlaces = nil
	t.Cleanup(func() { usualPlaces = old })
	t.Setenv("PATH", t.TempDir())
	t.Setenv("GOROOT", "")
	t.Setenv("HOME", t.TempDir())
	b.fails("go:./cmd/kv", "need the Go toolchain", "hint: install Go")
}

// TestGoUnderSudo: the build runs as the caller, with the caller's caches,
// and leaves nothing of root's in the caller's home.
func TestGoUnderSudo(t *testing.T) {
	needsRoot(t)
	b := newGoBench(t)
	const uid = 54321
	home := t.TempDir()
	shared := os.Getenv("GOCACHE")
	t.Setenv("GOMODCACHE", "")
	t.Setenv("GOCACHE", "")
	lookupUser = func(id string) (*user.User, error) {
		return &user.User{Uid: id, Gid: id, Username: "ann", HomeDir: home}, nil
	}
	t.Cleanup(func() { lookupUser = user.LookupId })
	t.Setenv("SUDO_UID", fmt.Sprint(uid))
	for _, dir := range []string{home, b.base} {
		if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(dir, uid, uid); err != nil {
			t.Fatal(err)
		}
	}
	if img := b.resolve("go:./cmd/kv"); b.runs(img, "kv") != "one" {
		t.Error("expected the program")
	}
	n := 0
	for _, dir := range []string{home, b.base} {
		err := filepath.WalkDir(dir, func(p string, _ fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := os.Lstat(p)
			if err == nil && dir == home {
				n++
				if info.Sys().(*syscall.Stat_t).Uid != uid {
					t.Errorf("%s belongs to root", p)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n < 10 {
		t.Errorf("the caller's build cache was not used: %d files in %s (was %s)", n, home, shared)
	}
	if left, err := filepath.Glob(filepath.Join(os.TempDir(), "brine-build-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestEtcd builds the real thing where it was built before, or where
// BRINE_TEST_ETCD asks for it: a cold build takes one and a half minutes.
func TestEtcd(t *testing.T) {
	const ref = "go:go.etcd.io/etcd/server/v3@v3.6.8+go.etcd.io/etcd/etcdctl/v3"
	cfg := Config{Progress: func(line string) { t.Log(line) }}
	if os.Getenv("BRINE_TEST_ETCD") == "" {
		cache, err := openStore("", nil)
		if err != nil {
			t.Log("no cache of this machine: ", err)
			return
		}
		infos, err := filepath.Glob(cache.path("programs", "*", "info.json"))
		if err != nil {
			t.Fatal(err)
		}
		var have programInfo
		for _, info := range infos {
			if readJSON(info, &have) == nil && have.Package == "go.etcd.io/etcd/server/v3@v3.6.8" {
				break
			}
		}
		if have.Package != "go.etcd.io/etcd/server/v3@v3.6.8" {
			t.Log("not built before on this machine; set BRINE_TEST_ETCD=1 to build it")
			return
		}
	}
	img, err := Resolve(t.Context(), cfg, ref, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	b := &goBench{bench: newBench(t)}
	root := b.unpack(img)
	for program, want := range map[string]string{"server": "etcd Version: 3.6.8", "etcdctl": "etcdctl version: 3.6.8"} {
		arg := map[string]string{"server": "--version", "etcdctl": "version"}[program]
		out, err := exec.CommandContext(t.Context(), filepath.Join(root, program), arg).CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%s %s: expected %q, got %s, %v", program, arg, want, out, err)
		}
	}
	t.Logf("%s: %s", img.Digest, size(img.Size))
}
