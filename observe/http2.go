package observe

import (
	"encoding/binary"

	"golang.org/x/net/http2/hpack"
)

const (
	preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" // RFC 9113, 3.4
	// maxTable is how large a table of header fields a sender may keep: the encoder tells when it changes the size.
	maxTable = 64 << 10
	// frameHead is the size of a frame's head.
	frameHead = 9
)

// Frame types and flags of HTTP/2 (RFC 9113, 6).
const (
	frameData         = 0x0
	frameHeaders      = 0x1
	frameReset        = 0x3
	frameSettings     = 0x4
	framePush         = 0x5
	frameContinuation = 0x9

	flagEndStream  = 0x1
	flagEndHeaders = 0x4
	flagPadded     = 0x8
	flagPriority   = 0x20
)

// http2 is a connection of HTTP/2, gRPC's among them. It is read from its first byte or not at all: what the header
// fields mean depends on all that came before (RFC 7541).
//
//	client:  preface ► SETTINGS ► HEADERS(1) DATA(1) HEADERS(3) …
//	server:            SETTINGS ► HEADERS(1) DATA(1) … HEADERS(1: trailers)
//	                                              stream 1 ends ──► a row
type http2 struct {
	c                   *conn
	requests, responses frames
	streams             map[uint32]*stream2
}

// stream2 is a request with its answer.
type stream2 struct {
	asked, answer *message
}

func newHTTP2(c *conn) *http2 {
	h := &http2{c: c, streams: map[uint32]*stream2{}}
	h.requests = frames{h: h, preface: len(preface)}
	h.responses = frames{h: h, response: true}
	for _, f := range []*frames{&h.requests, &h.responses} {
		f.fields = hpack.NewDecoder(4096, nil)
		f.fields.SetAllowedMaxDynamicTableSize(maxTable)
		f.fields.SetMaxStringLength(maxHead)
	}
	return h
}

// frames reads the frames of one direction.
type frames struct {
	h        *http2
	response bool
	deaf     bool
	preface  int // bytes of it still to come

	head  [frameHead]byte
	have  int // bytes of head
	left  int // payload bytes of the frame still to come
	kind  byte
	flags byte
	id    uint32
	pad   int    // of a DATA frame
	got   []byte // payload of a frame that is read as a whole

	fields *hpack.Decoder
	block  []byte // field block of HEADERS or PUSH_PROMISE and its continuations
	of     uint32 // stream that the block is of; 0: none is under way
	ends   bool   // the block's frame ends its stream
	push   bool   // the block is a promised request
}

func (f *frames) data(at uint64, b []byte) {
	for len(b) > 0 && !f.deaf {
		switch {
		case f.preface > 0:
			n := min(f.preface, len(b))
			if string(b[:n]) != preface[len(preface)-f.preface:][:n] {
				f.h.other()
				return
			}
			if f.preface -= n; f.preface == 0 {
				f.h.c.stats.protocol = protocolHTTP2
			}
			b = b[n:]
		case f.have < len(f.head):
			n := copy(f.head[f.have:], b)
			f.have += n
			b = b[n:]
			if f.have == len(f.head) {
				f.begin(at)
			}
		default:
			n := min(f.left, len(b))
			f.take(at, b[:n], n)
			b = b[n:]
		}
	}
}

// begin reads a frame's head.
func (f *frames) begin(at uint64) {
	f.left = int(f.head[0])<<16 | int(f.head[1])<<8 | int(f.head[2])
	f.kind, f.flags = f.head[3], f.head[4]
	f.id = binary.BigEndian.Uint32(f.head[5:]) & (1<<31 - 1)
	f.pad, f.got = -1, f.got[:0]
	if f.kind != frameData || f.flags&flagPadded == 0 {
		f.pad = 0
	}
	if f.whole() && f.left > maxHead || f.of != 0 && f.kind != frameContinuation {
		f.h.lost()
		return
	}
	if f.left == 0 {
		f.end(at)
	}
}

// whole tells whether the frame's payload is read as a whole.
func (f *frames) whole() bool {
	switch f.kind {
	case frameHeaders, frameContinuation, framePush, frameReset:
		return true
	}
	return false
}

// take is n bytes of the payload; b is nil when nobody saw them.
func (f *frames) take(at uint64, b []byte, n int) {
	f.left -= n
	switch {
	case f.whole():
		f.got = append(f.got, b...)
	case f.kind == frameData:
		if f.pad < 0 {
			if f.pad = 0; len(b) > 0 {
				f.pad = int(b[0])
				b = b[1:]
			}
			n--
		}
		n -= max(0, f.pad-f.left) - max(0, f.pad-f.left-n) // padding among them
		f.body(at, b, max(0, n))
	}
	if f.left == 0 {
		f.end(at)
	}
}

// body is n bytes of a message's body, without padding.
func (f *frames) body(at uint64, b []byte, n int) {
	m := f.message(f.h.streams[f.id])
	if m == nil {
		return
	}
	m.end = at
	m.size += n
	if room := maxBody - len(m.body); room > 0 && b != nil {
		m.body = append(m.body, b[:min(room, n, len(b))]...)
	}
}

// message is what this direction carries of a stream, or nil.
func (f *frames) message(s *stream2) *message {
	switch {
	case s == nil:
		return nil
	case f.response:
		return s.answer
	}
	return s.asked
}

// end is the end of a frame.
func (f *frames) end(at uint64) {
	f.have = 0
	switch f.kind {
	case frameData:
		if f.flags&flagEndStream != 0 {
			f.over(at, f.id)
		}
	case frameHeaders, framePush:
		f.opens(at)
	case frameContinuation:
		if f.of == 0 || f.of != f.id && !f.push {
			f.h.lost()
			return
		}
		if f.block = append(f.block, f.got...); len(f.block) > maxHead {
			f.h.lost()
			return
		}
		f.blockEnd(at)
	case frameReset:
		f.h.reset(at, f.id)
	}
}

// opens takes the first part of a field block.
func (f *frames) opens(at uint64) {
	b, skip := f.got, 0
	f.of, f.push, f.ends = f.id, f.kind == framePush, f.kind == frameHeaders && f.flags&flagEndStream != 0
	if f.flags&flagPadded != 0 {
		if len(b) == 0 || int(b[0]) >= len(b) {
			f.h.lost()
			return
		}
		b = b[1 : len(b)-int(b[0])]
	}
	if f.kind == frameHeaders && f.flags&flagPriority != 0 {
		skip = 5
	}
	if f.push {
		skip = 4
	}
	if len(b) < skip || f.of == 0 {
		f.h.lost()
		return
	}
	if f.push {
		f.of = binary.BigEndian.Uint32(b) & (1<<31 - 1)
	}
	f.block = append(f.block[:0], b[skip:]...)
	f.blockEnd(at)
}

// blockEnd reads a field block when it is complete.
func (f *frames) blockEnd(at uint64) {
	if f.flags&flagEndHeaders == 0 {
		return
	}
	id := f.of
	f.of = 0
	m := &message{begin: at, end: at, major: 2}
	f.fields.SetEmitFunc(func(h hpack.HeaderField) { m.headers = append(m.headers, header{h.Name, h.Value}) })
	_, err := f.fields.Write(f.block)
	if err == nil {
		err = f.fields.Close()
	}
	if err != nil {
		f.h.lost()
		return
	}
	f.h.head(m, id, f.response && !f.push)
	if f.ends && !f.push {
		f.over(at, id)
	}
}

// over is the end of a stream in this direction.
func (f *frames) over(at uint64, id uint32) {
	s := f.h.streams[id]
	m := f.message(s)
	if m == nil {
		return
	}
	m.end, m.whole = at, true
	if f.response {
		delete(f.h.streams, id)
		f.h.c.t.request(f.h.c, s.asked, m)
	}
}

// gap is n bytes that were not seen. Inside the payload of a frame that is not read they change nothing; elsewhere
// nobody knows any more what the header fields mean.
func (f *frames) gap(at uint64, n int) {
	if f.deaf {
		return
	}
	if f.preface > 0 || f.have < len(f.head) || f.whole() || n > f.left {
		f.h.lost()
		return
	}
	f.take(at, nil, n)
}

func (f *frames) eof(uint64) { f.deaf = true }
