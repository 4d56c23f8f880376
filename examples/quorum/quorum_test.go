package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// cluster is some nodes on loopback.
type cluster struct {
	t     *testing.T
	stops map[string]context.CancelFunc
	done  map[string]chan error
	at    map[string]string
	dirs  map[string]string
	wrong string
}

func newCluster(t *testing.T, size int, wrong mistake) *cluster {
	t.Helper()
	c := &cluster{t: t, stops: map[string]context.CancelFunc{}, done: map[string]chan error{}, at: map[string]string{}, dirs: map[string]string{}, wrong: string(wrong)}
	for i := range size {
		// Not 127.0.0.1, where a connection of somebody's may take the port while the node is stopped.
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.1.%d:0", i+1))
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("node%d", i+1)
		c.at[name], c.dirs[name] = l.Addr().String(), t.TempDir()
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for name := range c.at {
		c.start(name)
	}
	t.Cleanup(func() {
		for name := range c.stops {
			c.stop(name)
		}
	})
	return c
}

func (c *cluster) start(name string) {
	ctx, cancel := context.WithCancel(context.Background())
	members := "node1=" + c.at["node1"]
	for other, at := range c.at {
		if other != "node1" {
			members += "," + other + "=" + at
		}
	}
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, []string{"serve", "--name=" + name, "--members=" + members, "--listen=" + c.at[name], "--data=" + c.dirs[name]}, c.wrong, io.Discard)
	}()
	c.stops[name], c.done[name] = cancel, done
	c.until(name+" serves", func() bool { code, _ := c.send(name, "GET", "/healthz", ""); return code == 200 })
}

func (c *cluster) stop(name string) {
	c.stops[name]()
	if err := <-c.done[name]; err != nil {
		c.t.Error(err)
	}
	delete(c.stops, name)
}

func (c *cluster) until(what string, holds func() bool) {
	c.t.Helper()
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); {
		if holds() {
			return
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-c.t.Context().Done():
		}
	}
	c.t.Fatalf("not in 15 s: %s", what)
}

func (c *cluster) send(name, method, path, body string) (int, string) {
	req, err := http.NewRequest(method, "http://"+c.at[name]+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(text)
}

func (c *cluster) want(name, method, path, body string, code int, want string) {
	c.t.Helper()
	if got, text := c.send(name, method, path, body); got != code || !strings.Contains(text, want) {
		c.t.Errorf("%s %s on %s: got %d %q, want %d %q", method, path, name, got, text, code, want)
	}
}

func (c *cluster) leader(except string) string {
	for name := range c.stops {
		var s struct {
			Leads bool
		}
		if code, text := c.send(name, "GET", "/status", ""); code == 200 && json.Unmarshal([]byte(text), &s) == nil && s.Leads && name != except {
			return name
		}
	}
	return ""
}

func TestReadsAndWrites(t *testing.T) {
	c := newCluster(t, 3, "")
	c.want("node2", "PUT", "/kv/a", "1", 200, `"by":"node1"`)
	c.want("node3", "GET", "/kv/a", "", 200, "1")
	c.want("node3", "PUT", "/kv/a?expect=2", "3", 409, "another value")
	c.want("node3", "PUT", "/kv/a?expect=1", "3", 200, "position")
	c.want("node2", "GET", "/kv/b", "", 404, "nothing under b")
	c.want("node1", "PUT", "/kv/b?expect=", "x", 409, "")
	c.want("node1", "PUT", "/kv/b", "", 200, "")
	c.want("node2", "POST", "/kv", `[{"key":"a","expect":"3","value":"4"},{"key":"b","expect":"no","value":"5"}]`, 409, "")
	c.want("node2", "POST", "/kv", `[{"key":"a","expect":"3","value":"4"},{"key":"b","expect":"","value":"5"}]`, 200, "")
	c.want("node3", "GET", "/kv?keys=a,b,c", "", 200, `{"a":"4","b":"5"}`)
	c.until("node2 holds it", func() bool { _, text := c.send("node2", "GET", "/kv/b?stale=1", ""); return text == "5" })
}

func TestTheLeaderDiesAndMoves(t *testing.T) {
	c := newCluster(t, 3, "")
	c.want("node1", "PUT", "/kv/a", "1", 200, "")
	c.stop("node1")
	c.until("another leads", func() bool { return c.leader("") != "" })
	c.until("a write is acknowledged", func() bool { code, _ := c.send("node2", "PUT", "/kv/b", "2"); return code == 200 })
	c.until("node3 knows", func() bool { _, text := c.send("node3", "GET", "/kv/a", ""); return text == "1" })
	c.start("node1")
	c.until("node1 has it", func() bool { _, text := c.send("node1", "GET", "/kv/b?stale=1", ""); return text == "2" })
	c.until("node1 leads", func() bool {
		code, _ := c.send("node2", "POST", "/leader/node1", "")
		return code == 200 && c.leader("") == "node1"
	})
	c.want("node2", "POST", "/leader/node9", "", 404, "no such member")
	c.until("node2 knows", func() bool { _, text := c.send("node2", "GET", "/kv/b", ""); return text == "2" })
}

func TestWithoutAMajorityNothingIsAcknowledged(t *testing.T) {
	c := newCluster(t, 3, "")
	c.stop("node2")
	c.stop("node3")
	c.want("node1", "PUT", "/kv/a", "1", 503, "no majority")
	c.want("node1", "GET", "/kv/a", "", 503, "no majority")
}

func TestItIsAllThereAfterARestart(t *testing.T) {
	for _, wrong := range []mistake{"", forgets} {
		c := newCluster(t, 3, wrong)
		c.want("node1", "PUT", "/kv/a", "1", 200, "")
		for _, name := range []string{"node1", "node2", "node3"} {
			c.stop(name)
		}
		for _, name := range []string{"node1", "node2", "node3"} {
			c.start(name)
		}
		var code int
		c.until("a read is answered", func() bool { code, _ = c.send("node2", "GET", "/kv/a", ""); return code == 200 || code == 404 })
		if (code == 404) != (wrong == forgets) {
			t.Errorf("%q: status %d", wrong, code)
		}
	}
}

func TestSomeMistakes(t *testing.T) {
	c := newCluster(t, 3, early)
	c.stop("node2")
	c.stop("node3")
	c.want("node1", "PUT", "/kv/a", "1", 200, "")

	c = newCluster(t, 3, split)
	c.stop("node1")
	c.stop("node2")
	c.until("node3 leads alone", func() bool { code, _ := c.send("node3", "PUT", "/kv/a", "1"); return code == 200 })

	c = newCluster(t, 3, stale)
	c.want("node1", "PUT", "/kv/a", "1", 200, "")
	c.stop("node1")
	if code, _ := c.send("node2", "GET", "/kv/a", ""); code != 200 && code != 404 {
		t.Errorf("status %d", code)
	}
}

func TestCalledWrongly(t *testing.T) {
	for _, args := range [][]string{nil, {"fly"}, {"serve", "--wings"}, {"serve", "--mistake=none"}, {"serve", "--members=x"}} {
		if err := run(t.Context(), args, "", io.Discard); err == nil {
			t.Errorf("%q ran", args)
		}
	}
}
