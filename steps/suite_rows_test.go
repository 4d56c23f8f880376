package steps

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const outline = `Feature: rows
  Scenario Outline: row <n>
    Given <n>

    @slow
    Examples:
      | n |
      | 1 |
    @fast
    Examples:
      | n |
      | 2 |
      | 3 |

  Scenario: row 3 alone
    Given 3
`

func TestRowsOfExamplesAreSelected(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.feature")
	if err := os.WriteFile(file, []byte(outline), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		sel   Selection
		paths []string // after the file's name
		rows  []string // that are left
	}{
		"all":               {Selection{Features: []string{file}}, []string{""}, []string{"1", "2", "3"}},
		"by tag":            {Selection{Features: []string{file}, Tags: "@fast"}, []string{":2"}, []string{"2", "3"}},
		"by name":           {Selection{Features: []string{file}, Name: "row 3"}, []string{""}, []string{"3"}},
		"by the row's line": {Selection{Features: []string{file + ":12"}}, []string{":2"}, []string{"2"}},
		"two rows":          {Selection{Features: []string{file + ":8", file + ":13"}}, []string{":2"}, []string{"1", "3"}},
		"the outline":       {Selection{Features: []string{file + ":3"}}, []string{":2"}, []string{"1", "2", "3"}},
		"a row and all":     {Selection{Features: []string{file + ":8", file}}, []string{""}, []string{"1", "2", "3"}},
	}
	for name, tt := range tests {
		paths, see, err := tt.sel.paths()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i := range tt.paths {
			tt.paths[i] = file + tt.paths[i]
		}
		if !slices.Equal(paths, tt.paths) {
			t.Errorf("%s: paths: expected %v, got %v", name, tt.paths, paths)
		}
		f, err := see.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(string(text), "\n"); got != strings.Count(outline, "\n") {
			t.Errorf("%s: %d lines, the file has others: what stays must keep its line", name, got)
		}
		for _, row := range []string{"1", "2", "3"} {
			if got := strings.Contains(string(text), "| "+row+" |"); got != slices.Contains(tt.rows, row) {
				t.Errorf("%s: row %s is there: %v", name, row, got)
			}
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}
