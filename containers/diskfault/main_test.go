package diskfault

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// marker is in the path of everything that the tests make, so that what they
// leave is found.
const marker = "brine-diskfault-test"

func TestMain(m *testing.M) {
	if what := os.Getenv(programVar); what != "" {
		program(what)
	}
	code := m.Run()
	if left := leaks(5 * time.Second); len(left) > 0 {
		fmt.Fprintf(os.Stderr, "left behind:\n  %s\n", strings.Join(left, "\n  "))
		code = 1
	}
	os.Exit(code)
}

// leaks waits for servers and mounts to go and lists those that do not.
func leaks(wait time.Duration) []string {
	deadline := time.Now().Add(wait)
	for {
		var left []string
		all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
		for _, file := range all {
			text, err := os.ReadFile(file)
			pid := filepath.Base(filepath.Dir(file))
			if err == nil && bytes.HasPrefix(text, []byte("brine-diskfault")) && bytes.Contains(text, []byte(marker)) && pid != fmt.Sprint(os.Getpid()) {
				left = append(left, "process "+pid+" "+strings.ReplaceAll(string(text), "\x00", " "))
			}
		}
		mounts, _ := os.ReadFile("/proc/self/mountinfo")
		for line := range strings.Lines(string(mounts)) {
			if strings.Contains(line, marker) {
				left = append(left, "mount "+strings.TrimSpace(line))
			}
		}
		if len(left) == 0 || time.Now().After(deadline) {
			return left
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// disk is a volume over a folder of its own.
type disk struct {
	*Volume
	dir     string // the volume as mounted
	backing string
}

// newDisk starts a volume that ends with the test. change may alter its settings.
func newDisk(t testing.TB, change ...func(*Config)) *disk {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	top, err := os.MkdirTemp("", marker)
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{
		Backing: filepath.Join(top, "data"), Mountpoint: filepath.Join(top, "mnt"),
		LogFile: filepath.Join(top, "disk.log"), Socket: filepath.Join(top, "disk.sock"),
	}
	for _, f := range change {
		f(&cfg)
	}
	for _, dir := range []string{cfg.Backing, cfg.Mountpoint} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	v, err := Start(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := v.Close(ctx); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			text, _ := os.ReadFile(cfg.LogFile)
			t.Logf("server's log:\n%s", text)
		}
		if err := os.RemoveAll(top); err != nil {
			t.Error(err)
		}
	})
	return &disk{Volume: v, dir: cfg.Mountpoint, backing: cfg.Backing}
}

func (d *disk) path(name string) string { return filepath.Join(d.dir, name) }

// apply puts a rule in force until the test ends.
func (d *disk) apply(t testing.TB, r Rule) *Fault {
	t.Helper()
	f, err := d.Apply(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Heal() }) // a test that cares heals itself
	return f
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
