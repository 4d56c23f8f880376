package steps

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhatIsSelectedByDefault(t *testing.T) {
	for _, c := range []struct {
		given Selection
		tags  string
	}{
		{Selection{}, "not @slow"},
		{Selection{Tags: "@slow"}, "@slow"},
		{Selection{Features: []string{"features/bugs"}}, ""},
	} {
		s := c.given
		s.fill()
		if s.Tags != c.tags {
			t.Errorf("%+v runs the tags %q, want %q", c.given, s.Tags, c.tags)
		}
	}
}

func TestALineSelectsTheScenarioThatItBelongsTo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.feature")
	text := "Feature: F\n\n  @one\n  Scenario: one\n    Given x\n\n  @two\n  Scenario: two\n    Given y\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{"3": ":4", "4": ":4", "5": ":4", "7": ":8", "9": ":8", "1": "no scenario stands there", "99": "the file has 10 lines only"} {
		paths, _, err := Selection{Features: []string{file + ":" + line}}.paths()
		got := strings.Join(paths, " ")
		if err != nil {
			got = err.Error()
		}
		if !strings.HasSuffix(got, want) {
			t.Errorf("line %s: %s, want %s", line, got, want)
		}
	}
}

func TestATimeOfStepsThatIsNone(t *testing.T) {
	for value, ok := range map[string]bool{"": true, "90s": true, "5": false, "-1s": false, "0s": false} {
		t.Setenv("BRINE_STEP_TIMEOUT", value)
		if _, err := SelectionFromEnv(); (err == nil) != ok {
			t.Errorf("%q: %v", value, err)
		}
	}
}
