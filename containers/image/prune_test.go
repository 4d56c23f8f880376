package image

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// age makes everything below a folder look as old as that.
func (b *bench) age(dir string, by time.Duration) {
	b.Helper()
	then := time.Now().Add(-by)
	for _, file := range b.files(dir) {
		if err := os.Chtimes(file, then, then); err != nil {
			b.Fatal(err)
		}
	}
	entries, err := filepath.Glob(filepath.Join(b.cache, dir, "*"))
	if err != nil {
		b.Fatal(err)
	}
	for _, e := range entries {
		if err := os.Chtimes(e, then, then); err != nil {
			b.Fatal(err)
		}
	}
}

func TestPrune(t *testing.T) {
	b := newBench(t)
	h := newHub(b)
	tag := h.push("app:1", sample(t, "linux/amd64", 1, 100_000))
	meant := b.resolve(tag)
	b.writeLayout("loose", sample(t, "linux/amd64", 1, 100_000))
	loose := b.resolve("oci:loose")
	if freed, err := Prune(t.Context(), b.config(), keepUnused); err != nil || freed != 0 {
		t.Errorf("young images went: %d, %v", freed, err)
	}
	b.age("images", 2*keepLoose)
	freed, err := Prune(t.Context(), b.config(), keepUnused)
	if err != nil || freed < 100_000 || exists(loose.LayoutDir) || !exists(meant.LayoutDir) {
		t.Errorf("expected what nothing means to go: %d, %v", freed, err)
	}
	b.check(meant)
	b.age("images", 2*keepUnused)
	b.resolve(tag) // in use again
	if _, err := Prune(t.Context(), b.config(), keepUnused); err != nil || !exists(meant.LayoutDir) {
		t.Errorf("an image in use went: %v", err)
	}
	b.age("images", 2*keepUnused)
	if _, err := Prune(t.Context(), b.config(), keepUnused); err != nil || exists(meant.LayoutDir) {
		t.Errorf("an old image stayed: %v", err)
	}
	for _, dir := range []string{"images/blobs", "images/names", "images/tmp"} {
		if left := b.files(dir); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	}
	b.resolve(tag)
	b.resolve("oci:loose")
}
