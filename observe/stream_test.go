package observe

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// collected is a sink that keeps everything.
type collected struct {
	bytes.Buffer
	gaps  int
	ended int
}

func (c *collected) data(_ uint64, b []byte) { c.Write(b) }
func (c *collected) gap(_ uint64, n int)     { c.gaps += n }
func (c *collected) eof(uint64)              { c.ended++ }

// Whatever order, repetition and overlap the packets come in, the bytes come out in order and once.
func TestStreamPutsTogether(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOfN(rapid.Byte(), 1, 3000).Draw(t, "text")
		first := rapid.Uint32().Draw(t, "first sequence number")
		type part struct{ from, to int }
		var parts []part
		for at := 0; at < len(text); {
			n := min(rapid.IntRange(1, 700).Draw(t, "size"), len(text)-at)
			parts = append(parts, part{at, at + n})
			if rapid.Bool().Draw(t, "again") {
				from := rapid.IntRange(0, at).Draw(t, "from")
				parts = append(parts, part{from, at + n})
			}
			at += n
		}
		rng := rand.New(rand.NewPCG(1, rapid.Uint64().Draw(t, "order")))
		rng.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		var s stream
		var got collected
		s.start(first)
		s.finish(0, first+uint32(len(text)), &got)
		for _, p := range parts {
			s.see(0, first+uint32(p.from), text[p.from:p.to], p.to-p.from, &got)
		}
		if !bytes.Equal(got.Bytes(), text) || got.gaps != 0 || got.ended != 1 || len(s.held) != 0 {
			t.Fatalf("%d bytes of %d, %d missing, ended %d times", got.Len(), len(text), got.gaps, got.ended)
		}
	})
}

// What the other side acknowledges and nobody saw is a hole, and what waited behind it goes on.
func TestStreamGivesUpWhatIsAcknowledged(t *testing.T) {
	var s stream
	var got collected
	s.start(100)
	s.see(0, 100, []byte("abc"), 3, &got)
	s.see(0, 106, []byte("ghi"), 3, &got)
	s.acked(0, 103, &got)
	if got.String() != "abc" || got.gaps != 0 {
		t.Fatalf("%q, %d missing", got.String(), got.gaps)
	}
	s.acked(0, 109, &got)
	if got.String() != "abcghi" || got.gaps != 3 {
		t.Fatalf("%q, %d missing", got.String(), got.gaps)
	}
}

// exchanges reads two directions cut into parts of n bytes.
func exchanges(requests, responses string, n int) []string {
	rows, _ := read(requests, responses, n)
	return rows
}

func read(requests, responses string, n int) (rows []string, holes uint64) {
	t := newTracker(Config{MaxRows: 1000}, 0)
	t.target(1, &Target{Node: "node1", Services: []Service{{Name: "s"}}})
	c := &conn{key: connKey{ifindex: 1}, target: t.targets[1], role: Server, t: t}
	c.begin(0, true)
	for at := 0; at < len(requests); at += n {
		c.x.requests.data(uint64(at), []byte(requests[at:min(at+n, len(requests))]))
	}
	for at := 0; at < len(responses); at += n {
		c.x.responses.data(uint64(at), []byte(responses[at:min(at+n, len(responses))]))
	}
	c.close(1 << 20)
	var out []string
	for i := range t.http.Rows() {
		get := func(name string) any { return t.http.Column(name).At(i) }
		out = append(out, fmt.Sprint(get("req_method"), " ", get("req_path"), " ", get("req_body_size"), " ", get("resp_status"), " ", get("resp_body_size"), " ", get("resp_body")))
	}
	for _, u := range t.broken {
		out = append(out, u.Method+" "+u.Path+" unanswered")
	}
	return out, t.loss.Gaps
}

func TestParserReadsEveryForm(t *testing.T) {
	for name, test := range map[string]struct {
		requests, responses string
		want                []string
	}{
		"pipelined": {
			"GET /a HTTP/1.1\r\nHost: x\r\n\r\nHEAD /b HTTP/1.1\r\n\r\nPOST /c HTTP/1.0\r\nContent-Length: 3\r\n\r\nabcGET /d HTTP/1.1\r\n\r\n",
			"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nHTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
			[]string{"GET /a 0 200 2 hi", "HEAD /b 0 200 0 ", "POST /c 3 204 0 ", "GET /d 0 304 0 "},
		},
		"chunked": {
			"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\nGET /b HTTP/1.1\r\n\r\n",
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\nHTTP/1.1 500 Oh no\r\nContent-Length: 0\r\n\r\n",
			[]string{"POST /a 13 200 2 hi", "GET /b 0 500 0 "},
		},
		"until the connection closes": {
			"GET /a HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\nall that comes", []string{"GET /a 0 200 14 all that comes"},
		},
		"interim answers": {
			"POST /a HTTP/1.1\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\nx", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
			[]string{"POST /a 1 200 0 "},
		},
		"another protocol follows": {
			"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\x81\x05hello", "HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x05hello",
			[]string{"GET /ws 0 101 0 "},
		},
		"no answer": {"GET /a HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", []string{"GET /a unanswered"}},
		"not HTTP":  {"\x16\x03\x01\x02\x00\x01\x00\x01", "\x16\x03\x03\x00\x7a", nil},
		"HTTP/2":    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00", "\x00\x00\x12\x04", nil},
	} {
		t.Run(name, func(t *testing.T) {
			for n := 1; n <= len(test.requests)+len(test.responses); n++ {
				if got := exchanges(test.requests, test.responses, n); strings.Join(got, "\n") != strings.Join(test.want, "\n") {
					t.Fatalf("in parts of %d bytes: got %q, want %q", n, got, test.want)
				}
			}
		})
	}
}

// A hole inside a body of known length changes nothing; one in a head costs that exchange and no other.
func TestParserAfterHoles(t *testing.T) {
	tr := newTracker(Config{MaxRows: 1000}, 0)
	tr.target(1, &Target{Node: "node1"})
	c := &conn{key: connKey{ifindex: 1}, target: tr.targets[1], role: Server, t: tr}
	c.begin(0, true)
	req, resp := &c.x.requests, &c.x.responses
	req.data(1, []byte("GET /whole HTTP/1.1\r\n\r\n"))
	resp.data(2, []byte("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc"))
	resp.gap(3, 996)
	resp.data(4, []byte("z"))
	req.data(5, []byte("GET /lost HTTP/1.1\r\n\r\n"))
	resp.data(6, []byte("HTTP/1.1 200"))
	resp.gap(7, 500)
	resp.data(8, []byte("of the body"))
	req.data(9, []byte("GET /next HTTP/1.1\r\n\r\n"))
	resp.data(10, []byte("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"))
	if n := tr.http.Rows(); n != 2 {
		t.Fatalf("%d rows", n)
	}
	if got := tr.http.Column("resp_body_size").Ints[0]; got != 1000 {
		t.Errorf("size %d", got)
	}
	if got := tr.http.Column("req_path").Strings[1]; got != "/next" {
		t.Errorf("path %s", got)
	}
	if tr.loss.Gaps != 1 || tr.loss.Requests != 1 {
		t.Errorf("%+v", tr.loss)
	}
}

// No bytes make the parser panic or stop, and how they are cut into packets changes nothing.
func FuzzParser(f *testing.F) {
	f.Add("GET /a HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 7)
	f.Add("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.0 404 x\r\n\r\nabc", 1)
	f.Fuzz(func(t *testing.T, requests, responses string, n int) {
		if n < 1 || n > 1<<16 || len(requests) > 1<<16 {
			return
		}
		got, broken := read(requests, responses, n)
		whole, alsoBroken := read(requests, responses, 1<<17)
		// After a message that is none, the next one is looked for at a packet's begin.
		if broken+alsoBroken == 0 && strings.Join(got, "\n") != strings.Join(whole, "\n") {
			t.Fatalf("in parts of %d bytes %q, at once %q", n, got, whole)
		}
	})
}
