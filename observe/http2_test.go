package observe

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	frame "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// speaker writes one direction of HTTP/2.
type speaker struct {
	bytes.Buffer
	*frame.Framer
	fields bytes.Buffer
	enc    *hpack.Encoder
}

func speak() *speaker {
	s := &speaker{}
	s.Framer = frame.NewFramer(&s.Buffer, nil)
	s.enc = hpack.NewEncoder(&s.fields)
	return s
}

// block encodes "name value" pairs.
func (s *speaker) block(pairs ...string) []byte {
	s.fields.Reset()
	for _, p := range pairs {
		name, value, _ := strings.Cut(p, " ")
		_ = s.enc.WriteField(hpack.HeaderField{Name: name, Value: value}) // into memory
	}
	return bytes.Clone(s.fields.Bytes())
}

func (s *speaker) head(id uint32, end bool, pairs ...string) {
	_ = s.WriteHeaders(frame.HeadersFrameParam{StreamID: id, BlockFragment: s.block(pairs...), EndHeaders: true, EndStream: end})
}

// readHTTP2 reads two directions cut into parts of n bytes, one after the other.
func readHTTP2(requests, responses []byte, n int, serverFirst bool) (*tracker, []string) {
	t := newTracker(Config{MaxRows: 1000}, 0)
	t.target(1, &Target{Node: "node1", Services: []Service{{Name: "s"}}})
	c := &conn{key: connKey{ifindex: 1}, target: t.targets[1], role: Server, t: t}
	c.begin(0, true)
	feed := func(to sink, b []byte) {
		for at := 0; at < len(b); at += n {
			to.data(uint64(at), b[at:min(at+n, len(b))])
		}
	}
	if serverFirst { // its SETTINGS come before the client's first byte
		first := min(15, len(responses))
		feed(&c.x.responses, responses[:first])
		responses = responses[first:]
	}
	feed(&c.x.requests, requests)
	feed(&c.x.responses, responses)
	c.close(1 << 20)
	var out []string
	for i := range t.http.Rows() {
		get := func(name string) any { return t.http.Column(name).At(i) }
		out = append(out, fmt.Sprint(get("major_version"), " ", get("req_method"), " ", get("req_path"), " ", get("req_body_size"), " ",
			get("resp_status"), " ", get("resp_body_size"), " ", get("resp_body"), " ", get("grpc_status")))
	}
	for _, u := range t.broken {
		out = append(out, u.Method+" "+u.Path+" unanswered")
	}
	return t, out
}

// talk is a connection with every form of frame that rows are made of.
func talk() (requests, responses []byte) {
	c, s := speak(), speak()
	c.WriteString(preface)
	_ = c.WriteSettings(frame.Setting{ID: frame.SettingHeaderTableSize, Val: 4096})
	_ = s.WriteSettings(frame.Setting{ID: frame.SettingMaxConcurrentStreams, Val: 100})
	_ = s.WriteSettingsAck()
	// A call of gRPC, its status after the body.
	c.head(1, false, ":method POST", ":path /kv.KV/Put", ":scheme http", "content-type application/grpc", "authorization Bearer hunter2")
	_ = c.WriteData(1, true, []byte("\x00\x00\x00\x00\x01x"))
	s.head(1, false, ":status 200", "content-type application/grpc")
	_ = s.WriteData(1, false, []byte("\x00\x00\x00\x00\x02yz"))
	s.head(1, true, "grpc-status 5", "grpc-message no such key")
	// Two at once, answered the other way round, with padding, a priority and a continuation.
	_ = c.WriteHeaders(frame.HeadersFrameParam{StreamID: 3, BlockFragment: c.block(":method GET", ":path /three", ":scheme http"), EndHeaders: true, EndStream: true, PadLength: 7, Priority: frame.PriorityParam{StreamDep: 1, Weight: 9}})
	five := c.block(":method POST", ":path /five", ":scheme http", "x-long "+strings.Repeat("abc", 100))
	_ = c.WriteHeaders(frame.HeadersFrameParam{StreamID: 5, BlockFragment: five[:10]})
	_ = c.WriteContinuation(5, false, five[10:50])
	_ = c.WriteContinuation(5, true, five[50:])
	_ = c.WriteDataPadded(5, false, []byte("hello"), make([]byte, 200))
	_ = c.WritePing(false, [8]byte{1})
	_ = c.WriteDataPadded(5, true, []byte("you"), nil)
	s.head(5, false, ":status 103", "link x")
	s.head(5, false, ":status 404", "content-type text/plain")
	_ = s.WriteWindowUpdate(0, 1000)
	_ = s.WriteDataPadded(5, false, []byte("not"), make([]byte, 9))
	s.head(3, true, ":status 204")
	_ = s.WriteData(5, true, []byte("here"))
	// Given up by who asked, before and after the answer began; refused; pushed; left without an answer.
	c.head(7, true, ":method GET", ":path /seven", ":scheme http")
	c.head(9, false, ":method GET", ":path /nine", ":scheme http")
	_ = c.WriteRSTStream(7, frame.ErrCodeCancel)
	s.head(9, false, ":status 200")
	_ = s.WriteData(9, false, []byte("one part"))
	_ = s.WriteRSTStream(9, frame.ErrCodeCancel)
	c.head(11, true, ":method GET", ":path /eleven", ":scheme http")
	_ = s.WritePushPromise(frame.PushPromiseParam{StreamID: 11, PromiseID: 2, BlockFragment: s.block(":method GET", ":path /pushed"), EndHeaders: true})
	s.head(2, true, ":status 200")
	_ = s.WriteGoAway(9, frame.ErrCodeNo, nil)
	return c.Bytes(), s.Bytes()
}

func TestHTTP2IsRead(t *testing.T) {
	want := []string{
		"2 POST /kv.KV/Put 6 200 7 <not text> 5", "2 GET /three 0 204 0  -1", "2 POST /five 8 404 7 nothere -1",
		"2 GET /nine 0 200 8 one part -1", "2 GET /pushed 0 200 0  -1",
		"GET /seven unanswered", "GET /eleven unanswered",
	}
	requests, responses := talk()
	for _, serverFirst := range []bool{false, true} {
		for n := 1; n <= len(requests)+len(responses); n++ {
			tr, got := readHTTP2(requests, responses, n, serverFirst)
			if strings.Join(got, "\n") != strings.Join(want, "\n") || tr.loss.Any() {
				t.Fatalf("in parts of %d bytes: got\n%s\nwant\n%s\n%s", n, strings.Join(got, "\n"), strings.Join(want, "\n"), tr.loss)
			}
			if n == 1 {
				heads := tr.http.Column("req_headers").Strings[0]
				if strings.Contains(heads, "hunter2") || !strings.Contains(heads, `":path":"/kv.KV/Put"`) {
					t.Error(heads)
				}
				if got := tr.http.Column("resp_headers").Strings[0]; !strings.Contains(got, `"grpc-message":"no such key"`) {
					t.Error(got)
				}
				if got := tr.http.Column("content_type").Ints[0]; got != contentGRPC {
					t.Error(got)
				}
			}
		}
	}
}

// A hole in a body's frame changes nothing; one in header fields ends the reading, and is counted.
func TestHTTP2AfterHoles(t *testing.T) {
	for name, test := range map[string]struct {
		missing string // of the answer
		rows    int
		gaps    uint64
	}{"in a body": {"body, of which", 2, 0}, "in header fields": {"\x88", 0, 1}} {
		c, s := speak(), speak()
		c.WriteString(preface)
		_ = s.WriteSettings()
		c.head(1, true, ":method GET", ":path /a", ":scheme http")
		s.head(1, false, ":status 200")
		_ = s.WriteData(1, true, []byte("a body, of which a part is missing"))
		c.head(3, true, ":method GET", ":path /b", ":scheme http")
		s.head(3, true, ":status 200")
		tr := newTracker(Config{MaxRows: 1000}, 0)
		tr.target(1, &Target{Node: "node1"})
		conn := &conn{key: connKey{ifindex: 1}, target: tr.targets[1], role: Server, t: tr}
		conn.begin(0, true)
		conn.x.requests.data(1, c.Bytes())
		from := bytes.Index(s.Bytes(), []byte(test.missing))
		conn.x.responses.data(2, s.Bytes()[:from])
		conn.x.responses.gap(3, len(test.missing))
		conn.x.responses.data(4, s.Bytes()[from+len(test.missing):])
		if tr.http.Rows() != test.rows || tr.loss.Gaps != test.gaps || tr.loss.Requests != 2*test.gaps {
			t.Errorf("%s: %d rows, %+v", name, tr.http.Rows(), tr.loss)
		}
		if test.rows > 0 && tr.http.Column("resp_body_size").Ints[0] != 34 {
			t.Errorf("%s: size %d", name, tr.http.Column("resp_body_size").Ints[0])
		}
	}
}

// No bytes make it panic, and how they are cut into packets changes nothing.
func FuzzHTTP2(f *testing.F) {
	requests, responses := talk()
	f.Add(requests, responses, 7)
	f.Add([]byte(preface+"\x00\x00\x01\x01\x05\x00\x00\x00\x01\x82"), []byte("\x00\x00\x00\x04\x00\x00\x00\x00\x00"), 1)
	f.Fuzz(func(t *testing.T, requests, responses []byte, n int) {
		if n < 1 || n > 1<<16 || len(requests) > 1<<16 {
			return
		}
		requests = append([]byte(preface), requests...)
		tr, got := readHTTP2(requests, responses, n, false)
		all, whole := readHTTP2(requests, responses, 1<<17, false)
		if tr.loss == all.loss && strings.Join(got, "\n") != strings.Join(whole, "\n") {
			t.Fatalf("in parts of %d bytes %q, at once %q", n, got, whole)
		}
		if tr.loss.Gaps != all.loss.Gaps {
			t.Fatalf("in parts of %d bytes %s, at once %s", n, tr.loss, all.loss)
		}
	})
}
