package world

import (
	"path/filepath"
	"strings"
	"testing"

	"brine.test/brine/world/record"
)

func testWorld(t *testing.T) *World {
	t.Helper()
	rec, err := record.Open(filepath.Join(t.TempDir(), "events.jsonl"), record.RunInfo{ID: "testrun1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rec.Close() })
	return &World{suite: &Suite{rec: rec}, memo: map[string]string{}, memoWho: map[string][]*Node{}}
}

func TestExpand(t *testing.T) {
	t.Setenv("BRINE_TEST_PLACE", "here")
	w := testWorld(t)
	w.remember("ID", "42")
	got, err := w.Expand("${ID} is ${BRINE_TEST_PLACE}, $ and ${ID}")
	if err != nil || got != "42 is here, $ and 42" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := w.Expand("${BRINE_TEST_NOT_SET}"); err == nil || !strings.Contains(err.Error(), "BRINE_TEST_NOT_SET") {
		t.Errorf("expected an error that names the variable, got %v", err)
	}
}

// A secret is hidden in the very response that it is remembered from, which is recorded before.
func TestSecretsInResponses(t *testing.T) {
	w := testWorld(t)
	w.scenario.Needs.Secrets = []string{"token", "not.there"}
	w.hideInBody(`{"token":"hunter2hunter2"}`)
	w.hideInBody("no JSON")
	if red := w.suite.rec.Redact("hunter2hunter2"); strings.Contains(red, "hunter2") {
		t.Errorf("the record would show %q", red)
	}
}

func TestExpandKeepsSecretsOutOfTheRecord(t *testing.T) {
	t.Setenv("BRINE_TEST_API_KEY", "hunter2hunter2")
	w := testWorld(t)
	got, err := w.Expand("Bearer ${BRINE_TEST_API_KEY}")
	if err != nil || got != "Bearer hunter2hunter2" {
		t.Fatalf("got %q, %v", got, err)
	}
	if red := w.suite.rec.Redact(got); strings.Contains(red, "hunter2") {
		t.Errorf("the record would show %q", red)
	}
}

func TestJSONAt(t *testing.T) {
	body := `{"a":{"b":[1,{"c":"x"}]},"ok":true}`
	for path, want := range map[string]string{"a.b[0]": "1", "a.b[1].c": "x", "ok": "true"} {
		if got, err := jsonAt(body, path); err != nil || got != want {
			t.Errorf("%s: expected %q, got %q, %v", path, want, got, err)
		}
	}
	if _, err := jsonAt(body, "a.z"); err == nil {
		t.Error("a.z: expected an error")
	}
}

func TestText(t *testing.T) {
	tests := []struct {
		text Text
		in   string
		ok   bool
	}{
		{Text{Contains, "b"}, "abc", true},
		{Text{Contains, "z"}, "abc", false},
		{Text{Matches, "^a.c$"}, "abc", true},
		{Text{Matches, "^b"}, "abc", false},
		{Text{DoesNotContain, "z"}, "abc", true},
		{Text{DoesNotContain, "b"}, "abc", false},
	}
	for _, tt := range tests {
		if err := tt.text.check(tt.in); (err == nil) != tt.ok {
			t.Errorf("%v of %q: %v", tt.text, tt.in, err)
		}
	}
	if err := (Text{Matches, "("}).check("x"); err == nil {
		t.Error("expected an error for a broken regular expression")
	}
}

func TestImageName(t *testing.T) {
	for ref, want := range map[string]string{
		"docker.io/library/nginx:1.27": "nginx", "nginx": "nginx", "localhost:5000/a/b:1": "b", "host:/usr/bin/redis-server": "redis-server",
		"go:./../../examples/kv": "kv", "go:go.etcd.io/etcd/server/v3@v3.6.8": "server", "oci:images/app": "app", "x/y@sha256:00": "y",
	} {
		if got := imageName(ref, "node1"); got != want {
			t.Errorf("%s: expected %q, got %q", ref, want, got)
		}
	}
}
