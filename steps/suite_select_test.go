package steps

import "testing"

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
