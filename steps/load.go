package steps

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"brine.test/brine/world"
	"brine.test/brine/world/quantity"
)

// sendingLoad states the sentence that sends requests at a rate.
func sendingLoad(sc Registrar) {
	sc.Step(`^(\d+(?:\.\d+)?) (?:(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) )?requests? (?:per|a) (second|minute|hour) (?:is|are) sent to "((?:[^"]|"")*)"( .+)?$`, sendLoad)
}

// sendLoad sends HTTP requests at a rate, whatever becomes of them: late answers do not slow the sending. For a time that
// the sentence waits, for the next time, or continuously until the clients stop. From the clients, or from inside a node's
// network; connections are used again unless "on new connections" stands there. Latency as the sender knows it, counted
// from when a request was due, is noted in the report.
//
//	10 requests per second are sent to "http://consumer:8080/" for 60s
//	10 requests per second are sent to "http://consumer:8080/" continuously
//	100 POST requests per second are sent to "http://node1:8080/x" from node2 with "v1" for the next 20s
//	5 requests per second are sent to "http://node1:8080/" on new connections with a time-out of 2s for 10s
func sendLoad(ctx context.Context, rate, method, unit, url, tail string) error {
	s := read(ctx)
	perSecond, err := quantity.RequestRate(rate + " requests per " + unit)
	s.keep(err)
	spec := world.LoadSpec{Rate: perSecond, Method: method, URL: s.data(url)}
	length := s.loadTail(&spec, tail)
	return s.do(func(w *world.World) error { return w.SendLoad(ctx, spec, length) })
}

// loadOption is the next part of what follows the URL.
var loadOption = regexp.MustCompile(`^ (?:from ([^":]+?)|(on new connections)|with a time-?out of ([^":]+?)|with ("(?:[^"]|"")*")|(continuously|for [^":]+?)|(with(?: the)?(?: headers?| body)?:))((?: (?:from|on new|with|continuously|for) .*| continuously| with:)?)$`)

func (s *words) loadTail(spec *world.LoadSpec, text string) world.Length {
	var length world.Length
	given := false
	for text != "" && s.err == nil {
		m := loadOption.FindStringSubmatch(text)
		if m == nil {
			s.keep(fmt.Errorf("%q: cannot follow here\nhint: write `for 60s`, `for the next 60s` or `continuously`; also `from node2`, `on new connections`, `with a time-out of 2s`, `with \"body\"`", strings.TrimSpace(text)))
			break
		}
		switch {
		case m[1] != "":
			who := s.who(m[1])
			spec.From = &who
		case m[2] != "":
			spec.NewConns = true
		case m[3] != "":
			var d time.Duration
			d, err := lasting(m[0], m[3])
			s.keep(err)
			spec.Timeout = d
		case m[4] != "":
			spec.Body = s.quoted(m[4])
		case m[5] != "" && given:
			s.keep(errors.New("how long it is sent stands twice"))
		case m[5] == "continuously":
			given, spec.Continuously = true, true
		case m[5] != "":
			given, length = true, s.length(" "+m[5])
		case s.arg.Doc != nil:
			spec.Body = s.doc()
		default:
			spec.Headers = s.headers(s.arg.Table)
		}
		text = m[7]
	}
	if !given {
		s.keep(errors.New("how long it is sent is missing\nhint: write `for 60s`, `for the next 60s`, or `continuously` and later `the clients stop`"))
	}
	return length
}
