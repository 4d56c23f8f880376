package image

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestTheNewestVersionThatHasAll(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"9.6/bin/db", "9.6/bin/tool", "10/bin/db", "10/bin/tool", "11/bin/tool", "a[b/one.so"} {
		write(t, filepath.Join(dir, name), "x")
	}
	for text, want := range map[string]string{
		"*/bin/db+*/bin/tool": "10/bin/db 10/bin/tool",
		"*/bin/tool":          "11/bin/tool",
		"10/bin/db+*/bin/db":  "10/bin/db 10/bin/db",
		"a[b/*.so":            "a[b/one.so",
	} {
		full := dir + "/" + strings.ReplaceAll(text, "+", "+"+dir+"/")
		got, err := hostPaths(full)
		var wanted []string
		for _, w := range strings.Fields(want) {
			wanted = append(wanted, filepath.Join(dir, w))
		}
		if err != nil || !slices.Equal(got, wanted) {
			t.Errorf("%s: %v, %v, want %v", text, got, err, wanted)
		}
	}
	for text, want := range map[string]string{
		"*/bin/none":       "*/bin/none: no such program on this machine",
		"*/bin/*":          "at most one *",
		"*/bin/db+/nosuch": "/nosuch: no such program on this machine",
	} {
		if _, err := hostPaths(dir + "/" + text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestCompareVersions(t *testing.T) {
	sorted := []string{"", "9", "9.6", "10", "10.1", "10.02", "10.10", "10a", "16", "x"}
	for i, a := range sorted {
		for k, b := range sorted {
			got := compareVersions(a, b)
			if (got < 0) != (i < k) || (got > 0) != (i > k) {
				t.Errorf("compare %q with %q: %d", a, b, got)
			}
		}
	}
}

func TestHostTakesAlongLibrariesFilesAndFolders(t *testing.T) {
	b := newBench(t)
	b.platform = ""
	dir := t.TempDir()
	compile(t, "int x = 1;", "-shared", "-fPIC", "-o", filepath.Join(dir, "plugin.so"))
	write(t, filepath.Join(dir, "share", "deep", "text"), "hello")
	write(t, filepath.Join(dir, "share", "empty"), "")
	if err := os.Symlink("nowhere", filepath.Join(dir, "share", "dangling")); err != nil {
		t.Fatal(err)
	}
	img := b.resolve("host:/bin/cat+" + dir + "/plugin.so+" + dir + "/share+/bin/ls")
	b.prints(img, "hello", "/bin/cat", filepath.Join(dir, "share/deep/text"))
	b.prints(img, "plugin.so", "/bin/ls", dir)
	b.fails("host:/bin/cat+"+dir+"/none.so", "none.so: no such program on this machine")
}
