package image

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func TestCacheIsPrivate(t *testing.T) {
	b := newBench(t)
	if err := os.Mkdir(filepath.Join(b.cache, "images"), 0o777); err != nil {
		t.Fatal(err)
	}
	b.writeLayout("app", sample(t, "linux/amd64", 1, 1000))
	img := b.resolve("oci:app")
	for _, p := range []string{filepath.Join(b.cache, "images"), img.LayoutDir} {
		info, err := os.Stat(p)
		if err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: expected 0700, got %v, %v", p, info.Mode(), err)
		}
	}
	if want := filepath.Join(b.cache, "images", strings.ReplaceAll(img.Digest, ":", "-")); img.LayoutDir != want {
		t.Errorf("expected %s, got %s", want, img.LayoutDir)
	}
}

// TestDamageIsMended: whatever is wrong with a cached image, it is seen and
// the image is made again.
func TestDamageIsMended(t *testing.T) {
	b := newBench(t)
	img := sample(t, "linux/amd64", 2, 1000)
	b.writeLayout("app", img)
	got := b.resolve("oci:app")
	blobs := b.files(strings.TrimPrefix(got.LayoutDir, b.cache))
	if len(blobs) != 6 {
		t.Fatalf("expected oci-layout, index.json and 4 blobs, got %v", blobs)
	}
	for _, file := range blobs {
		for name, harm := range map[string]func() error{
			"flipped":   func() error { return flip(file) },
			"truncated": func() error { return os.Truncate(file, 1) },
			"emptied":   func() error { return os.Truncate(file, 0) },
			"removed":   func() error { return os.Remove(file) },
		} {
			if filepath.Base(file) == "oci-layout" {
				continue // says only the version
			}
			if err := harm(); err != nil {
				t.Fatal(err)
			}
			verified.Clear() // as a new process
			b.lines = nil
			if again := b.resolve("oci:app"); again.Digest != got.Digest {
				t.Errorf("%s %s: got %s", filepath.Base(file), name, again.Digest)
			}
			if !strings.Contains(b.said(), "is damaged") {
				t.Errorf("%s %s: nothing was said: %s", filepath.Base(file), name, b.said())
			}
			b.noLeftovers()
		}
	}
}

func flip(file string) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	raw[len(raw)/2] ^= 0x20
	return os.WriteFile(file, raw, 0o600)
}

// TestDamageIsSeenInTheSameProcess: the memory of what was hashed does not
// outlive a change of the file.
func TestDamageIsSeenInTheSameProcess(t *testing.T) {
	b := newBench(t)
	b.writeLayout("app", sample(t, "linux/amd64", 1, 1000))
	img := b.resolve("oci:app")
	layer := filepath.Join(img.LayoutDir, "blobs", strings.ReplaceAll(img.Layers[0], ":", "/"))
	if err := flip(layer); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Second) // a coarse clock may not have ticked
	if err := os.Chtimes(layer, later, later); err != nil {
		t.Fatal(err)
	}
	b.resolve("oci:app")
}

// TestFullDisk: the error says so, and what was written is gone again.
func TestFullDisk(t *testing.T) {
	needsRoot(t)
	b := newBench(t)
	if err := syscall.Mount("brine-test", b.cache, "tmpfs", 0, "size=3m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(b.cache, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	big := sample(t, "linux/amd64", 3, 2<<20)
	b.writeLayout("big", big)
	b.fails("oci:big", "no space left on device", "hint: "+filepath.Join(b.cache, "images"), "BRINE_CACHE")
	b.dockerSave("big.tar", false, map[string]v1.Image{"big:1": big})
	b.fails("archive:big.tar", "no space left on device")
	h := newHub(b)
	b.fails(h.push("big:1", big), "no space left on device")
	if left := b.files("images/blobs"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	b.writeLayout("small", sample(t, "linux/amd64", 1, 1<<20))
	b.resolve("oci:small")
}

func TestReadOnlyCache(t *testing.T) {
	b := newBench(t)
	b.cache = "/proc/self"
	_, err := b.try("oci:x")
	if err == nil || !strings.Contains(err.Error(), "image cache: ") || !strings.Contains(err.Error(), "hint: run as root") {
		t.Errorf("got %v", err)
	}
}

// TestSweep: what a killed process was writing goes, what a living one writes
// stays.
func TestSweep(t *testing.T) {
	b := newBench(t)
	s, err := openStore(b.cache, nil)
	if err != nil {
		t.Fatal(err)
	}
	living, err := s.draft()
	if err != nil {
		t.Fatal(err)
	}
	dead, err := s.draft()
	if err != nil {
		t.Fatal(err)
	}
	write(t, dead.path("half"), "x")
	if err := dead.lock.Close(); err != nil { // as the kernel does for a killed process
		t.Fatal(err)
	}
	if _, err := openStore(b.cache, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dead.dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a dead writer's folder stayed: %v", err)
	}
	if _, err := os.Stat(living.dir); err != nil {
		t.Errorf("a living writer's folder went: %v", err)
	}
	if err := living.Close(); err != nil {
		t.Error(err)
	}
	b.noLeftovers()
}

func TestLock(t *testing.T) {
	b := newBench(t)
	s, err := openStore(b.cache, nil)
	if err != nil {
		t.Fatal(err)
	}
	unlock, err := s.lock(t.Context(), "k", "app")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.lock(ctx, "k", "app"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("expected the deadline, got %v", err)
	}
	unlock()
	inside, most := 0, 0
	var mu, wg = sync.Mutex{}, sync.WaitGroup{}
	for range 8 {
		wg.Go(func() {
			unlock, err := s.lock(t.Context(), "k", "app")
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			inside++
			most = max(most, inside)
			mu.Unlock()
			mu.Lock()
			inside--
			mu.Unlock()
			unlock()
		})
	}
	wg.Wait()
	if most != 1 {
		t.Errorf("%d were inside at once", most)
	}
}
