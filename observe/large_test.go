package observe

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"testing"
)

// Of a large body of known length only the begin is copied, whoever sends it: a ring that is far smaller loses nothing,
// sizes are right, and the messages that follow on the connection are read.
func TestLargeBodiesAreNotCopied(t *testing.T) {
	const size = 1 << 20
	o, c := watch(t, Config{RingBytes: 1 << 20}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("content-LENGTH", strconv.Itoa(size))
		if r.Method == http.MethodHead {
			return // a length without a body
		}
		if r.URL.Path == "/head" { // the head in a packet of its own
			w.(http.Flusher).Flush()
		}
		_, _ = w.Write(bytes.Repeat([]byte("0123456789abcdef"), size/16))
	}))
	requests := 0
	for range 10 {
		for _, path := range []string{"/head", "/whole"} {
			for _, method := range []string{http.MethodHead, http.MethodGet, http.MethodPost} {
				req := get(t, path)
				if req.Method = method; method == http.MethodPost {
					body := bytes.Repeat([]byte("y"), size)
					req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), size
				}
				if got := fetch(t, c, req); len(got) != size && method != http.MethodHead {
					t.Fatalf("%s %s: %d bytes", method, path, len(got))
				}
				requests++
			}
		}
	}
	tables := seen(t, o)
	rows := tables.HTTPEvents
	if rows.Rows() != 2*requests || tables.Loss.Any() {
		t.Errorf("%d rows of %d; %s", rows.Rows(), 2*requests, tables.Loss)
	}
	for i := range rows.Rows() {
		method := cell(t, rows, i, "req_method")
		want := map[string]int64{"req_body_size": 0, "resp_body_size": size}
		if method == http.MethodHead {
			want["resp_body_size"] = 0
		} else if got := cell(t, rows, i, "resp_body").(string); len(got) != maxBody || got[:16] != "0123456789abcdef" {
			t.Errorf("%s %s: %d bytes of the answer kept", method, cell(t, rows, i, "req_path"), len(got))
		}
		if method == http.MethodPost {
			want["req_body_size"] = size
			if got := cell(t, rows, i, "req_body").(string); len(got) != maxBody {
				t.Errorf("%d bytes of the request kept", len(got))
			}
		}
		for name, size := range want {
			if got := cell(t, rows, i, name); got != size {
				t.Errorf("%s %s: %s %v, want %d", method, cell(t, rows, i, "req_path"), name, got, size)
			}
		}
	}
	// 60 bodies of 1 MiB, at both ends.
	var counts []sightCounts
	if err := o.prog.BrineSeen.Lookup(uint32(0), &counts); err != nil {
		t.Fatal(err)
	}
	var uncopied uint64
	for _, c := range counts {
		uncopied += c.UncopiedBytes
	}
	if share := float64(uncopied) / (2 * 60 * size); share < 0.8 {
		t.Errorf("%.0f%% were not copied", 100*share)
	} else {
		t.Logf("%.1f%% were not copied", 100*share)
	}
}
