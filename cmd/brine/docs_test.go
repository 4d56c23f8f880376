package main

import (
	"bytes"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"brine.test/brine/steps"
)

var update = flag.Bool("update", false, "write docs/sentences.md anew")

// root is the project's folder as this package's tests see it.
const root = "../.."

// blocks finds the fenced blocks of one language in the README and the docs, by
// file.
func blocks(t *testing.T, language string) map[string][]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	fence := regexp.MustCompile("(?s)```" + language + "\n(.*?)```")
	out := map[string][]string{}
	for _, f := range append(files, filepath.Join(root, "README.md")) {
		for _, m := range fence.FindAllStringSubmatch(read(t, f), -1) {
			out[f] = append(out[f], m[1])
		}
	}
	return out
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Every scenario that the docs show is a scenario of features/, which the tests
// run.
func TestScenariosOfTheDocsAreRun(t *testing.T) {
	var features strings.Builder
	err := filepath.WalkDir(filepath.Join(root, "features"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".feature") {
			features.WriteString(squeeze(read(t, path)))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	for file, texts := range blocks(t, "gherkin") {
		for _, text := range texts {
			for _, scenario := range regexp.MustCompile(`(?m)^ *Scenario`).Split(text, -1)[1:] {
				shown++
				if !strings.Contains(features.String(), squeeze("Scenario"+scenario)) {
					t.Errorf("%s: no feature has this scenario: %s", file, scenario)
				}
			}
		}
	}
	if shown == 0 {
		t.Error("the docs show no scenario")
	}
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

// Service files that the docs show are files that the features use.
func TestServiceFilesOfTheDocsAreUsed(t *testing.T) {
	kv := read(t, filepath.Join(root, "features", "services", "kv.yaml"))
	for file, texts := range blocks(t, "yaml") {
		for _, text := range texts {
			if text != kv {
				t.Errorf("%s: shows another text than features/services/kv.yaml", file)
			}
		}
	}
}

// Commands that the docs name are targets of the Makefile, or commands of brine.
func TestCommandsOfTheDocsAreThere(t *testing.T) {
	makefile := read(t, filepath.Join(root, "Makefile"))
	for file, texts := range blocks(t, "console") {
		for _, line := range strings.Split(strings.Join(texts, "\n"), "\n") {
			words := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "$ "))
			switch {
			case len(words) == 0:
			case words[0] == "make" && strings.Contains(makefile, "\n"+words[1]+":"):
			case words[0] == "sudo" && words[1] == "./brine" && words[2] == "run":
			case words[0] == "./brine" && words[1] == "report":
			default:
				t.Errorf("%s: unknown command: %s", file, line)
			}
		}
	}
}

// The list of sentences is what `brine steps` prints.
func TestSentencesOfTheDocs(t *testing.T) {
	var out bytes.Buffer
	out.WriteString("# Sentences\n\nWhat `brine steps` prints. Each works after Given, When, Then, And, But or `*`.\n\n```text\n")
	showSentences(&out, steps.Catalogue(), false, palette{})
	out.WriteString("```\n")
	file := filepath.Join(root, "docs", "sentences.md")
	if *update {
		if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if read(t, file) != out.String() {
		t.Errorf("%s is not what `brine steps` prints\nhint: go test ./cmd/brine -run Sentences -update", file)
	}
}

// Links between the docs lead somewhere.
func TestLinksOfTheDocs(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^):#]+)\)`)
	files, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range append(files, filepath.Join(root, "README.md")) {
		for _, m := range link.FindAllStringSubmatch(read(t, f), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(f), m[1])); err != nil {
				t.Errorf("%s: %v", f, err)
			}
		}
	}
}
