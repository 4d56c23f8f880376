package steps

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"brine.test/brine/world"
	"brine.test/brine/world/quantity"
)

// traffic states the sentences about HTTP that was seen on the wire.
func traffic(sc Registrar) {
	sc.Step(`^the (median|mean|max|maximum|p\d+(?:\.\d+)?) latency of HTTP requests((?: (?:to|from|on path|over the last) .+?)?) (?:is|was|stays) (below|above|at most|at least) (\d[^" ]*(?: (?:milliseconds?|seconds?|minutes?))?)( (?:within|for|while) .+)?$`, httpLatency)
	sc.Step(`^the error rate of HTTP requests((?: (?:to|from|on path|over the last) .+?)?) (?:is|was|stays) (below|above|at most|at least) (\d+(?:\.\d+)?%)( (?:within|for|while) .+)?$`, httpErrorRate)
	sc.Step(`^the throughput of HTTP requests((?: (?:to|from|on path|over the last) .+?)?) (?:is|was|stays) (below|above|at most|at least) (\d+(?:\.\d+)? requests? per (?:second|minute|hour))( (?:within|for|while) .+)?$`, httpThroughput)
}

// httpLatency judges how long HTTP requests took, from the last byte of the request to the last of the answer, read off
// the wire where they were asked: between nodes as well as from the clients. To a service, a node or any selector; from
// one; on a path, where * stands for anything; over a last time, else since the scenario began. The bound is included. A
// time in which no request was seen fails the sentence, and a request that waits still counts with what it has waited.
//
//	the p99 latency of HTTP requests to consumer over the last 2m is below 300ms
//	the median latency of HTTP requests to node2 from node1 is below 20ms
//	the max latency of HTTP requests on path "/api/*" is below 2s
//	the mean latency of HTTP requests to consumer is above 100ms while node2 was isolated
func httpLatency(ctx context.Context, stat, options, than, limit, tail string) error {
	s := read(ctx)
	r, bound := s.requests(options), s.bound(tail)
	l := world.Limit{Below: below(than), Value: float64(s.duration(limit))}
	return s.do(func(w *world.World) error { return w.HTTPLatency(ctx, stat, r, l, bound) })
}

// httpErrorRate judges the share of HTTP requests that were answered with a status of 400 or above, with a gRPC status
// other than OK, or not at all.
//
//	the error rate of HTTP requests to consumer over the last 2m is below 1%
//	the error rate of HTTP requests from the clients is above 50% while node2 was isolated
func httpErrorRate(ctx context.Context, options, than, limit, tail string) error {
	s := read(ctx)
	r, bound := s.requests(options), s.bound(tail)
	l := world.Limit{Below: below(than), Value: s.share(limit)}
	return s.do(func(w *world.World) error { return w.HTTPErrorRate(ctx, r, l, bound) })
}

// httpThroughput judges how many HTTP requests were answered in a second, from the first that was seen on.
//
//	the throughput of HTTP requests to consumer over the last 2m is above 50 requests per second
//	the throughput of HTTP requests is at least 9 requests per second
func httpThroughput(ctx context.Context, options, than, limit, tail string) error {
	s := read(ctx)
	r, bound := s.requests(options), s.bound(tail)
	rate, err := quantity.RequestRate(limit)
	s.keep(err)
	l := world.Limit{Below: below(than), Value: rate}
	return s.do(func(w *world.World) error { return w.HTTPThroughput(ctx, r, l, bound) })
}

func below(than string) bool { return than == "below" || than == "at most" }

// trafficOption is the next part of what tells which requests are meant.
var trafficOption = regexp.MustCompile(`^ (?:to ([^"]+?)|from ([^"]+?)|on path ("(?:[^"]|"")*")|over the last ([^"]+?))((?: (?:to|from|on path|over the last) .*)?)$`)

// requests reads which requests are meant: its parts in any order, each once.
func (s *words) requests(text string) world.Requests {
	var r world.Requests
	for text != "" {
		m := trafficOption.FindStringSubmatch(text)
		if m == nil {
			s.keep(fmt.Errorf("%q: tells no requests\nhint: write `to consumer`, `from node1`, `on path \"/api/*\"`, `over the last 2m`", strings.TrimSpace(text)))
			return r
		}
		set := func(to *string, value string) {
			if *to != "" {
				s.keep(fmt.Errorf("%q: stands twice", value))
			}
			*to = value
		}
		switch {
		case m[1] != "":
			set(&r.To, m[1])
		case m[2] != "":
			set(&r.From, m[2])
		case m[3] != "":
			set(&r.Path, s.quoted(m[3]))
		default:
			if r.Last != 0 {
				s.keep(errors.New("over the last …: stands twice"))
			}
			d, err := lasting(m[0], m[4])
			s.keep(err)
			r.Last = d
		}
		text = m[5]
	}
	return r
}
