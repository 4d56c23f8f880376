package observe

import "strings"

// maxPending is how many requests of one connection may wait for an answer.
const maxPending = 1024

// exchange pairs the requests of a connection with its responses: they are answered in order (RFC 9112, 9.3.2).
type exchange struct {
	c         *conn
	requests  parser
	responses parser
	pending   []*message
	two       *http2 // instead, where it is HTTP/2
}

func newExchange(c *conn) *exchange {
	x := &exchange{c: c}
	x.requests = parser{began: x.asked, done: func(*message) {}, lost: x.lost, other: x.other}
	x.responses = parser{response: true, began: x.answering, done: x.answered, lost: x.lost, other: x.other}
	return x
}

// asked is called when a request's head is complete: an answer may come before its body has ended.
func (x *exchange) asked(m *message) bodyKind {
	if len(x.pending) >= maxPending {
		x.c.t.loss.Requests++
		x.pending = x.pending[1:]
	}
	x.pending = append(x.pending, m)
	return bodyByHead
}

func (x *exchange) answering(m *message) bodyKind {
	if len(x.pending) == 0 {
		return bodyByHead
	}
	asked := x.pending[0]
	switch {
	case m.status == 101 || asked.method == "CONNECT" && m.status/100 == 2:
		x.requests.state = deaf
		x.silence()
		return bodyTunnel
	case m.status/100 == 1, m.status == 204, m.status == 304, asked.method == "HEAD":
		return bodyNone
	}
	return bodyByHead
}

func (x *exchange) answered(m *message) {
	if m.status/100 == 1 && m.status != 101 || len(x.pending) == 0 {
		return // an interim answer, or one whose question was not seen
	}
	asked := x.pending[0]
	x.pending = x.pending[1:]
	x.c.t.request(x.c, asked, m)
}

// lost forgets what was under way: after a hole nobody knows which answer is whose.
func (x *exchange) lost() {
	x.c.t.loss.Gaps++
	x.c.t.loss.Requests += uint64(len(x.pending))
	x.pending = nil
	for _, p := range []*parser{&x.requests, &x.responses} {
		if p.state != deaf {
			p.state, p.now, p.line = seeking, nil, p.line[:0]
		}
	}
}

// other is called when a direction does not begin as HTTP/1.x does: with the first bytes, and when they came.
func (x *exchange) other(at uint64, first []byte) {
	if strings.HasPrefix(string(first), preface[:3]) || couldBeSettings(first) {
		x.isHTTP2(at)
		return
	}
	x.requests.state, x.responses.state = deaf, deaf
	x.silence()
}

// isHTTP2 hands both directions over, with what was read of them.
func (x *exchange) isHTTP2(at uint64) {
	x.two = newHTTP2(x.c)
	req, resp := x.requests.line, x.responses.line
	x.requests = parser{over: &x.two.requests}
	x.responses = parser{over: &x.two.responses}
	if len(req) > 0 {
		x.two.requests.data(at, req)
	}
	if len(resp) > 0 {
		x.two.responses.data(at, resp)
	}
}

// silence ends the copying of the connection's payload.
func (x *exchange) silence() {
	if x.c.t.mute != nil {
		k := x.c.key
		var addr [16]byte
		if a := k.remote.Addr(); a.Is4() {
			b := a.As4()
			copy(addr[:], b[:])
		} else {
			addr = a.As16()
		}
		x.c.t.mute(k.ifindex, k.local.Port(), k.remote.Port(), addr)
	}
}

// waiting are the requests that wait for an answer.
func (x *exchange) waiting() []*message {
	if x.two != nil {
		return x.two.waiting()
	}
	return x.pending
}

// abandon notes the requests that the connection's end leaves without an answer.
func (x *exchange) abandon(at uint64) {
	if x.two != nil {
		x.two.abandon(at)
	}
	for _, m := range x.pending {
		x.c.t.unanswered(x.c, m, at)
	}
	x.pending = nil
}
