package probe_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"brine.test/brine/world/catalogue"
	"brine.test/brine/world/probe"
)

// serve answers HTTP and returns where.
func serve(t *testing.T, handler http.HandlerFunc) (probe.Target, int) {
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
	return probe.Target{Name: "node1", IP: host}, number
}

func TestHTTPBecomesReady(t *testing.T) {
	var looks atomic.Int32
	target, port := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.UserAgent() != probe.UserAgent || r.URL.Path != "/health" || r.Header.Get("X") != "y" {
			t.Errorf("asked %s as %q", r.URL, r.UserAgent())
		}
		switch looks.Add(1) {
		case 1:
			w.WriteHeader(503)
		case 2:
			fmt.Fprint(w, `{"health":"false"}`)
		default:
			fmt.Fprint(w, `{"health":"true"}`)
		}
	})
	p := &catalogue.ReadyProbe{HTTP: &catalogue.HTTPCheck{Method: "GET", Port: port, Path: "/health", Status: []int{200}, Body: "true", Headers: map[string]string{"X": "y"}}, Within: 5 * time.Second}
	if err := probe.Wait(t.Context(), p, target); err != nil || looks.Load() != 3 {
		t.Errorf("%v after %d looks", err, looks.Load())
	}
}

func TestHTTPNeverReady(t *testing.T) {
	target, port := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(503)
		fmt.Fprint(w, "no\n leader yet")
	})
	p := &catalogue.ReadyProbe{HTTP: &catalogue.HTTPCheck{Method: "GET", Port: port, Path: "/", Headers: map[string]string{"Authorization": "hidden"}}, Within: 150 * time.Millisecond}
	err := probe.Wait(t.Context(), p, target)
	var notReady *probe.NotReadyError
	if !errors.As(err, &notReady) || notReady.Looks < 3 {
		t.Fatalf("got %v", err)
	}
	want := regexp.MustCompile(`^not ready within 150ms, \d+ looks; last probe answer: GET http://127.0.0.1:\d+/: status 503: no leader yet$`)
	if !want.MatchString(err.Error()) || strings.Contains(err.Error(), "hidden") {
		t.Errorf("got %q", err)
	}
}

func TestTCP(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.4.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	p := &catalogue.ReadyProbe{TCP: port, Within: 100 * time.Millisecond}
	target := probe.Target{IP: "127.0.4.1"}
	if err := probe.Wait(t.Context(), p, target); err != nil {
		t.Error(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if err := probe.Wait(t.Context(), p, target); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("got %v", err)
	}
}

// TestSilence holds that a look ends, and says so, when nothing answers.
func TestSilence(t *testing.T) {
	target := probe.Target{IP: "192.0.2.1", Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	p := &catalogue.ReadyProbe{HTTP: &catalogue.HTTPCheck{Method: "GET", Port: 80, Path: "/"}, Within: 50 * time.Millisecond}
	if err := probe.Wait(t.Context(), p, target); err == nil || !strings.HasSuffix(err.Error(), "GET http://192.0.2.1:80/: no answer") {
		t.Errorf("got %v", err)
	}
}

func TestExec(t *testing.T) {
	codes := []int{1, 1, 0}
	target := probe.Target{Name: "node1", Exec: func(_ context.Context, argv []string) ([]byte, []byte, int, error) {
		code := codes[0]
		codes = codes[1:]
		return []byte("out"), []byte("not yet " + argv[0]), code, nil
	}}
	p := &catalogue.ReadyProbe{Exec: []string{"check"}, Within: time.Second}
	if err := probe.Once(t.Context(), p, target); err == nil || err.Error() != "check: exit code 1: not yet check" {
		t.Errorf("got %v", err)
	}
	if err := probe.Wait(t.Context(), p, target); err != nil || len(codes) != 0 {
		t.Errorf("got %v, %v left", err, codes)
	}
}

// TestHopeless holds that a wait for what cannot come ends long before its time, and one for what may come does not.
func TestHopeless(t *testing.T) {
	missing := errors.New("no such program")
	for name, c := range map[string]struct {
		hopeful time.Duration // until when the program may still come
		took    time.Duration // at least
		reason  string
	}{
		"from the beginning": {0, 3 * time.Second, "cannot get ready, given up after 3"},
		"after a while":      {20 * time.Second, 23 * time.Second, "cannot get ready, given up after 2"},
		"never":              {time.Hour, 30 * time.Second, "not ready within 30s"},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			target := probe.Target{
				Exec:     func(context.Context, []string) ([]byte, []byte, int, error) { return nil, nil, 0, missing },
				Hopeless: func(err error) bool { return errors.Is(err, missing) && time.Since(began) > c.hopeful },
			}
			p := &catalogue.ReadyProbe{Exec: []string{"check"}, Within: 30 * time.Second}
			err := probe.Wait(t.Context(), p, target)
			if took := time.Since(began); err == nil || !strings.HasPrefix(err.Error(), c.reason) || took < c.took-100*time.Millisecond || took > c.took+time.Second {
				t.Errorf("%s: %v, after %s", name, err, took)
			}
		})
	}
}

// TestLog holds that only what this start wrote counts, over several files, and a line that is written in parts.
func TestLog(t *testing.T) {
	file := filepath.Join(t.TempDir(), "stdout")
	old := "ready to serve\n"
	if err := os.WriteFile(file, []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	target := probe.Target{Logs: []probe.Log{{Path: filepath.Join(t.TempDir(), "none")}, {Path: file, Offset: int64(len(old))}}}
	p := &catalogue.ReadyProbe{Log: regexp.MustCompile(`ready to \w+$`), Within: 100 * time.Millisecond}
	if err := probe.Wait(t.Context(), p, target); err == nil || !strings.Contains(err.Error(), "of 0") {
		t.Errorf("an old line counted: %v", err)
	}
	for _, part := range []string{"starting\nis rea", "dy to", " serve"} {
		if err := probe.Once(t.Context(), p, target); err == nil {
			t.Error("ready too early")
		}
		if _, err := log.WriteString(part); err != nil {
			t.Fatal(err)
		}
	}
	if err := probe.Wait(t.Context(), p, target); err != nil {
		t.Error(err)
	}
}

// TestExited holds that a wait ends early when the process has ended, and when the scenario has.
func TestExited(t *testing.T) {
	p := &catalogue.ReadyProbe{TCP: 1, Within: time.Minute}
	target := probe.Target{IP: "127.0.0.1", Exited: func() (string, bool) { return "exited with code 1", true }}
	start := time.Now()
	if err := probe.Wait(t.Context(), p, target); err == nil || !strings.HasPrefix(err.Error(), "exited with code 1 before it was ready, 1 look; ") {
		t.Errorf("got %v", err)
	}
	if err := probe.Wait(t.Context(), nil, target); err == nil || err.Error() != "exited with code 1 before it was ready" {
		t.Errorf("without a probe: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if err := probe.Wait(ctx, p, probe.Target{IP: "127.0.0.1"}); err == nil || !strings.Contains(err.Error(), "deadline exceeded") {
		t.Errorf("got %v", err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %s", took)
	}
}
