package observe

import (
	"net/netip"

	"brine.test/brine/observe/table"
)

// Protocols, as Pixie numbers them.
const (
	protocolUnknown = 0
	protocolHTTP    = 1
	protocolHTTP2   = 2
)

// newStatsTable has the columns of Pixie's conn_stats, and three of our own: packets and retransmits.
func newStatsTable() *table.Table {
	return withContext(table.New("conn_stats",
		table.Spec{Name: "time_", Type: table.Time64NS},
		table.Spec{Name: "upid", Type: table.Uint128},
		table.Spec{Name: "remote_addr", Type: table.String},
		table.Spec{Name: "remote_port", Type: table.Int64},
		table.Spec{Name: "trace_role", Type: table.Int64},
		table.Spec{Name: "addr_family", Type: table.Int64},
		table.Spec{Name: "protocol", Type: table.Int64},
		table.Spec{Name: "ssl", Type: table.Boolean},
		table.Spec{Name: "conn_open", Type: table.Int64},
		table.Spec{Name: "conn_close", Type: table.Int64},
		table.Spec{Name: "conn_active", Type: table.Int64},
		table.Spec{Name: "bytes_sent", Type: table.Int64},
		table.Spec{Name: "bytes_recv", Type: table.Int64},
		table.Spec{Name: "packets_sent", Type: table.Int64},
		table.Spec{Name: "packets_recv", Type: table.Int64},
		table.Spec{Name: "retransmits", Type: table.Int64},
	))
}

// pairKey is what the connections of one row of conn_stats have in common. A client's port differs with each
// connection and is left out, as Pixie does.
type pairKey struct {
	target *seenTarget
	remote netip.AddrPort // at a server with port 0
	local  uint16         // at a server: the port that listens
	role   Role
}

// pair counts what went between two ends since it was first seen. Bytes are payload, retransmits not counted again.
type pair struct {
	key                    pairKey
	service                string
	protocol               int64
	opened, closed, active int64
	sent, received         uint64
	packetsOut, packetsIn  uint64
	retransmits            uint64
	changed                bool
}

func (t *tracker) pair(c *conn, at uint64) *pair {
	key := pairKey{target: c.target, remote: c.key.remote, role: c.role}
	if c.role == Server {
		key.remote, key.local = netip.AddrPortFrom(c.key.remote.Addr(), 0), c.key.local.Port()
	}
	p := t.pairs[key]
	if p == nil {
		p = &pair{key: key, service: c.service()}
		t.pairs[key] = p
		p.row(t, at) // all zero: the counters' begin
	}
	return p
}

// sample adds a row for each pair that changed since the last.
func (t *tracker) sample(now uint64) {
	for _, p := range t.pairs {
		if p.changed {
			p.changed = false
			p.row(t, now)
		}
	}
}

func (p *pair) row(t *tracker, now uint64) {
	if !t.room(t.stats) {
		return
	}
	const inet, inet6 = 2, 10
	family := int64(inet)
	if p.key.remote.Addr().Is6() {
		family = inet6
	}
	r := row{t: t.stats}
	r.int(t.since1970(now))
	r.text(p.key.target.upid)
	r.text(plain(p.key.remote.Addr()))
	r.int(int64(p.key.remote.Port()))
	r.int(int64(p.key.role))
	r.int(family)
	r.int(p.protocol)
	r.bool(false)
	for _, v := range []int64{p.opened, p.closed, p.active} {
		r.int(v)
	}
	for _, v := range []uint64{p.sent, p.received, p.packetsOut, p.packetsIn, p.retransmits} {
		r.int(int64(v))
	}
	addContext(t.stats, p.service, p.key.target)
}
