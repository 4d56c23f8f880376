package world

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"brine.test/brine/netfab"
	"brine.test/brine/world/load"
	"brine.test/brine/world/record"
	sel "brine.test/brine/world/selector"
)

// LoadSpec is open-loop load: requests sent at a rate, late answers or not.
type LoadSpec struct {
	Rate         float64 // per second
	Method, URL  string
	Body         string
	Headers      []Field
	From         *sel.Selector // nil: the clients
	NewConns     bool          // each request opens a connection of its own
	Continuously bool          // until the clients stop, or the scenario ends
	Timeout      time.Duration // 0: 30 s
}

// loading is load that was begun.
type loading struct {
	spec LoadSpec
	what string
	run  *load.Run
	host string // of the URL
	path string
	from string
	rec  *record.Scenario

	mu    sync.Mutex
	never []int64 // when requests failed before they were on the wire, ns since 1970
	told  bool
}

// SendLoad sends requests at a rate: for a time in which the sentence waits, for the next time, or continuously.
func (w *World) SendLoad(ctx context.Context, spec LoadSpec, l Length) error {
	one, err := w.startLoad(ctx, spec, l)
	if err != nil {
		return err
	}
	if l.Kind == ForWait {
		return w.awaitLoad(ctx, one)
	}
	w.background(func(ctx context.Context) error {
		select {
		case <-one.run.Done():
			return w.loadOver(one)
		case <-ctx.Done():
			return nil
		}
	})
	return nil
}

// meter writes into the record, once a second, how the requests fared.
func (one *loading) meter(ctx context.Context) error {
	for over := false; !over && waitTick(ctx, meterEvery); {
		select {
		case <-one.run.Done():
			over = true
		default:
		}
		lap := one.run.Lap()
		for _, s := range []record.Sample{
			{Series: "load", Unit: "per second", Value: float64(lap.Good+lap.Bad) / meterEvery.Seconds()},
			{Series: "load failed", Unit: "per second", Value: float64(lap.Bad) / meterEvery.Seconds()},
			{Series: "slowest of load", Unit: "ms", Value: float64(lap.Slowest) / float64(time.Millisecond)},
		} {
			s.Subject = one.host
			one.rec.Sample(s)
		}
	}
	return nil
}

// startLoad begins to send. It goes on beyond its sentence, and ends with the scenario.
func (w *World) startLoad(ctx context.Context, spec LoadSpec, l Length) (*loading, error) {
	one, err := w.newLoad(ctx, spec)
	if err != nil {
		return nil, err
	}
	one.run, err = load.Start(w.bgCtx, load.Spec{Rate: spec.Rate, For: l.D, Do: one.send(w.loadClient(one))})
	if err != nil {
		return nil, err
	}
	w.background(one.meter)
	w.undo.Push("load", 10*time.Second, func(ctx context.Context) error {
		one.run.Stop()
		select {
		case <-one.run.Done():
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	w.sight.mu.Lock()
	defer w.sight.mu.Unlock()
	w.sight.loads = append(w.sight.loads, one)
	return one, nil
}

// awaitLoad waits until all was sent and answered.
func (w *World) awaitLoad(ctx context.Context, one *loading) error {
	select {
	case <-one.run.Done():
		return w.loadOver(one)
	case <-ctx.Done():
		one.run.Stop()
		return ctx.Err()
	}
}

func (w *World) newLoad(ctx context.Context, spec LoadSpec) (*loading, error) {
	u, err := url.Parse(spec.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%q: expected a URL such as http://node1:8080/", spec.URL)
	}
	w.hideInURL(spec.URL)
	if err := w.begun(ctx); err != nil {
		return nil, err
	}
	one := &loading{spec: spec, rec: w.rec, host: u.Hostname(), path: u.RequestURI(), from: clientsName}
	one.what = fmt.Sprintf("%g requests per second to %s", spec.Rate, spec.URL)
	if spec.From != nil && spec.From.Kind != sel.Clients {
		n, err := w.One(ctx, *spec.From)
		if err != nil {
			return nil, err
		}
		one.from = n.Name
	}
	resolving, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if _, err := w.loadNode(one).Resolve(resolving, one.host); err != nil && w.nobody(one.host) {
		return nil, fmt.Errorf("%s: %w\nhint: give the node a name: `node1 is also known as %q`", spec.URL, err, one.host)
	}
	return one, nil
}

// nobody tells that a host is no node's name or address.
func (w *World) nobody(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return false
	}
	_, known := w.net.Lookup(host)
	return !known
}

// loadNode is where the load is sent from.
func (w *World) loadNode(one *loading) *netfab.Node {
	if n := w.node(one.from); n != nil && one.from != clientsName {
		return n.net
	}
	return w.net.Clients()
}

func (w *World) loadClient(one *loading) *http.Client {
	var opts []netfab.HTTPOption
	if !one.spec.NewConns {
		opts = append(opts, netfab.KeepAlive(), func(t *http.Transport) { t.MaxIdleConnsPerHost = 1000 })
	}
	timeout := one.spec.Timeout
	if timeout == 0 {
		timeout = requestTimeout
	}
	c := w.loadNode(one).HTTP(opts...).GetClient()
	c.Timeout = timeout
	w.onLoadEnd(c)
	return c
}

func (w *World) onLoadEnd(c *http.Client) {
	w.undo.Push("connections of load", 5*time.Second, func(context.Context) error {
		c.CloseIdleConnections()
		return nil
	})
}

// send makes the function that sends one request.
func (one *loading) send(c *http.Client) func(context.Context) (bool, error) {
	method := one.spec.Method
	if method == "" {
		method = http.MethodGet
	}
	return func(ctx context.Context) (failed bool, err error) {
		var wrote atomic.Bool // the transport's goroutines say it
		trace := &httptrace.ClientTrace{WroteHeaders: func() { wrote.Store(true) }}
		req, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), method, one.spec.URL, strings.NewReader(one.spec.Body))
		if err != nil {
			return false, err
		}
		for _, f := range one.spec.Headers {
			req.Header.Add(f.Name, f.Value)
		}
		resp, err := c.Do(req)
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
			err = errors.Join(err, resp.Body.Close())
		}
		if err != nil {
			if !wrote.Load() && ctx.Err() == nil {
				one.mu.Lock()
				one.never = append(one.never, time.Now().UnixNano())
				one.mu.Unlock()
			}
			return false, err
		}
		return resp.StatusCode >= 400, nil
	}
}

// neverSent counts the requests of load that were meant and failed before they were on the wire: no connection, no name.
func (w *World) neverSent(p picked, from, until int64) int {
	w.sight.mu.Lock()
	loads := append([]*loading{}, w.sight.loads...)
	w.sight.mu.Unlock()
	n := 0
	for _, one := range loads {
		if !w.aimsAt(one, p) {
			continue
		}
		one.mu.Lock()
		for _, at := range one.never {
			if at >= from && at <= until {
				n++
			}
		}
		one.mu.Unlock()
	}
	return n
}

func (w *World) aimsAt(one *loading, p picked) bool {
	addrs := []string{one.host}
	found, _ := w.net.Lookup(one.host)
	for _, a := range found {
		addrs = append(addrs, a.String())
	}
	for _, a := range addrs {
		if p.matches(one.from, a, 0, one.path) {
			return true
		}
	}
	return false
}

// loadOver tells the record what became of the load. Load of which no request was answered while nothing was harmed is
// an error: it went to the wrong place.
func (w *World) loadOver(one *loading) error {
	one.mu.Lock()
	told := one.told
	one.told = true
	one.mu.Unlock()
	if told {
		return nil
	}
	r := one.run.Report()
	w.rec.Note("", one.what+": "+r.String())
	if r.Sent+r.Skipped > 0 && r.OK+r.Failed == 0 && w.harmsOn() == "" {
		return fmt.Errorf("%s: %w: %s", one.what, load.ErrNone, r)
	}
	return nil
}

// StopLoad stops what is sent continuously; it tells whether there was any.
func (w *World) StopLoad(ctx context.Context) (any bool, err error) {
	w.sight.mu.Lock()
	loads := append([]*loading{}, w.sight.loads...)
	w.sight.mu.Unlock()
	var errs []error
	for _, one := range loads {
		select {
		case <-one.run.Done():
			continue
		default:
		}
		any = true
		one.run.Stop()
		select {
		case <-one.run.Done():
			errs = append(errs, w.loadOver(one))
		case <-ctx.Done():
			errs = append(errs, ctx.Err())
		}
	}
	return any, errors.Join(errs...)
}
