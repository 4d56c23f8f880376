package observe

import (
	"slices"
	"strconv"
	"strings"
)

// head takes the fields of a message, or those that follow its body.
func (h *http2) head(m *message, id uint32, response bool) {
	s := h.streams[id]
	if !response {
		if s != nil && s.asked != nil {
			return // after its body: nothing that a row shows
		}
		if len(h.streams) >= maxPending {
			h.c.t.loss.Requests++
			return
		}
		m.method, m.path = m.header(":method"), m.header(":path")
		h.streams[id] = &stream2{asked: m}
		return
	}
	if s == nil {
		return // it was given up
	}
	if s.answer != nil {
		s.answer.headers = append(s.answer.headers, m.headers...)
		return
	}
	m.status, _ = strconv.Atoi(m.header(":status")) // none is 0
	if m.status/100 == 1 {
		return // an interim answer
	}
	s.answer = m
}

// reset ends a stream early. One whose answer had begun has a row of what came; any other stays without an answer.
func (h *http2) reset(at uint64, id uint32) {
	s := h.streams[id]
	if s == nil {
		return
	}
	delete(h.streams, id)
	if s.answer == nil {
		h.c.t.unanswered(h.c, s.asked, at)
		return
	}
	h.c.t.request(h.c, s.asked, s.answer)
}

// lost gives the connection up: after a hole nobody knows what its header fields mean.
func (h *http2) lost() {
	h.c.t.loss.Gaps++
	h.c.t.loss.Requests += uint64(len(h.streams))
	h.mute()
}

// other is called when it is no HTTP/2 either.
func (h *http2) other() {
	h.c.stats.protocol = protocolUnknown
	h.mute()
}

func (h *http2) mute() {
	h.requests.deaf, h.responses.deaf = true, true
	h.streams = map[uint32]*stream2{}
	h.c.x.silence()
}

// waiting are the requests that were asked to their end, of which no answer has begun: one that streams its answer is
// being answered.
func (h *http2) waiting() []*message {
	var out []*message
	for _, s := range h.streams {
		if s.asked.whole && s.answer == nil {
			out = append(out, s.asked)
		}
	}
	slices.SortFunc(out, func(a, b *message) int { return int(int64(a.end) - int64(b.end)) })
	return out
}

// abandon notes the requests that the connection's end leaves without an answer, or without all of it.
func (h *http2) abandon(at uint64) {
	for id, s := range h.streams {
		delete(h.streams, id)
		h.c.t.unanswered(h.c, s.asked, at)
	}
}

// couldBeSettings tells whether bytes may be the begin of a SETTINGS frame, which a server sends first.
func couldBeSettings(b []byte) bool {
	for i, c := range b[:min(len(b), frameHead)] {
		switch i {
		case 2:
			if c%6 != 0 {
				return false
			}
		case 3:
			if c != frameSettings {
				return false
			}
		default:
			if c != 0 {
				return false
			}
		}
	}
	return true
}

// noStatus stands for the grpc-status of what is no gRPC, or did not say it.
const noStatus = -1

// grpcStatus is the status that a gRPC answer gives, mostly after its body.
func grpcStatus(m *message) int64 {
	if !strings.HasPrefix(m.header("content-type"), "application/grpc") {
		return noStatus
	}
	n, err := strconv.ParseUint(m.header("grpc-status"), 10, 16)
	if err != nil {
		return noStatus
	}
	return int64(n)
}
