package jsonpath_test

import (
	"strings"
	"testing"

	"brine.test/brine/world/jsonpath"
)

const document = `{"a":{"b":["x",{"c":1.10}],"x.y":true,"n":null},"big":12345678901234567890,"html":["<b>"]}`

func TestFind(t *testing.T) {
	for _, c := range []struct {
		path, want string
		found      bool
	}{
		{"a.b[0]", "x", true},
		{"a.b[1].c", "1.10", true},
		{`a["x.y"]`, "true", true},
		{"big", "12345678901234567890", true},
		{"html", `["<b>"]`, true},
		{"a.n", "", false},
		{"a.b[2]", "", false},
		{"a.b.c", "", false},
		{"a[0]", "", false},
		{"nowhere", "", false},
	} {
		p, err := jsonpath.Parse(c.path)
		if err != nil {
			t.Fatal(err)
		}
		got, found, err := p.Find([]byte(document))
		if err != nil || got != c.want || found != c.found {
			t.Errorf("%s = %q, %v, %v; want %q, %v", c.path, got, found, err, c.want, c.found)
		}
	}
	if got, found, err := (jsonpath.Path{}).Find([]byte(" 5 ")); got != "5" || !found || err != nil {
		t.Errorf("the whole document = %q, %v, %v; want 5", got, found, err)
	}
}

func TestFindRefusesWhatIsNotJSON(t *testing.T) {
	for _, body := range []string{"", "oops", `{"a":1} {"a":2}`} {
		if _, _, err := (jsonpath.Path{}).Find([]byte(body)); err == nil || !strings.HasPrefix(err.Error(), "not JSON") {
			t.Errorf("Find in %q: %v; want not JSON", body, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for path, problem := range map[string]string{
		"a..b":   "name is empty",
		".a":     "name is empty",
		"a[":     "not closed",
		"a[x]":   "no index",
		"a[-1]":  "no index",
		`a["x"`:  "not closed",
		"a[0]b":  "expected . or [",
		"a.b[0.": "not closed",
	} {
		if _, err := jsonpath.Parse(path); err == nil || !strings.Contains(err.Error(), problem) {
			t.Errorf("Parse(%q): %v; want %q", path, err, problem)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"a.b[0]", `a["x\n"]`, "[0][1]", "."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := jsonpath.Parse(text)
		if err != nil {
			return
		}
		if _, _, err := p.Find([]byte(document)); err != nil {
			t.Fatal(err)
		}
	})
}

func TestNull(t *testing.T) {
	for path, want := range map[string]bool{"a.n": true, "a.b": false, "a.x": false, "a.n.x": false} {
		p, err := jsonpath.Parse(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Null([]byte(document)); got != want {
			t.Errorf("Null(%q): %t", path, got)
		}
	}
}
