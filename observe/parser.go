package observe

import (
	"bytes"
	"strconv"
	"strings"
)

const (
	maxHead = 64 << 10 // bytes of a message's head
	maxBody = 1024     // bytes of a body that are kept, as Pixie keeps them
)

// header is one field of a message's head.
type header struct{ name, value string }

// message is one HTTP request or response.
type message struct {
	begin, end   uint64 // of its first and last byte, CLOCK_MONOTONIC ns
	method, path string // of a request
	status       int    // of a response
	reason       string
	major, minor int // version; major 0 is 1
	headers      []header
	size         int // of the body, without chunk headers
	body         []byte
	whole        bool // its last byte was seen
}

func (m *message) header(name string) string {
	for _, h := range m.headers {
		if strings.EqualFold(h.name, name) {
			return h.value
		}
	}
	return ""
}

type parseState int

const (
	inHead parseState = iota
	inBody            // of known length
	inChunkSize
	inChunk
	inChunkEnd
	inTrailer
	untilClose
	seeking // after a hole: the next message begins at the begin of a packet
	deaf    // not HTTP, or no more
)

// parser reads the messages of one direction (RFC 9112).
//
//	head ──► body of Content-Length ───────────────┐
//	  │ ├──► chunk size ► chunk ► … ► trailer ─────┼──► done, next head
//	  │ └──► until the connection closes           │
//	  └──────────────── no body ───────────────────┘
type parser struct {
	state parseState
	line  []byte // head, chunk size or trailer so far
	left  int    // of the body or chunk
	now   *message

	response bool
	// began is called when a message's head is complete and tells how its body ends; done when the message is.
	began func(*message) bodyKind
	done  func(*message)
	// lost is called when a hole makes it impossible to go on before the next message; other when this is no HTTP.
	lost  func()
	other func(at uint64, first []byte)
	heard bool // a head was read: this is HTTP
	over  sink // takes all instead: another parser
}

type bodyKind int

const (
	bodyByHead bodyKind = iota // as the head says
	bodyNone                   // none, whatever the head says
	bodyTunnel                 // another protocol follows
)

func (p *parser) data(at uint64, b []byte) {
	if p.over != nil {
		p.over.data(at, b)
		return
	}
	if p.state == seeking {
		if !startsMessage(b, p.response) {
			return
		}
		p.state = inHead
	}
	for len(b) > 0 && p.state != deaf && p.over == nil {
		switch p.state {
		case inHead:
			b = p.head(at, b)
		case inBody, inChunk:
			n := min(p.left, len(b))
			p.take(at, b[:n], n)
			b = b[n:]
		case inChunkSize, inChunkEnd, inTrailer:
			b = p.chunkLine(at, b)
		case untilClose:
			p.keep(at, b, len(b))
			b = nil
		default:
			return
		}
	}
}

// take counts n bytes of a body or chunk.
func (p *parser) take(at uint64, b []byte, n int) {
	p.keep(at, b, n)
	if p.left -= n; p.left > 0 {
		return
	}
	if p.state == inChunk {
		p.state = inChunkEnd
		return
	}
	p.finish(at)
}

func (p *parser) keep(at uint64, b []byte, n int) {
	m := p.now
	m.end = at
	m.size += n
	if room := maxBody - len(m.body); room > 0 {
		m.body = append(m.body, b[:min(room, len(b))]...)
	}
}

func (p *parser) finish(at uint64) {
	m := p.now
	p.now, p.state, p.line = nil, inHead, p.line[:0]
	m.end, m.whole = at, true
	p.done(m)
}

// head collects a head and reads it.
func (p *parser) head(at uint64, b []byte) (rest []byte) {
	if p.now == nil {
		b = bytes.TrimLeft(b, "\r\n") // RFC 9112, 2.2
		if len(b) == 0 {
			return nil
		}
		p.now = &message{begin: at}
	}
	had := len(p.line)
	p.line = append(p.line, b...)
	if !p.heard && !couldStart(p.line, p.response) {
		if p.response && len(p.line) < frameHead && couldBeSettings(p.line) {
			return nil
		}
		p.state = deaf
		p.other(at, p.line)
		return nil
	}
	end, after := headEnd(p.line, max(0, had-3))
	if end < 0 {
		if len(p.line) > maxHead {
			p.broken()
		}
		return nil
	}
	rest = b[after-had:]
	if !p.now.read(p.line[:end], p.response) {
		p.broken()
		return nil
	}
	p.line = p.line[:0]
	p.heard = true
	p.now.end = at
	p.body(at)
	return rest
}

// broken gives up until the next message.
func (p *parser) broken() {
	p.state, p.now, p.line = seeking, nil, p.line[:0]
	p.lost()
}

// body decides how the body ends (RFC 9112, 6.3).
func (p *parser) body(at uint64) {
	m := p.now
	switch p.began(m) {
	case bodyNone:
		p.finish(at)
		return
	case bodyTunnel:
		p.finish(at)
		p.state = deaf
		return
	}
	if strings.Contains(strings.ToLower(m.header("Transfer-Encoding")), "chunked") {
		p.state = inChunkSize
		return
	}
	if text := m.header("Content-Length"); text != "" {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || n < 0 {
			p.broken()
			return
		}
		if n > 0 {
			p.state, p.left = inBody, n
			return
		}
		p.finish(at)
		return
	}
	if p.response {
		p.state = untilClose
		return
	}
	p.finish(at)
}

// chunkLine reads a chunk's size, the line end after a chunk, or a trailer (RFC 9112, 7.1).
func (p *parser) chunkLine(at uint64, b []byte) (rest []byte) {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		if p.line = append(p.line, b...); len(p.line) > maxHead {
			p.broken()
		}
		return nil
	}
	p.line = append(p.line, b[:i]...)
	line := strings.TrimRight(string(p.line), "\r")
	p.line = p.line[:0]
	switch p.state {
	case inChunkEnd:
		p.state = inChunkSize
	case inChunkSize:
		size, _, _ := strings.Cut(line, ";")
		n, err := strconv.ParseInt(strings.TrimSpace(size), 16, 48)
		if err != nil || n < 0 {
			p.broken()
			return nil
		}
		if n == 0 {
			p.state = inTrailer
		} else {
			p.state, p.left = inChunk, int(n)
		}
	case inTrailer:
		if line == "" {
			p.finish(at)
		}
	}
	return b[i+1:]
}

// gap is n bytes that were not seen. Inside a body of known length they change nothing.
func (p *parser) gap(at uint64, n int) {
	if p.over != nil {
		p.over.gap(at, n)
		return
	}
	switch p.state {
	case inBody, inChunk:
		if n <= p.left {
			p.take(at, nil, n)
			return
		}
	case untilClose:
		p.keep(at, nil, n)
		return
	case deaf:
		return
	}
	p.broken()
}

// eof is the end of the direction.
func (p *parser) eof(at uint64) {
	if p.over != nil {
		p.over.eof(at)
		return
	}
	if p.state == untilClose {
		p.finish(max(at, p.now.end))
	}
	if p.now != nil {
		p.now = nil
	}
	p.state = deaf
}

// headEnd finds the empty line: where the head ends, and where what follows begins.
func headEnd(b []byte, from int) (end, after int) {
	for i := from; i < len(b); i++ {
		if b[i] != '\n' {
			continue
		}
		if i+1 < len(b) && b[i+1] == '\n' {
			return i, i + 2
		}
		if i+2 < len(b) && b[i+1] == '\r' && b[i+2] == '\n' {
			return i, i + 3
		}
	}
	return -1, -1
}

// read reads a complete head.
func (m *message) read(b []byte, response bool) bool {
	lines := strings.Split(string(b), "\n")
	first := strings.TrimRight(lines[0], "\r")
	if response {
		version, rest, ok := strings.Cut(first, " ")
		if !ok || !m.version(version) {
			return false
		}
		code, reason, _ := strings.Cut(rest, " ")
		n, err := strconv.Atoi(code)
		if err != nil || n < 100 || n > 999 {
			return false
		}
		m.status, m.reason = n, reason
	} else {
		parts := strings.Split(first, " ")
		if len(parts) != 3 || !m.version(parts[2]) || !isToken(parts[0]) {
			return false
		}
		m.method, m.path = parts[0], parts[1]
	}
	for _, line := range lines[1:] {
		line = strings.TrimRight(line, "\r")
		if line == "" {
			continue
		}
		if (line[0] == ' ' || line[0] == '\t') && len(m.headers) > 0 { // RFC 9112, 5.2: folded
			m.headers[len(m.headers)-1].value += " " + strings.TrimSpace(line)
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || !isToken(name) {
			return false
		}
		m.headers = append(m.headers, header{name, strings.TrimSpace(value)})
	}
	return true
}

func (m *message) version(text string) bool {
	minor, ok := strings.CutPrefix(text, "HTTP/1.")
	if !ok || len(minor) != 1 || minor[0] < '0' || minor[0] > '9' {
		return false
	}
	m.minor = int(minor[0] - '0')
	return true
}

func isToken(s string) bool {
	for i := range len(s) {
		if !tokenByte(s[i]) {
			return false
		}
	}
	return s != ""
}

func tokenByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

// couldStart tells whether bytes may be the begin of a first message.
func couldStart(b []byte, response bool) bool {
	if response {
		const version = "HTTP/1."
		n := min(len(b), len(version))
		return string(b[:n]) == version[:n]
	}
	for i, c := range b {
		if c == ' ' {
			// The target follows: a path, a URL, an authority, or *. HTTP/2's preface is "PRI * HTTP/2.0".
			return i > 0 && !bytes.HasPrefix(b, []byte("PRI * "))
		}
		if i >= 20 || c < 'A' || c > 'Z' && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// startsMessage tells whether a packet's begin is a message's begin.
func startsMessage(b []byte, response bool) bool {
	if response {
		return bytes.HasPrefix(b, []byte("HTTP/1."))
	}
	line, _, found := bytes.Cut(b, []byte("\n"))
	if !found {
		return false
	}
	line = bytes.TrimRight(line, "\r")
	return couldStart(b, false) && (bytes.HasSuffix(line, []byte(" HTTP/1.1")) || bytes.HasSuffix(line, []byte(" HTTP/1.0")))
}
