package client

import (
	"context"
	"errors"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"brine.test/brine/world/catalogue"
)

// redisServer runs a server on this machine, and gives a client of it and what ends it.
func redisServer(t *testing.T) (*redis, func()) {
	t.Helper()
	// Not 127.0.0.1, where a connection of somebody's may take the port before the server does.
	l, err := net.Listen("tcp", "127.0.2.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("redis-server", "--bind", "127.0.2.1", "--port", strconv.Itoa(port), "--save", "", "--dir", filepath.Clean(t.TempDir()))
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v\nhint: make deps-test installs it", err)
	}
	end := func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
	t.Cleanup(end)
	r, err := newRedis(catalogue.Data{}, Target{Name: "node1", IP: "127.0.2.1", Port: func(string) (int, error) { return port, nil }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for r.Health(ctx) != nil {
		if ctx.Err() != nil {
			t.Fatal("redis-server does not answer")
		}
		time.Sleep(20 * time.Millisecond)
	}
	return r, end
}

func TestRedis(t *testing.T) {
	r, end := redisServer(t)
	do := func(op Op) Result {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		return r.Invoke(ctx, op)
	}
	for _, c := range []struct {
		op    Op
		want  Outcome
		value string
	}{
		{Op{Kind: Read, Key: "k"}, OK, ""},
		{Op{Kind: CAS, Key: "k", Expect: "v0", Value: "v1"}, Failed, ""},
		{Op{Kind: Write, Key: "k", Value: "v1"}, OK, ""},
		{Op{Kind: Read, Key: "k"}, OK, "v1"},
		{Op{Kind: CAS, Key: "k", Expect: "v0", Value: "v2"}, Failed, ""},
		{Op{Kind: CAS, Key: "k", Expect: "v1", Value: "v2"}, OK, ""},
		{Op{Kind: StaleRead, Key: "k"}, OK, "v2"},
	} {
		if got := do(c.op); got.Outcome != c.want || got.Value != c.value || !got.Answered {
			t.Errorf("%s = %s, want %s %q", c.op, got, c.want, c.value)
		}
	}
	if claim, err := r.Leader(t.Context()); err != nil || !claim.Self || claim.Leader != "node1" {
		t.Errorf("leader = %+v, %v", claim, err)
	}
	values, result := r.ReadAll(t.Context(), []string{"k", "none"})
	if result.Outcome != OK || len(values) != 1 || values["k"] != "v2" {
		t.Errorf("read all = %v, %s", values, result)
	}
	if got := r.ChangeAll(t.Context(), []Change{{"k", "v2", "a"}, {"none", "v", "b"}}); got.Outcome != Failed || !errors.Is(got.Err, ErrConflict) {
		t.Errorf("change of one that is not as expected = %s", got)
	}
	if got := do(Op{Kind: Read, Key: "k"}); got.Value != "v2" {
		t.Errorf("half of a change was made: %s", got)
	}
	if got := r.ChangeAll(t.Context(), []Change{{"k", "v2", "a"}}); got.Outcome != OK || do(Op{Kind: Read, Key: "k"}).Value != "a" {
		t.Errorf("change all = %s", got)
	}
	end()
	if got := do(Op{Kind: Write, Key: "k", Value: "v3"}); got.Outcome != Failed || !got.Answered {
		t.Errorf("a write to nobody = %s, want that it failed", got)
	}
}
