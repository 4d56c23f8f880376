package world

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"brine.test/brine/observe"
	"brine.test/brine/observe/pxl"
	"brine.test/brine/observe/table"
	"brine.test/brine/world/probe"
	"brine.test/brine/world/record"
)

// sight is what a scenario sees of its traffic, and what it asked about it.
type sight struct {
	mu       sync.Mutex
	observer *observe.Observer
	began    time.Time
	states   []*steadyState
	loads    []*loading
	journals int         // of experiments, kept so far; sentences run one at a time
	script   *pxl.Script // the last one
	result   *pxl.Result
	pixie    func(context.Context, pxl.Script) (*pxl.Result, error) // where scripts run; nil: on what was seen
}

// clientsName is how tables call the clients.
const clientsName = "clients"

// observeNodes begins to see the traffic of new nodes, and of the clients, where a sentence of the scenario asks for it.
func (w *World) observeNodes(nodes []*Node) error {
	if !w.scenario.Needs.Observe {
		return nil
	}
	o, err := w.observer()
	if err != nil {
		return err
	}
	for _, n := range nodes {
		port := n.net.Port()
		t := observe.Target{
			Node: n.Name, Namespace: n.cluster.name, NS: n.net.NS(), IfIndex: port.PeerIfIndex, Addrs: port.Addrs,
			Services: seenServices(n),
		}
		if err := o.Attach(t); err != nil {
			return fmt.Errorf("see the traffic of %w", err)
		}
	}
	return nil
}

func seenServices(n *Node) []observe.Service {
	var out []observe.Service
	for _, s := range n.services {
		seen := observe.Service{Name: s.Name}
		for _, port := range s.def.Ports {
			seen.Ports = append(seen.Ports, port)
		}
		out = append(out, seen)
	}
	return out
}

// observer gives the scenario's observer, made when it is first asked for.
func (w *World) observer() (*observe.Observer, error) {
	w.sight.mu.Lock()
	defer w.sight.mu.Unlock()
	if w.sight.observer != nil {
		return w.sight.observer, nil
	}
	o, err := observe.New(observe.Config{SkipAgents: []string{probe.UserAgent}})
	if err != nil {
		return nil, err
	}
	port := w.net.Clients().Port()
	target := observe.Target{Node: clientsName, NS: w.net.Clients().NS(), IfIndex: port.PeerIfIndex, Addrs: port.Addrs, Clients: true}
	if err := o.Attach(target); err != nil {
		return nil, errors.Join(fmt.Errorf("see the traffic of the %w", err), o.Close())
	}
	w.undo.Push("what sees traffic", 10*time.Second, func(context.Context) error { return o.Close() })
	w.sight.observer, w.sight.began = o, time.Now()
	w.background(w.meterTraffic)
	return o, nil
}

// seen gives all that was seen up to now.
func (w *World) seen(ctx context.Context) (*observe.Tables, error) {
	w.sight.mu.Lock()
	o := w.sight.observer
	w.sight.mu.Unlock()
	if o == nil {
		return nil, errors.New("no traffic was seen: there is no cluster yet\nhint: begin with \"Given a 3-node cluster running etcd\"")
	}
	if err := o.Sync(ctx); err != nil {
		return nil, err
	}
	return o.Tables(), nil
}

// meterTraffic writes what was seen into the record, a point a second for each service.
func (w *World) meterTraffic(ctx context.Context) error {
	last := time.Now()
	told := false
	for waitTick(ctx, time.Second) {
		now := time.Now()
		w.sight.mu.Lock()
		t := w.sight.observer.Tables()
		w.sight.mu.Unlock()
		if t.Loss.Any() && !told {
			told = true
			w.rec.Note(record.LevelWarning, "seeing traffic: not all is seen: "+t.Loss.String())
		}
		by := map[string]*window{}
		eachRow(t.HTTPEvents, last.UnixNano()+1, now.UnixNano(), func(r httpRow) {
			if r.role != observe.Client {
				return
			}
			to := w.ownerOf(r.remote)
			if by[to] == nil {
				by[to] = &window{}
			}
			by[to].add(r.latency, r.failed)
		})
		for to, win := range by {
			d := now.Sub(last).Seconds()
			w.rec.Sample(record.Sample{Series: "HTTP requests", Subject: to, Unit: "per second", Value: float64(len(win.latencies)) / d})
			w.rec.Sample(record.Sample{Series: "HTTP errors", Subject: to, Unit: "per second", Value: float64(win.failed) / d})
			slices.Sort(win.latencies)
			w.rec.Sample(record.Sample{Series: "p99 latency of HTTP", Subject: to, Unit: "ms", Value: float64(win.quantile(0.99)) / 1e6})
		}
		last = now
	}
	return nil
}

// ownerOf names the node behind an address, or gives the address.
func (w *World) ownerOf(addr string) string {
	for _, n := range w.allNodes() {
		if n.net.IP.String() == addr || n.net.IP6.String() == addr {
			return n.Name
		}
	}
	if c := w.net.Clients(); c.IP.String() == addr || c.IP6.String() == addr {
		return clientsName
	}
	return addr
}

// keepSight enters the tables into the artifacts, and what was not seen into the record.
func (w *World) keepSight(ctx context.Context) error {
	w.sight.mu.Lock()
	o := w.sight.observer
	w.sight.mu.Unlock()
	if o == nil {
		return nil
	}
	t, err := w.seen(ctx)
	if err != nil {
		return err
	}
	if t.Loss.Any() {
		w.rec.Note(record.LevelWarning, "seeing traffic, all in all: "+t.Loss.String())
	}
	var errs []error
	for _, rows := range []*table.Table{t.HTTPEvents, t.ConnStats, t.DNSEvents} {
		if rows.Rows() > 0 {
			errs = append(errs, w.keepTable(rows, rows.Name))
		}
	}
	return errors.Join(errs...)
}

// keepTable makes an artifact of a table.
func (w *World) keepTable(t *table.Table, name string) error {
	path, rel := w.rec.Artifact(filepath.Join("traffic", name+".csv"))
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	clean := w.suite.rec.Writer(f)
	out := csv.NewWriter(clean)
	var line []string
	for _, c := range t.Columns {
		line = append(line, c.Name)
	}
	err = out.Write(line)
	for row := 0; row < t.Rows() && err == nil; row++ {
		for i, c := range t.Columns {
			line[i] = fmt.Sprint(c.At(row))
		}
		err = out.Write(line)
	}
	out.Flush()
	if err = errors.Join(err, out.Error(), clean.Close(), f.Close()); err != nil {
		return fmt.Errorf("table %s: %w", name, err)
	}
	size := int64(0)
	if st, err := os.Stat(path); err == nil {
		size = st.Size()
	}
	w.rec.Attach(record.Attachment{Name: name, MediaType: "text/csv", File: rel, Size: size})
	return nil
}
