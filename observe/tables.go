package observe

import (
	"fmt"

	"brine.test/brine/observe/table"
)

// Tables is what was seen up to a moment. It does not change any more.
type Tables struct {
	HTTPEvents  *table.Table
	ConnStats   *table.Table
	DNSEvents   *table.Table
	Unanswered  []Unanswered // the connection ended before the answer
	Outstanding []Unanswered // no answer yet; Time is the moment of the look
	Pods        map[string]string
	// Pods gives, for the address of each target, its pod; "" for the clients.
	Loss Loss
}

// Named gives the tables by the names that scripts use.
func (t *Tables) Named() map[string]*table.Table {
	return map[string]*table.Table{t.HTTPEvents.Name: t.HTTPEvents, t.ConnStats.Name: t.ConnStats, t.DNSEvents.Name: t.DNSEvents}
}

// Unanswered is a request without an answer.
type Unanswered struct {
	Asked, Time int64 // ns since 1970: its last byte so far, and when it was given up
	Role        Role
	Node        string // that it was seen at
	Service     string
	Remote      string // address
	RemotePort  uint16
	Method      string
	Path        string
}

// snapshot gives what there is; the Observer's lock is held.
func (t *tracker) snapshot(now uint64, loss Loss) *Tables {
	t.sample(now)
	out := &Tables{
		HTTPEvents: t.http.Snapshot(), ConnStats: t.stats.Snapshot(), DNSEvents: t.names.Snapshot(),
		Unanswered: t.broken[:len(t.broken):len(t.broken)], Pods: t.addresses(), Loss: loss,
	}
	for _, c := range t.conns {
		if c.x == nil {
			continue
		}
		for _, m := range c.x.waiting() {
			switch {
			case t.skips(m):
			case c.givenUp > 0: // who asked has closed; an answer may still come
				out.Unanswered = append(out.Unanswered, t.without(c, m, c.givenUp))
			default:
				out.Outstanding = append(out.Outstanding, t.without(c, m, now))
			}
		}
	}
	return out
}

func (t *tracker) unanswered(c *conn, m *message, at uint64) {
	if t.skips(m) {
		return
	}
	if len(t.broken) >= t.cfg.MaxRows {
		t.loss.Rows++
		return
	}
	t.broken = append(t.broken, t.without(c, m, at))
}

func (t *tracker) without(c *conn, m *message, at uint64) Unanswered {
	return Unanswered{
		Asked: t.since1970(m.end), Time: t.since1970(at), Role: c.role, Node: c.target.Node, Service: c.service(),
		Remote: plain(c.key.remote.Addr()), RemotePort: c.key.remote.Port(), Method: m.method, Path: m.path,
	}
}

// service is the service whose row this is: at the server the one that listens, at a client the one that may have asked.
func (c *conn) service() string {
	if c.role == Server {
		return c.target.service(int(c.key.local.Port()))
	}
	return c.target.service(0)
}

// upid is a stable number for a target, in the form of Pixie's process ids.
func upid(n int) string { return fmt.Sprintf("%08x-0000-0000-0000-%012x", 1, n) }

// context are the columns behind df.ctx.
var contextNames = []string{"service", "pod", "node", "namespace", "container"}

func withContext(t *table.Table) *table.Table {
	for _, name := range contextNames {
		t.Context = append(t.Context, &table.Column{Name: name, Type: table.String})
	}
	return t
}

func addContext(rows *table.Table, service string, target *seenTarget) {
	values := [...]string{service, target.pod(), target.Node, target.namespace(), target.Node}
	for i, c := range rows.Context {
		c.Strings = append(c.Strings, values[i])
	}
}

// row fills one row in, column by column.
type row struct {
	t *table.Table
	i int
}

func (r *row) int(v int64) {
	c := r.t.Columns[r.i]
	c.Ints = append(c.Ints, v)
	r.i++
}

func (r *row) text(v string) {
	c := r.t.Columns[r.i]
	c.Strings = append(c.Strings, v)
	r.i++
}

func (r *row) bool(v bool) {
	c := r.t.Columns[r.i]
	c.Bools = append(c.Bools, v)
	r.i++
}
