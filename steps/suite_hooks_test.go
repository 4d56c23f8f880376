package steps

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const alike = "\ufeff" + `Feature: alike
  Scenario Outline: a service
    Given the service "<s>":
      """yaml

      image: <image>
      """

    Examples:
      | s | image |
      | a | x     |
      | a | y     |

  Scenario: twice
    Given the cluster heals
  Scenario: twice
    Given the cluster heals
`

// Scenarios of one name are told apart: by what stands under their sentences, else by the order in which they begin.
func TestScenariosThatAreAlikeKeepTheirLines(t *testing.T) {
	file := filepath.Join(t.TempDir(), "alike.feature")
	if err := os.WriteFile(file, []byte(alike), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := parseFeature(file)
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		line int
		doc  string
	}{{11, "image: x"}, {12, "image: y"}, {14, ""}, {16, ""}}
	for i, p := range f.pickles {
		p.Uri = file
		info, err := describe(p)
		if err != nil || info.Line != want[i].line {
			t.Errorf("%d: line %d, %v; want %d", i, info.Line, err, want[i].line)
			continue
		}
		doc := info.Steps[0].DocString
		switch {
		case want[i].doc == "":
			if doc != nil {
				t.Errorf("%d: got the doc string of another: %v", i, doc)
			}
		case doc == nil || !strings.Contains(doc.Content, want[i].doc) || doc.Line != 5:
			t.Errorf("%d: got %+v, want %s", i, doc, want[i].doc)
		}
	}
}

// Windows editors put a byte order mark at the front of a file.
func TestByteOrderMark(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.feature")
	if err := os.WriteFile(file, []byte("\ufeffFeature: x\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := rows{}.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // only read
	head := make([]byte, 9)
	if _, err := f.Read(head); err != nil || string(head) != "Feature: " {
		t.Errorf("got %q, %v", head, err)
	}
}
