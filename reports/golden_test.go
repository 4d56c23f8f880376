package reports

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var (
	update = flag.Bool("update", false, "write the golden files anew")
	keep   = flag.String("keep", "", "write the played run's reports into this folder, to look at them")
)

func TestGolden(t *testing.T) {
	dir := t.TempDir()
	if *keep != "" {
		dir = *keep
	}
	markdown := filepath.Join(t.TempDir(), "summary.md")
	t.Setenv("GITHUB_STEP_SUMMARY", markdown)
	t.Setenv("GITHUB_ACTIONS", "true")
	run := everything(t, dir)
	if err := Write(dir, run); err != nil {
		t.Fatal(err)
	}
	var console bytes.Buffer
	Closing(&console, "out", run)
	for _, name := range []string{"junit.xml", "cucumber.json", "messages.ndjson", "summary.md", "closing.txt"} {
		path := filepath.Join(dir, name)
		if name == "summary.md" {
			path = markdown
		}
		got := console.Bytes()
		if name != "closing.txt" {
			var err error
			if got, err = os.ReadFile(path); err != nil {
				t.Fatal(err)
			}
		}
		golden(t, name, got)
	}
}

// The page's facts are golden too; its looks are for eyes, and for the browser's tests.
func TestGoldenPage(t *testing.T) {
	dir := t.TempDir()
	run := everything(t, dir)
	all := map[string]any{"head": newPage(dir, run, Options{Before: run})}
	budget := newLogBudget(run)
	for _, s := range run.Scenarios {
		all[s.ID] = newDetail(dir, run, s, budget)
	}
	data, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "page.json", append(data, '\n'))
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs from its golden file; look at the difference and run with -update if it is right\ngot:\n%s", name, got)
	}
}
