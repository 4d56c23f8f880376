package steps

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	gherkin "github.com/cucumber/gherkin/go/v26"
	messages "github.com/cucumber/messages/go/v21"
)

// The project's own features use the language as it is: each of their sentences has one meaning, and what it wants under it.
func TestSentencesOfTheFeatures(t *testing.T) {
	used := map[string]bool{}
	err := filepath.WalkDir("../features", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".feature" {
			return err
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		ids := (&messages.Incrementing{}).NewId
		doc, err := gherkin.ParseGherkinDocument(file, ids)
		if err != nil {
			return err
		}
		for _, pickle := range gherkin.Pickles(*doc, path, ids) {
			for _, step := range pickle.Steps {
				m, err := only(step.Text)
				if err == nil {
					used[m.Sentence.Name] = true
					err = argumentFits(step.Text, argumentOf(step))
				}
				if err != nil {
					t.Errorf("%s, %s: %v", path, pickle.Name, err)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range Catalogue() {
		if !used[s.Name] {
			t.Logf("no feature uses %q", s.Examples[0])
		}
	}
}
