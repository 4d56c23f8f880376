package world

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"brine.test/brine/observe"
	"brine.test/brine/observe/table"
)

// httpRow is one row of http_events.
type httpRow struct {
	at, latency int64 // ns since 1970, ns
	role        observe.Role
	from        string // the node that the row was seen at
	remote      string
	port        int64
	failed      bool // answered with 400 or above, or a gRPC status other than OK
	path        string
}

// eachRow gives the rows of a time, its ends included.
func eachRow(t *table.Table, from, until int64, f func(httpRow)) {
	at, latency, role := t.Column("time_").Ints, t.Column("latency").Ints, t.Column("trace_role").Ints
	remote, port, status := t.Column("remote_addr").Strings, t.Column("remote_port").Ints, t.Column("resp_status").Ints
	path, grpc := t.Column("req_path").Strings, t.Column("grpc_status").Ints
	var node []string
	for _, c := range t.Context {
		if c.Name == "node" {
			node = c.Strings
		}
	}
	for i := range at {
		if at[i] >= from && at[i] <= until {
			f(httpRow{at[i], latency[i], observe.Role(role[i]), node[i], remote[i], port[i], status[i] >= 400 || grpc[i] > 0, path[i]})
		}
	}
}

// window is what was seen of some requests in some time.
type window struct {
	latencies []int64 // ns, of answered requests, and of those that wait still
	answered  int     // by its end
	failed    int     // answered with failure
	broken    int     // without an answer
	first     int64   // when the first was answered; 0: none
}

func (w *window) add(latency int64, failed bool) {
	w.latencies = append(w.latencies, latency)
	if failed {
		w.failed++
	}
}

func (w *window) requests() int { return len(w.latencies) + w.broken }

// quantile gives the smallest latency that at least a share q of the requests did not exceed. The latencies are sorted.
func (w *window) quantile(q float64) int64 {
	if len(w.latencies) == 0 {
		return 0
	}
	i := int(math.Ceil(q*float64(len(w.latencies)))) - 1
	return w.latencies[min(max(i, 0), len(w.latencies)-1)]
}

// Requests says which HTTP requests a sentence means: to whom, from whom, on which path, over which last time. Nothing
// set means all.
type Requests struct {
	To, From string // a service, or a selector
	Path     string // * stands for anything; the query is left out unless the pattern has one
	Last     time.Duration
}

// String says it as the sentence does.
func (r Requests) String() string {
	s := "HTTP requests"
	if r.To != "" {
		s += " to " + r.To
	}
	if r.From != "" {
		s += " from " + r.From
	}
	if r.Path != "" {
		s += fmt.Sprintf(" on path %q", r.Path)
	}
	if r.Last > 0 {
		s += " over the last " + r.Last.String()
	}
	return s
}

// picked is Requests with its names resolved.
type picked struct {
	to    map[string]bool // addresses; nil: anyone
	ports map[int64]bool  // nil: any
	from  map[string]bool // nodes' names; nil: anyone
	path  *regexp.Regexp
}

// requestsMeant resolves the names. Whom a service's name means is found in the catalogue's services of the nodes.
func (w *World) requestsMeant(ctx context.Context, r Requests) (picked, error) {
	var p picked
	ends, err := w.askedEnds(ctx, r.To, r.From)
	if err != nil {
		return p, err
	}
	if r.To != "" {
		p.to, p.ports = map[string]bool{}, map[int64]bool{}
		every := false // port of one of them is meant
		for _, m := range ends[0] {
			net := w.net.Clients()
			if m.node != nil {
				net = m.node.net
			}
			p.to[net.IP.String()], p.to[net.IP6.String()] = true, true
			ports := m.ports()
			for _, port := range ports {
				p.ports[int64(port)] = true
			}
			every = every || len(ports) == 0
		}
		if every {
			p.ports = nil
		}
	}
	if r.From != "" {
		p.from = map[string]bool{}
		for _, m := range ends[1] {
			p.from[m.name()] = true
		}
	}
	if r.Path != "" {
		parts := strings.Split(r.Path, "*")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		tail := `(?:\?.*)?$`
		if strings.Contains(r.Path, "?") {
			tail = `$`
		}
		p.path = regexp.MustCompile(`^` + strings.Join(parts, `.*`) + tail)
	}
	return p, nil
}

// matches tells whether a request is meant: who asked, whom, at which port, for what.
func (p picked) matches(from, remote string, port int64, path string) bool {
	if p.from != nil && !p.from[from] || p.to != nil && !p.to[remote] || p.ports != nil && port != 0 && !p.ports[port] {
		return false
	}
	return p.path == nil || p.path.MatchString(path)
}

// look collects the requests of a time as those who asked saw them: their rows hold what the network did, too.
func (w *World) look(ctx context.Context, p picked, from, until int64) (window, *observe.Tables, error) {
	var win window
	t, err := w.seen(ctx)
	if err != nil {
		return win, nil, err
	}
	// A request that was under way at the end of the time belongs to it, though its answer came later.
	eachRow(t.HTTPEvents, from, math.MaxInt64, func(r httpRow) {
		if r.role == observe.Client && r.at-r.latency <= until && p.matches(r.from, r.remote, r.port, r.path) {
			if win.first == 0 || r.at < win.first {
				win.first = r.at
			}
			win.add(r.latency, r.failed)
			if r.at <= until {
				win.answered++
			}
		}
	})
	for _, u := range t.Unanswered {
		if u.Role == observe.Client && u.Time >= from && u.Asked <= until && p.matches(u.Node, u.Remote, int64(u.RemotePort), u.Path) {
			win.broken++
		}
	}
	win.broken += w.neverSent(p, from, until)
	for _, u := range t.Outstanding {
		// One that waits longer than any that was answered is as slow as it waits.
		if waited := u.Time - u.Asked; u.Role == observe.Client && u.Asked >= from && u.Asked <= until && waited > slowest(win) && p.matches(u.Node, u.Remote, int64(u.RemotePort), u.Path) {
			win.latencies = append(win.latencies, waited)
		}
	}
	slices.Sort(win.latencies)
	return win, t, nil
}

func slowest(win window) int64 {
	if len(win.latencies) == 0 {
		return 0
	}
	return slices.Max(win.latencies)
}
