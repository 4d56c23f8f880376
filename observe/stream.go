package observe

import "sort"

// maxHeld is how many bytes of one direction wait for a hole before them to be filled.
const maxHeld = 4 << 20

// sink takes what one direction of a connection carried, in order, each byte once.
type sink interface {
	data(at uint64, b []byte)
	gap(at uint64, n int) // n bytes that nobody saw
	eof(at uint64)
}

// stream puts one direction of a TCP connection together again: retransmits are dropped, what is out of order waits.
//
//	seen:   [1–100] [201–300] [101–200] [1–100]
//	given:  [1–100]                     [101–200] [201–300]
//
// A hole is given up when the other side acknowledges bytes beyond it: it had them, and only we did not. That is exact,
// since a node's acknowledgement passes its interface after the bytes.
type stream struct {
	known bool
	next  uint32 // sequence number of the first byte not given yet
	top   uint32 // one beyond the highest byte seen
	fin   bool
	finAt uint32
	ended bool
	held  []piece // beyond next, by sequence number
	bytes int     // in held
}

// piece is a part of the stream; missing bytes at its end were not copied.
type piece struct {
	seq     uint32
	b       []byte
	missing int
}

func (p piece) end() uint32 { return p.seq + uint32(len(p.b)) + uint32(p.missing) }

// before compares sequence numbers (RFC 9293, 3.4).
func before(a, b uint32) bool { return int32(a-b) < 0 }

// start begins at a SYN's sequence number, or in the middle of a connection.
func (s *stream) start(seq uint32) {
	*s = stream{known: true, next: seq, top: seq}
}

// see takes a packet's part; it tells whether all of it had been seen before: a retransmit.
func (s *stream) see(at uint64, seq uint32, b []byte, length int, to sink) (again bool) {
	if length == 0 {
		return false
	}
	if !s.known {
		s.start(seq)
	}
	p := piece{seq: seq, b: b, missing: length - len(b)}
	again = !before(s.top, p.end())
	if before(s.top, p.end()) {
		s.top = p.end()
	}
	if before(p.seq, s.next) && !p.cut(s.next) {
		return again
	}
	if p.seq != s.next {
		s.hold(at, p, to)
		return again
	}
	s.give(at, p, to)
	s.release(at, to)
	return again
}

// cut drops what stands before seq; false when nothing is left.
func (p *piece) cut(seq uint32) bool {
	n := int(seq - p.seq)
	if n >= len(p.b)+p.missing {
		return false
	}
	if n <= len(p.b) {
		p.b = p.b[n:]
	} else {
		p.missing -= n - len(p.b)
		p.b = nil
	}
	p.seq = seq
	return true
}

func (s *stream) hold(at uint64, p piece, to sink) {
	p.b = append([]byte(nil), p.b...) // the ring's memory is used again
	i := sort.Search(len(s.held), func(i int) bool { return !before(s.held[i].seq, p.seq) })
	s.held = append(s.held, piece{})
	copy(s.held[i+1:], s.held[i:])
	s.held[i] = p
	if s.bytes += len(p.b); s.bytes > maxHeld {
		s.skip(at, s.held[0].seq, to)
	}
}

func (s *stream) give(at uint64, p piece, to sink) {
	s.next = p.end()
	if len(p.b) > 0 {
		to.data(at, p.b)
	}
	if p.missing > 0 {
		to.gap(at, p.missing)
	}
}

// release gives what waited and is next now.
func (s *stream) release(at uint64, to sink) {
	for len(s.held) > 0 && !before(s.next, s.held[0].seq) {
		p := s.held[0]
		s.held = s.held[1:]
		s.bytes -= len(p.b)
		if before(p.seq, s.next) && !p.cut(s.next) {
			continue
		}
		s.give(at, p, to)
	}
	if s.fin && !s.ended && !before(s.next, s.finAt) {
		s.ended = true
		to.eof(at)
	}
}

// skip gives up the bytes up to seq.
func (s *stream) skip(at uint64, seq uint32, to sink) {
	for before(s.next, seq) {
		until := seq
		if len(s.held) > 0 && before(s.held[0].seq, seq) {
			until = s.held[0].seq
		}
		if n := int(until - s.next); n > 0 {
			s.next = until
			to.gap(at, n)
		}
		s.release(at, to)
	}
}

// acked says that the other side has everything before ack.
func (s *stream) acked(at uint64, ack uint32, to sink) {
	if !s.known || !before(s.next, ack) {
		return
	}
	if s.fin && ack == s.finAt+1 {
		ack = s.finAt
	}
	if before(s.next, ack) {
		s.skip(at, ack, to)
	}
}

// finish notes the FIN's place.
func (s *stream) finish(at uint64, seq uint32, to sink) {
	if !s.known {
		s.start(seq)
	}
	s.fin, s.finAt = true, seq
	s.release(at, to)
}
