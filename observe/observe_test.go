package observe

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"brine.test/brine/observe/table"
)

// watchBoth observes both ends of a pair.
func watchBoth(t testing.TB, cfg Config) (pairOfNodes, *Observer) {
	t.Helper()
	p := newPair(t)
	o, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	})
	server := Target{
		Node: "node1", NS: p.server, IfIndex: p.server.ifindex(t), Addrs: []netip.Addr{netip.MustParseAddr(serverIP)},
		Services: []Service{{Name: "consumer", Ports: []int{8080}}},
	}
	client := Target{Node: "clients", NS: p.client, IfIndex: clientIf, Clients: true, Addrs: []netip.Addr{netip.MustParseAddr(clientIP)}}
	if server.IfIndex == clientIf {
		t.Fatal("both ends have one index")
	}
	for _, target := range []Target{server, client} {
		if err := o.Attach(target); err != nil {
			t.Fatal(err)
		}
	}
	return p, o
}

// listen listens at the server's port 8080.
func (p pairOfNodes) listen(t testing.TB) (l net.Listener) {
	t.Helper()
	if err := p.server.Do(func() (err error) { l, err = net.Listen("tcp", serverIP+":8080"); return err }); err != nil {
		t.Fatal(err)
	}
	return l
}

// dial connects from the client.
func (p pairOfNodes) dial(ctx context.Context, network, addr string) (conn net.Conn, err error) {
	err = p.client.Do(func() error {
		conn, err = (&net.Dialer{}).DialContext(ctx, network, addr)
		return err
	})
	return conn, err
}

// watch observes both ends, serves handler on the server, and gives a client.
func watch(t testing.TB, cfg Config, handler http.Handler) (*Observer, *http.Client) {
	t.Helper()
	p, o := watchBoth(t, cfg)
	l := p.listen(t)
	srv := &http.Server{Handler: handler}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
	c := &http.Client{Transport: &http.Transport{DialContext: p.dial}}
	t.Cleanup(c.CloseIdleConnections)
	return o, c
}

func seen(t testing.TB, o *Observer) *Tables {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := o.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	return o.Tables()
}

func fetch(t testing.TB, c *http.Client, req *http.Request) string {
	t.Helper()
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func get(t testing.TB, path string) *http.Request {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, "http://"+serverIP+":8080"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// cell gives one row's value.
func cell(t testing.TB, rows *table.Table, i int, name string) any {
	t.Helper()
	for _, c := range append(append([]*table.Column{}, rows.Columns...), rows.Context...) {
		if c.Name == name {
			return c.At(i)
		}
	}
	t.Fatalf("no column %s", name)
	return nil
}

func TestARequestIsSeenAtBothEnds(t *testing.T) {
	var slept atomic.Int64
	o, c := watch(t, Config{SkipAgents: []string{"brine-probe"}}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		began := time.Now()
		time.Sleep(50 * time.Millisecond) // the latency that must be seen
		slept.Store(int64(time.Since(began)))
		w.Header().Set("Set-Cookie", "id=hunter2")
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "short and stout")
	}))
	began := time.Now()
	req := get(t, "/pot?x=1")
	req.Header.Set("Authorization", "Bearer hunter2")
	fetch(t, c, req)
	slow, whole := time.Duration(slept.Load()), time.Since(began)
	probe := get(t, "/health")
	probe.Header.Set("User-Agent", "brine-probe")
	fetch(t, c, probe)
	tables := seen(t, o)
	rows := tables.HTTPEvents
	if rows.Rows() != 2 {
		t.Fatalf("%d rows, want one at each end; %s", rows.Rows(), tables.Loss)
	}
	roles := map[int64]bool{}
	for i := range 2 {
		role := cell(t, rows, i, "trace_role").(int64)
		roles[role] = true
		for name, want := range map[string]any{
			"req_method": "GET", "req_path": "/pot?x=1", "resp_status": int64(418), "resp_body": "short and stout",
			"resp_body_size": int64(15), "major_version": int64(1), "minor_version": int64(1), "resp_message": "I'm a teapot",
		} {
			if got := cell(t, rows, i, name); got != want {
				t.Errorf("role %d: %s: %v, want %v", role, name, got, want)
			}
		}
		for _, name := range []string{"req_headers", "resp_headers"} {
			if s := cell(t, rows, i, name).(string); strings.Contains(s, "hunter2") || !strings.Contains(s, Masked[1:7]) {
				t.Errorf("%s: %s", name, s)
			}
		}
		if took := time.Duration(cell(t, rows, i, "latency").(int64)); took < slow || took > whole {
			t.Errorf("role %d: latency %s, the server slept %s, and it all took %s", role, took, slow, whole)
		}
		if at := time.Unix(0, cell(t, rows, i, "time_").(int64)); at.Before(began) || at.After(time.Now()) {
			t.Errorf("time_ %s, began %s", at, began)
		}
		if Role(role) == Server {
			if got := cell(t, rows, i, "service"); got != "default/consumer" {
				t.Errorf("service %v", got)
			}
			if got := cell(t, rows, i, "remote_addr"); got != clientIP {
				t.Errorf("remote %v", got)
			}
		}
	}
	if !roles[1] || !roles[2] {
		t.Errorf("roles %v", roles)
	}
	if tables.Loss.Any() {
		t.Error(tables.Loss)
	}
	stats := tables.ConnStats
	last := stats.Rows() - 1
	if got := cell(t, stats, last, "bytes_sent").(int64); got < 100 {
		t.Errorf("bytes sent %d", got)
	}
}

// Many connections, bodies of all sizes and codings: every request is seen, with its size.
func TestManyRequestsAreAllSeen(t *testing.T) {
	sizes := []int{0, 1, 1000, 1448, 20_000, 70_000, 300_000}
	o, c := watch(t, Config{RingBytes: 64 << 20}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		if r.URL.Query().Get("chunked") != "" {
			w.(http.Flusher).Flush()
		}
		for left := int(n); left > 0; {
			part := min(left, 9999)
			_, _ = w.Write(bytes.Repeat([]byte("x"), part))
			left -= part
		}
	}))
	const workers, each = 4, 50
	var wg sync.WaitGroup
	want := map[string]int64{}
	var mu sync.Mutex
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				size := sizes[(w+i)%len(sizes)]
				path := fmt.Sprintf("/%d/%d", w, i)
				url := "http://" + serverIP + ":8080" + path
				if i%2 == 1 {
					url += "?chunked=1"
					path += "?chunked=1"
				}
				mu.Lock()
				want[path] = int64(size)
				mu.Unlock()
				resp, err := c.Post(url, "text/plain", bytes.NewReader(bytes.Repeat([]byte("y"), size)))
				if err != nil {
					t.Error(err)
					return
				}
				n, _ := io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
				if n != int64(size) {
					t.Errorf("%s: %d bytes", path, n)
				}
			}
		})
	}
	wg.Wait()
	tables := seen(t, o)
	rows := tables.HTTPEvents
	if rows.Rows() != 2*workers*each {
		t.Errorf("%d rows, want %d; %s", rows.Rows(), 2*workers*each, tables.Loss)
	}
	for i := range rows.Rows() {
		path := cell(t, rows, i, "req_path").(string)
		for _, name := range []string{"req_body_size", "resp_body_size"} {
			if got := cell(t, rows, i, name).(int64); got != want[path] {
				t.Errorf("%s: %s %d, want %d", path, name, got, want[path])
			}
		}
	}
	if tables.Loss.Any() {
		t.Error(tables.Loss)
	}
}

// A ring that is far too small loses events, says so, and what is seen stays right.
func TestLossIsCounted(t *testing.T) {
	o, c := watch(t, Config{RingBytes: 64 << 10}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(bytes.Repeat([]byte("x"), 4<<20))
	}))
	for range 5 {
		fetch(t, c, get(t, "/big"))
	}
	tables := seen(t, o)
	if tables.Loss.Lost == 0 {
		t.Error("nothing lost")
	}
	for i := range tables.HTTPEvents.Rows() {
		if got := cell(t, tables.HTTPEvents, i, "resp_body_size").(int64); got != 4<<20 {
			t.Errorf("row %d: size %d", i, got)
		}
	}
	t.Log(tables.HTTPEvents.Rows(), "rows of 10;", tables.Loss)
}

// A question and its answer over UDP make one row at each end.
func TestDNSIsSeen(t *testing.T) {
	p := newPair(t)
	o, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, target := range []Target{
		{Node: "node1", NS: p.server, IfIndex: p.server.ifindex(t)}, {Node: "node2", NS: p.client, IfIndex: clientIf},
	} {
		if err := o.Attach(target); err != nil {
			t.Fatal(err)
		}
	}
	var pc net.PacketConn
	if err := p.server.Do(func() (err error) { pc, err = net.ListenPacket("udp", serverIP+":53"); return err }); err != nil {
		t.Fatal(err)
	}
	srv := &dns.Server{PacketConn: pc, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		m.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.IPv4(10, 0, 0, 9)}}
		_ = w.WriteMsg(m) // who asked fails the test
	})}
	go func() { _ = srv.ActivateAndServe() }()
	t.Cleanup(func() { _ = srv.Shutdown() })
	var conn net.Conn
	if err := p.client.Do(func() (err error) { conn, err = net.Dial("udp", serverIP+":53"); return err }); err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, _, err := new(dns.Client).ExchangeWithConn(new(dns.Msg).SetQuestion("node9.", dns.TypeA), &dns.Conn{Conn: conn}); err != nil {
		t.Fatal(err)
	}
	rows := seen(t, o).DNSEvents
	if rows.Rows() != 2 {
		t.Fatalf("%d rows", rows.Rows())
	}
	for i := range 2 {
		if got := cell(t, rows, i, "req_body"); got != `{"queries":[{"name":"node9","type":"A"}]}` {
			t.Error(got)
		}
		if got := cell(t, rows, i, "resp_body"); got != `{"answers":[{"name":"node9","type":"A","addr":"10.0.0.9"}]}` {
			t.Error(got)
		}
	}
}

// What is no HTTP is counted, and after its first bytes no longer copied; HTTP on the same ports later is seen again.
func TestOtherProtocolsAreCountedOnly(t *testing.T) {
	p := newPair(t)
	o, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := o.Attach(Target{Node: "node2", NS: p.client, IfIndex: clientIf}); err != nil {
		t.Fatal(err)
	}
	var l net.Listener
	if err := p.server.Do(func() (err error) { l, err = net.Listen("tcp", serverIP+":9000"); return err }); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(c, c)
				_ = c.Close()
			}()
		}
	}()
	var conn net.Conn
	if err := p.client.Do(func() (err error) { conn, err = net.Dial("tcp", serverIP+":9000"); return err }); err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const size, times = 10_000, 20
	for range times {
		if _, err := conn.Write(bytes.Repeat([]byte{0x16, 3, 1, 9}, size/4)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(conn, make([]byte, size)); err != nil {
			t.Fatal(err)
		}
	}
	tables := seen(t, o)
	last := tables.ConnStats.Rows() - 1
	if got := cell(t, tables.ConnStats, last, "bytes_sent"); got != int64(size*times) {
		t.Errorf("sent %v", got)
	}
	if got := cell(t, tables.ConnStats, last, "bytes_recv"); got != int64(size*times) {
		t.Errorf("received %v", got)
	}
	if tables.HTTPEvents.Rows() != 0 || tables.Loss.Any() {
		t.Errorf("%d rows, %s", tables.HTTPEvents.Rows(), tables.Loss)
	}
	var muted int
	var key sightFlow
	var value sightQuiet
	for it := o.prog.BrineMute.Iterate(); it.Next(&key, &value); {
		muted++
	}
	if muted != 1 {
		t.Errorf("%d connections muted", muted)
	}
}
