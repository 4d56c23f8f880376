package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// A node alone leads: it stores, answers, and says so.
func TestNodeAlone(t *testing.T) {
	log, err := openLog(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	n := &node{name: "node1", leader: "node1", term: 1, log: log, out: io.Discard, members: map[string]string{"node1": "127.0.0.1"}}
	server := httptest.NewServer(n.handler())
	defer server.Close()
	for _, step := range []struct{ method, path, body, want string }{
		{"PUT", "/kv/k", "v1", `"position":1`},
		{"PUT", "/kv/k", "v2", `"by":"node1"`},
		{"GET", "/kv/k", "", "v2"},
		{"GET", "/kv/k?stale=1", "", "v2"},
		{"GET", "/status", "", `"leads":true`},
		{"GET", "/log?from=1", "", `"value":"v2"`},
		{"GET", "/healthz", "", "ok"},
		{"GET", "/slow?for=1ms", "", "took 1ms"},
	} {
		got, err := send(t.Context(), step.method, server.URL+step.path, step.body)
		if err != nil || !bytes.Contains([]byte(got), []byte(step.want)) {
			t.Errorf("%s %s: got %q, %v, want %s", step.method, step.path, got, err, step.want)
		}
	}
	if _, err := send(t.Context(), http.MethodGet, server.URL+"/kv/other", ""); err == nil || err.Error() != "nothing under other" {
		t.Errorf("a key that is not there: %v", err)
	}
	if _, err := send(t.Context(), http.MethodPost, server.URL+"/leader/node9", ""); err == nil {
		t.Error("node9 was made the leader")
	}
}

func TestLogIsKeptOnDisk(t *testing.T) {
	folder := t.TempDir()
	first, err := openLog(folder)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.put("k", "v"); err != nil {
		t.Fatal(err)
	}
	if err := first.append(7, entry{"x", "y"}); err == nil {
		t.Error("an entry was put behind a gap")
	}
	if err := first.close(); err != nil {
		t.Fatal(err)
	}
	again, err := openLog(folder)
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := again.get("k"); !ok || v != "v" || again.position() != 1 {
		t.Errorf("got %q, %v, position %d", v, ok, again.position())
	}
}

func TestCalledWrongly(t *testing.T) {
	var out, err bytes.Buffer
	if code := run(context.Background(), []string{"fly"}, &out, &err); code != 2 || !bytes.Contains(err.Bytes(), []byte("usage")) {
		t.Errorf("code %d, %q", code, err.String())
	}
	if code := run(context.Background(), []string{"serve", "--wings"}, &out, &err); code != 2 {
		t.Errorf("code %d", code)
	}
}
