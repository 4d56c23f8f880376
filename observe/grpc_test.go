package observe

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
)

// Calls of gRPC, plain and streaming, are rows at both ends, with the status that gRPC gives after the answer.
func TestGRPCIsSeen(t *testing.T) {
	p, o := watchBoth(t, Config{})
	srv := grpc.NewServer()
	service := health.NewServer()
	grpc_health_v1.RegisterHealthServer(srv, service)
	l := p.listen(t)
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(srv.Stop)
	conn, err := grpc.NewClient("passthrough:///"+serverIP+":8080", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) { return p.dial(ctx, "tcp", addr) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	c := grpc_health_v1.NewHealthClient(conn)
	const calls = 50
	for range calls {
		if _, err := c.Check(t.Context(), &grpc_health_v1.HealthCheckRequest{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Check(t.Context(), &grpc_health_v1.HealthCheckRequest{Service: "nobody"}); err == nil {
		t.Fatal("a service that nobody knows is healthy")
	}
	watching, stop := context.WithCancel(t.Context())
	stream, err := c.Watch(watching, &grpc_health_v1.HealthCheckRequest{})
	if err == nil {
		_, err = stream.Recv()
	}
	if err != nil {
		t.Fatal(err)
	}
	if tables := seen(t, o); len(tables.Outstanding) != 0 {
		t.Errorf("a stream that is being answered waits: %+v", tables.Outstanding)
	}
	stop()
	_, _ = stream.Recv() // until the end is on the wire
	var tables *Tables
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) { // for the last frame to be sent
		if tables = seen(t, o); tables.HTTPEvents.Rows() == 2*(calls+2) || time.Now().After(deadline) {
			break
		}
	}
	rows := tables.HTTPEvents
	var got []string
	for i := range rows.Rows() {
		line := ""
		for _, name := range []string{"trace_role", "major_version", "content_type", "req_method", "req_path", "resp_status", "grpc_status"} {
			line += fmt.Sprint(cell(t, rows, i, name), " ")
		}
		got = append(got, line)
		if took := time.Duration(cell(t, rows, i, "latency").(int64)); took > time.Second {
			t.Errorf("%s took %s", line, took)
		}
	}
	slices.Sort(got)
	var want []string
	for _, role := range []string{"1 ", "2 "} {
		for range calls {
			want = append(want, role+"2 2 POST /grpc.health.v1.Health/Check 200 0 ")
		}
		want = append(want, role+"2 2 POST /grpc.health.v1.Health/Check 200 5 ", role+"2 2 POST /grpc.health.v1.Health/Watch 200 -1 ")
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %d rows\n%s", len(got), strings.Join(slices.Compact(got), "\n"))
	}
	if tables.Loss.Any() {
		t.Error(tables.Loss)
	}
	for i := range tables.ConnStats.Rows() {
		if got := cell(t, tables.ConnStats, i, "protocol").(int64); i > 1 && got != protocolHTTP2 {
			t.Errorf("protocol %d", got)
		}
	}
}

// HTTP/2 without TLS, many requests at once on one connection, bodies of many frames.
func TestHTTP2IsSeen(t *testing.T) {
	p, o := watchBoth(t, Config{})
	var two http.Protocols
	two.SetUnencryptedHTTP2(true)
	srv := &http.Server{Protocols: &two, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	})}
	l := p.listen(t)
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
	c := &http.Client{Transport: &http.Transport{DialContext: p.dial, Protocols: &two}}
	t.Cleanup(c.CloseIdleConnections)
	const requests, size = 40, 100_000
	errs := make(chan error)
	for i := range requests {
		go func() {
			resp, err := c.Post(fmt.Sprintf("http://%s:8080/%d", serverIP, i), "text/plain", bytes.NewReader(bytes.Repeat([]byte("x"), size)))
			if err == nil {
				_, err = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
			errs <- err
		}()
	}
	for range requests {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	tables := seen(t, o)
	rows := tables.HTTPEvents
	if rows.Rows() != 2*requests || tables.Loss.Any() {
		t.Errorf("%d rows, %s", rows.Rows(), tables.Loss)
	}
	for i := range rows.Rows() {
		for name, want := range map[string]any{"major_version": int64(2), "req_body_size": int64(size), "resp_body_size": int64(size), "resp_status": int64(200)} {
			if got := cell(t, rows, i, name); got != want {
				t.Errorf("row %d: %s: %v, want %v", i, name, got, want)
			}
		}
	}
}
