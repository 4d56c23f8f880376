package observe

import (
	"net/netip"
	"time"

	"brine.test/brine/observe/table"
)

// keepClosed is how long a closed connection is remembered, so that its last acknowledgements open no new one.
const keepClosed = 5 * time.Second

// seenTarget is a target with the texts of its rows.
type seenTarget struct {
	Target
	number int
	upid   string
}

// tracker turns events into rows. The Observer's lock guards it.
type tracker struct {
	cfg     Config
	wall    int64
	mute    func(ifindex uint32, local, remote uint16, addr [16]byte)
	targets map[uint32]*seenTarget
	conns   map[connKey]*conn
	pairs   map[pairKey]*pair
	dns     map[dnsKey]dnsAsked
	loss    Loss

	http, stats, names *table.Table
	broken             []Unanswered
	sampled            uint64
	swept              uint64
}

func newTracker(cfg Config, wall int64) *tracker {
	return &tracker{
		cfg: cfg, wall: wall,
		targets: map[uint32]*seenTarget{}, conns: map[connKey]*conn{}, pairs: map[pairKey]*pair{}, dns: map[dnsKey]dnsAsked{},
		http: newHTTPTable(), stats: newStatsTable(), names: newDNSTable(),
	}
}

func (t *tracker) target(ifindex uint32, target *Target) {
	n := len(t.targets) + 1
	t.targets[ifindex] = &seenTarget{Target: *target, number: n, upid: upid(n)}
}

func (t *tracker) setServices(ifindex uint32, services []Service) {
	if target := t.targets[ifindex]; target != nil {
		target.Services = services
	}
}

// see takes one event. The payload is used again by the caller.
func (t *tracker) see(e event, payload []byte) {
	target := t.targets[e.ifindex]
	if target == nil {
		return
	}
	if e.proto == protoUDP {
		t.seeDNS(target, e, payload)
		return
	}
	key := connKey{e.ifindex, e.local, e.remote}
	c := t.conns[key]
	if c != nil && e.flags&(flagSYN|flagACK) == flagSYN && (c.gone || c.counted && c.restarts(e)) {
		c.close(e.time)
		c = nil
	}
	if c == nil {
		c = &conn{key: key, target: target, t: t}
		t.conns[key] = c
	}
	c.see(e, payload)
}

// restarts tells a new connection's SYN on the same ports from a repeated one.
func (c *conn) restarts(e event) bool {
	mine := &c.in
	if e.egress {
		mine = &c.out
	}
	return mine.known && mine.next != e.seq+1
}

// tick is called often while nothing comes in.
func (t *tracker) tick(now uint64) {
	if now-t.sampled >= uint64(time.Second) {
		t.sampled = now
		t.sample(now)
	}
	if now-t.swept >= uint64(keepClosed) {
		t.swept = now
		t.sweep(now)
	}
}

// sweep forgets what is over.
func (t *tracker) sweep(now uint64) {
	for key, c := range t.conns {
		if c.gone && now-c.closedAt > uint64(keepClosed) {
			delete(t.conns, key)
		}
	}
	for key, asked := range t.dns {
		if now-asked.at > uint64(time.Minute) {
			delete(t.dns, key)
		}
	}
}

// room tells whether a table takes one more row.
func (t *tracker) room(rows *table.Table) bool {
	if rows.Rows() >= t.cfg.MaxRows {
		t.loss.Rows++
		return false
	}
	return true
}

// since1970 turns a kernel time into one since 1970.
func (t *tracker) since1970(at uint64) int64 { return int64(at) + t.wall }

// addresses maps each target's addresses to its pod.
func (t *tracker) addresses() map[string]string {
	out := map[string]string{}
	for _, target := range t.targets {
		for _, a := range target.Addrs {
			out[a.String()] = target.pod()
		}
	}
	return out
}

// plain gives an address as a row shows it.
func plain(a netip.Addr) string { return a.Unmap().String() }
