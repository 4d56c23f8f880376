package observe

import "net/netip"

// Role is the end of a connection that a row was seen at. The numbers are Pixie's.
type Role int64

// The roles.
const (
	UnknownRole Role = 0
	Client      Role = 1
	Server      Role = 2
)

// connKey is a connection as seen from one interface.
type connKey struct {
	ifindex       uint32
	local, remote netip.AddrPort
}

// conn is one TCP connection.
type conn struct {
	key      connKey
	target   *seenTarget
	role     Role
	in, out  stream
	stats    *pair
	counted  bool // its opening is in stats
	gone     bool // its closing is in stats
	closedAt uint64
	givenUp  uint64 // when who asks closed its side
	x        *exchange
	t        *tracker
}

// see takes a packet of the connection.
func (c *conn) see(e event, payload []byte) {
	mine, other := &c.in, &c.out
	if e.egress {
		mine, other = other, mine
	}
	seq := e.seq
	if e.flags&flagSYN != 0 {
		mine.start(e.seq + 1)
		seq++
		c.opened(e)
	}
	if c.stats == nil && (e.length > 0) {
		c.guess(e, payload)
	}
	to := c.sinkOf(e.egress)
	if e.flags&flagACK != 0 {
		other.acked(e.time, e.ack, c.sinkOf(!e.egress))
	}
	top := mine.top
	known := mine.known
	again := mine.see(e.time, seq, payload, int(e.length), to)
	c.count(e, again, known, top, mine.top)
	if e.flags&flagFIN != 0 {
		mine.finish(e.time, seq+e.length, to)
		if c.givenUp == 0 && e.egress == (c.role == Client) {
			c.givenUp = e.time
		}
	}
	if e.flags&flagRST != 0 || c.in.ended && c.out.ended {
		c.close(e.time)
	}
}

// opened learns the role from the first packets.
func (c *conn) opened(e event) {
	if c.role == UnknownRole {
		first := e.flags&flagACK == 0 // SYN alone: its sender is the client
		if first == e.egress {
			c.role = Client
		} else {
			c.role = Server
		}
	}
	c.begin(e.time, true)
}

// guess finds the role in the middle of a connection: who sends a request is the client, else the lower port serves.
func (c *conn) guess(e event, payload []byte) {
	sender := Client
	switch {
	case startsMessage(payload, false):
	case startsMessage(payload, true):
		sender = Server
	case e.egress == (c.key.local.Port() < c.key.remote.Port()):
		sender = Server
	}
	if e.egress == (sender == Client) {
		c.role = Client
	} else {
		c.role = Server
	}
	c.begin(e.time, false)
	if !startsMessage(payload, sender == Server) {
		c.x.requests.state, c.x.responses.state = seeking, seeking
	}
}

func (c *conn) begin(at uint64, open bool) {
	if c.stats != nil {
		return
	}
	c.stats = c.t.pair(c, at)
	if open {
		c.stats.opened++
		c.counted = true
	}
	c.stats.active++
	c.x = newExchange(c)
}

// noSink takes what nobody reads.
type noSink struct{}

func (noSink) data(uint64, []byte) {}
func (noSink) gap(uint64, int)     {}
func (noSink) eof(uint64)          {}

func (c *conn) sinkOf(egress bool) sink {
	if c.x == nil {
		return noSink{}
	}
	if egress == (c.role == Client) {
		return &c.x.requests
	}
	return &c.x.responses
}

func (c *conn) count(e event, again, known bool, top, now uint32) {
	s := c.stats
	if s == nil {
		return
	}
	fresh := uint64(0)
	if known && before(top, now) {
		fresh = uint64(now - top)
	} else if !known {
		fresh = uint64(e.length)
	}
	s.changed = true
	if e.egress {
		s.sent += fresh
		s.packetsOut += uint64(e.packets)
	} else {
		s.received += fresh
		s.packetsIn += uint64(e.packets)
	}
	if again && e.packets > 0 {
		s.retransmits++
	}
}

// close ends the connection: requests without an answer stay without.
func (c *conn) close(at uint64) {
	if c.gone {
		return
	}
	c.gone, c.closedAt = true, at
	if c.x != nil {
		c.x.responses.eof(at)
		c.x.abandon(at)
	}
	if c.stats != nil {
		c.stats.active--
		c.stats.closed++
		c.stats.changed = true
	}
}
