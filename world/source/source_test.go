package source

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhatIsNotThereSaysWhatIs(t *testing.T) {
	dir := t.TempDir()
	for i := range 9 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("s%d.py", i)), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"nowhere.py":     "there is s0.py, s1.py, s2.py, s3.py, s4.py, s5.py, s6.py, s7.py and 1 more in " + dir,
		"nowhere.json":   "no *.json lies in " + dir,
		"nowhere/a.json": "there is no folder " + filepath.Join(dir, "nowhere"),
	} {
		_, err := Read("script", filepath.Join(dir, name))
		if err == nil || !strings.Contains(err.Error(), name+": there is no such script\nhint: "+want) {
			t.Errorf("%s: %v; want %q", name, err, want)
		}
	}
	if _, err := Read("script", dir); err == nil || !strings.HasPrefix(err.Error(), dir+": read the script: is a directory") {
		t.Errorf("a folder: %v", err)
	}
	if text, err := Read("script", filepath.Join(dir, "s1.py")); err != nil || string(text) != "x" {
		t.Errorf("%q, %v", text, err)
	}
}
