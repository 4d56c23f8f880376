package client

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"brine.test/brine/world/catalogue"
)

// openKV opens a client that is described in YAML, of a handler.
func openKV(t *testing.T, description string, handler http.Handler) Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	host, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return open(t, description, number, Target{Name: "node1", Index: 1, IP: host})
}

func open(t *testing.T, description string, port int, target Target) Client {
	t.Helper()
	text := fmt.Sprintf("name: kv\nimage: x\nports: {client: %d}\nclient:\n%s", port, description)
	s, err := catalogue.Parse(catalogue.Origin{File: "kv.yaml"}, "", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	nodes := []catalogue.Node{{Name: "node1", Index: 1, IP: "10.77.0.2", IP6: "fd00:77::2"}, {Name: "node2", Index: 2, IP: "10.77.0.3"}}
	i, err := catalogue.Render(s, catalogue.Data{Node: nodes[0], Nodes: nodes, Peers: nodes[1:], Cluster: "default"})
	if err != nil {
		t.Fatal(err)
	}
	c, err := Open(i, target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

const httpKV = `
  write: {http: {port: client, path: "/kv/{{.Key}}", body: "{{.Value}}", headers: {X-Node: "{{.Node.Name}}"}, refused: [503]}}
  read: {http: {path: "/kv/{{.Key}}", value: body}}
  stale_read: {http: {path: "/kv/{{.Key}}?local={{.Key}}"}, value: "header:X-Value"}
  cas: {http: {method: POST, path: "/kv/{{.Key}}", body: '{"from": {{json .Expect}}, "to": {{json .Value}}}'}}
  leader: {http: {path: /status, value: "json:leader"}, term: "json:term"}
  position: {http: {path: /status, value: "json:log.index"}}
  move_leader: {http: {path: "/lead/{{.Target.Name}}", status: 202}}
  health: {http: {path: /status}}
`

// store is the service that httpKV describes.
type store struct {
	mu     sync.Mutex
	values map[string]string
	asked  []string
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	s.asked = append(s.asked, r.Method+" "+r.RequestURI+" "+string(body))
	key := strings.TrimPrefix(r.URL.Path, "/kv/")
	switch {
	case r.URL.Path == "/status":
		fmt.Fprint(w, `{"leader":"http://10.77.0.3:80/","term":3,"log":{"index":17}}`)
	case strings.HasPrefix(r.URL.Path, "/lead/"):
		w.WriteHeader(202)
	case strings.HasPrefix(key, "status"):
		code, _ := strconv.Atoi(key[len("status"):])
		w.WriteHeader(code)
		fmt.Fprintln(w, "because")
	case r.Method == "PUT" && r.Header.Get("X-Node") == "node1":
		s.values[key] = string(body)
	case r.Method == "GET":
		value, ok := s.values[key]
		if !ok {
			w.WriteHeader(404)
			return
		}
		w.Header().Set("X-Value", value)
		fmt.Fprintln(w, value)
	default:
		w.WriteHeader(409)
	}
}

func TestHTTPClient(t *testing.T) {
	s := &store{values: map[string]string{}}
	c := openKV(t, httpKV, s)
	if r := c.Invoke(t.Context(), Op{Kind: Write, Key: "a b/c?&", Value: "v 1"}); r.Outcome != OK {
		t.Errorf("write: %v", r)
	}
	for kind, want := range map[Kind]string{Read: `ok: "v 1"`, StaleRead: `ok: "v 1"`} {
		if r := c.Invoke(t.Context(), Op{Kind: kind, Key: "a b/c?&"}); r.String() != want {
			t.Errorf("%s: %v", kind, r)
		}
	}
	if r := c.Invoke(t.Context(), Op{Kind: Read, Key: "nothing"}); r.Outcome != OK || r.Found {
		t.Errorf("read of nothing: %+v", r)
	}
	if r := c.Invoke(t.Context(), Op{Kind: CAS, Key: "k", Expect: `a"`, Value: "b"}); r.Outcome != Failed {
		t.Errorf("compare and set: %+v", r)
	}
	if last := s.asked[len(s.asked)-1]; last != `POST /kv/k {"from": "a\"", "to": "b"}` {
		t.Errorf("asked %s", last)
	}
	claim, err := c.(Leaderer).Leader(t.Context())
	if err != nil || claim != (Claim{Leader: "node2", Term: 3}) {
		t.Errorf("leader: %+v, %v", claim, err)
	}
	if position, err := c.(Positioner).Position(t.Context()); err != nil || position != 17 {
		t.Errorf("position: %d, %v", position, err)
	}
	if err := c.(LeaderMover).MoveLeader(t.Context(), Target{Name: "node2"}); err != nil || s.asked[len(s.asked)-1] != "POST /lead/node2 " {
		t.Errorf("move leader: %v, asked %v", err, s.asked)
	}
	if err := c.(Healther).Health(t.Context()); err != nil {
		t.Errorf("health: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := c.(Membership).AddMember(ctx, Target{}); err == nil || !strings.Contains(err.Error(), "add_member is not described") {
		t.Errorf("add member: %v", err)
	}
}

// TestHTTPStatuses holds what a status means for a write and for a read.
func TestHTTPStatuses(t *testing.T) {
	c := openKV(t, httpKV, &store{values: map[string]string{}})
	for status, want := range map[int][2]Outcome{
		201: {OK, OK}, 204: {OK, OK}, 302: {Failed, Failed}, 400: {Failed, Failed}, 404: {Failed, OK}, 408: {Unknown, Unknown},
		409: {Failed, Failed}, 500: {Unknown, Failed}, 503: {Failed, Failed}, 504: {Unknown, Unknown},
	} {
		for i, kind := range []Kind{Write, Read} {
			r := c.Invoke(t.Context(), Op{Kind: kind, Key: fmt.Sprintf("status%d", status)})
			if r.Outcome != want[i] || !r.Answered {
				t.Errorf("%s with status %d: %+v, want %v", kind, status, r, want[i])
			}
			if r.Outcome != OK && !strings.HasSuffix(r.Err.Error(), fmt.Sprintf(": status %d: because", status)) {
				t.Errorf("status %d: %v", status, r.Err)
			}
		}
	}
}

// TestHTTPWithoutAnswer holds what silence, a refusal and a broken connection mean.
func TestHTTPWithoutAnswer(t *testing.T) {
	release := make(chan struct{})
	c := openKV(t, httpKV, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/kv/broken":
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_ = conn.Close()
			}
		case "/kv/half":
			w.Header().Set("Content-Length", "10")
			fmt.Fprint(w, "half")
			w.(http.Flusher).Flush()
			<-release
		default:
			<-release
		}
	}))
	defer close(release)
	for key, want := range map[string]struct{ answered, silent bool }{
		"silent": {false, true}, "broken": {true, false}, "half": {true, false},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		r := c.Invoke(ctx, Op{Kind: Write, Key: key})
		cancel()
		if r.Outcome != Unknown || r.Answered != want.answered || r.Silent() != want.silent {
			t.Errorf("%s: %+v, answered %v, silent %v", key, r, r.Answered, r.Silent())
		}
	}
	refused := open(t, httpKV, 1, Target{Name: "node1", IP: "127.0.0.1"})
	if r := refused.Invoke(t.Context(), Op{Kind: Write, Key: "k"}); r.Outcome != Failed || !r.Answered || !strings.Contains(r.Err.Error(), "connection refused") {
		t.Errorf("refused: %+v", r)
	}
}

const execKV = `
  write: {exec: ["kv", "put", "{{.Key}}", "{{.Value}}"], refused: 3}
  read: {exec: ["kv", "get", "{{.Key}}"], value: stdout, not_found: [2]}
  leader: {exec: ["kv", "am-i-leader"], value: "json:me"}
  position: {exec: ["kv", "position"], value: stdout}
  add_member: {exec: ["kv", "add", "{{.Target.Name}}", "{{.Target.IP}}"]}
`

func TestExecClient(t *testing.T) {
	var ran []string
	busy := 2
	target := Target{Name: "node1", IP: "10.77.0.2", Exec: func(ctx context.Context, argv []string) ([]byte, []byte, int, error) {
		line := strings.Join(argv, " ")
		ran = append(ran, line)
		switch line {
		case "kv get k":
			return []byte("v1\n"), nil, 0, nil
		case "kv get empty":
			return nil, nil, 0, nil
		case "kv get none":
			return nil, []byte("none"), 2, nil
		case "kv put readonly v":
			return nil, []byte("read only"), 3, nil
		case "kv put broken v":
			return nil, []byte("broken\nbadly"), 1, nil
		case "kv put slow v":
			<-ctx.Done()
			return nil, nil, 0, ctx.Err()
		case "kv am-i-leader":
			return []byte(`{"me": true}`), nil, 0, nil
		case "kv position":
			return []byte("16/B374D848\n"), nil, 0, nil
		case "kv add node4 10.77.0.5":
			if busy--; busy > 0 {
				return nil, []byte("busy"), 1, nil
			}
		}
		return nil, nil, 0, nil
	}}
	c := open(t, execKV, 80, target)
	for _, e := range []struct {
		op   Op
		want string
	}{
		{Op{Kind: Read, Key: "k"}, `ok: "v1"`},
		{Op{Kind: Read, Key: "empty"}, "ok"},
		{Op{Kind: Read, Key: "none"}, "ok"},
		{Op{Kind: Write, Key: "x", Value: "v"}, "ok"},
		{Op{Kind: Write, Key: "readonly", Value: "v"}, "failed: kv put readonly v: exit code 3: read only"},
		{Op{Kind: Write, Key: "broken", Value: "v"}, "unknown: kv put broken v: exit code 1: broken badly"},
		{Op{Kind: CAS, Key: "k"}, "failed: client: cas is not described: the service's client cannot do that"},
	} {
		if r := c.Invoke(t.Context(), e.op); r.String() != e.want {
			t.Errorf("%s: %s, want %s", e.op, r, e.want)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if r := c.Invoke(ctx, Op{Kind: Write, Key: "slow", Value: "v"}); !r.Silent() || r.Outcome != Unknown {
		t.Errorf("slow: %+v", r)
	}
	if claim, err := c.(Leaderer).Leader(t.Context()); err != nil || claim != (Claim{Self: true, Leader: "node1"}) {
		t.Errorf("leader: %+v, %v", claim, err)
	}
	if position, err := c.(Positioner).Position(t.Context()); err != nil || position != 0x16B374D848 {
		t.Errorf("position: %x, %v", position, err)
	}
	if err := c.(Membership).AddMember(t.Context(), Target{Name: "node4", IP: "10.77.0.5"}); err != nil || busy != 0 {
		t.Errorf("add member: %v", err)
	}
}

// TestClaims holds which words of a node mean that it leads, or that another does.
func TestClaims(t *testing.T) {
	d := &described{target: Target{Name: "node1", IP: "10.77.0.2"}, data: catalogue.Data{Nodes: []catalogue.Node{
		{Name: "node1", IP: "10.77.0.2"}, {Name: "node2", IP: "10.77.0.3", IP6: "fd00:77::3"}, {Name: "node10", IP: "10.77.0.30"},
	}}}
	for said, want := range map[string]Claim{
		"true": {Self: true, Leader: "node1"}, "false": {}, "": {}, "node1": {Self: true, Leader: "node1"}, "NODE1": {Self: true, Leader: "node1"},
		"node10": {Leader: "node10"}, "10.77.0.2": {Self: true, Leader: "node1"}, "10.77.0.3:2379": {Leader: "node2"}, "10.77.0.30": {Leader: "node10"},
		"http://node2:80/x": {Leader: "node2"}, "[fd00:77::3]:80": {Leader: "node2"}, "fd00:77::3": {Leader: "node2"}, "somebody": {Leader: "somebody"},
	} {
		if got := d.claim(said); got != want {
			t.Errorf("claim(%q) = %+v, want %+v", said, got, want)
		}
	}
}

func TestOpenWithoutClient(t *testing.T) {
	i := &catalogue.Instance{Service: &catalogue.Service{Name: "kv", File: "kv.yaml"}}
	if _, err := Open(i, Target{Name: "node1"}); err == nil || !strings.Contains(err.Error(), "node1: the service kv has no client\nhint: ") {
		t.Errorf("got %v", err)
	}
	if Can(nil, catalogue.OpRead) || CanLead(&catalogue.Client{}) || !CanLead(&catalogue.Client{Builtin: "etcd"}) {
		t.Error("Can is wrong")
	}
	for _, name := range catalogue.BuiltinClients {
		i.Client = &catalogue.Client{Builtin: name}
		i.Data = catalogue.Data{}
		if _, err := Open(i, Target{Port: func(string) (int, error) { return 1, nil }}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzSaid(f *testing.F) {
	for _, seed := range []string{"node1", "http://node1:80", "16/B374D848", "true"} {
		f.Add(seed)
	}
	d := &described{target: Target{Name: "node1", IP: "10.77.0.2"}}
	f.Fuzz(func(t *testing.T, said string) {
		if claim := d.claim(said); claim.Self && claim.Leader != "node1" {
			t.Errorf("claim(%q) = %+v", said, claim)
		}
		_, _ = number(said)
	})
}
