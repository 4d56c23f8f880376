package observe

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What was generated is of the source that stands beside it: `make generate` writes the sums of both.
func TestGeneratedCodeIsCurrent(t *testing.T) {
	for _, dir := range []string{".", "pixie/vizierpb"} {
		f, err := os.Open(filepath.Join(dir, "generated.sum"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		n := 0
		for lines := bufio.NewScanner(f); lines.Scan(); n++ {
			sum, name, _ := strings.Cut(lines.Text(), "  ")
			b, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Error(err)
			} else if got := fmt.Sprintf("%x", sha256.Sum256(b)); got != sum {
				t.Errorf("%s/%s: was changed\nhint: make generate", dir, name)
			}
		}
		if n < 3 {
			t.Errorf("%s: sums of %d files", dir, n)
		}
	}
}
