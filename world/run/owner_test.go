package run

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestGiveBack(t *testing.T) {
	needRoot(t)
	outside := t.TempDir()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "artifacts/one"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "artifacts/one/stdout.log"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SUDO_UID", "")
	if err := GiveBack(dir); err != nil {
		t.Fatal(err)
	}
	wantOwner(t, dir, 0)

	t.Setenv("SUDO_UID", "65534")
	t.Setenv("SUDO_GID", "65534")
	if err := GiveBack(dir); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"", "artifacts", "artifacts/one", "artifacts/one/stdout.log", "link"} {
		wantOwner(t, filepath.Join(dir, path), 65534)
	}
	wantOwner(t, outside, 0)
	if err := GiveBack(filepath.Join(dir, "never made")); err != nil {
		t.Error(err)
	}
	t.Setenv("SUDO_UID", "someone")
	if err := GiveBack(dir); err == nil {
		t.Error("SUDO_UID=someone was taken")
	}
}

func wantOwner(t *testing.T, path string, want uint32) {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Sys().(*syscall.Stat_t).Uid; got != want {
		t.Errorf("%s: owned by %d, want %d", path, got, want)
	}
}
