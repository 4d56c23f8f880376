package steps

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"brine.test/brine/world"
	"brine.test/brine/world/selector"
)

// requests states the sentence that sends HTTP.
func requests(sc Registrar) {
	sc.Step(`^I (GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) "((?:[^"]|"")*)"( .+)?$`, request)
}

// request sends an HTTP request from the clients, or from inside a node's network. A doc string is the body, a table
// (name, value) the headers. A request that gets no answer is judged by the next sentence; "within" repeats it until
// there is an answer. Without a time-out an answer may take as long as the client waits.
//
//	I GET "http://node1:8080/x"
//	I GET "http://node1:8080/x" with a time-out of 2s
//	I GET "http://node1:8080/x" from node2 within 10s
//	I POST "http://node1:8080/x" with "v1"
//	I POST "http://node1:8080/x" with:
//	I PUT "http://node1:8080/x" from node2 with a time-out of 2s with:
func request(ctx context.Context, method, url, options string) error {
	s := read(ctx)
	r := world.HTTPRequest{Method: method, URL: s.data(url)}
	o, err := parseRequestOptions(options)
	s.keep(err)
	r.From, r.Timeout = o.from, o.timeout
	if o.body != "" {
		r.Body = s.quoted(o.body)
	}
	switch {
	case !o.argument:
	case s.arg.Doc != nil && o.body != "":
		s.keep(errors.New("the body stands twice: in quotes and under the sentence"))
	case s.arg.Doc != nil:
		r.Body = s.doc()
	default:
		r.Headers = s.headers(s.arg.Table)
	}
	return s.do(func(w *world.World) error { return w.Request(ctx, r, o.bound) })
}

// requestOptions are what may follow the URL, in any order, each once.
type requestOptions struct {
	from     *selector.Selector
	timeout  time.Duration // 0: the sentence has none
	bound    world.Bound
	body     string // with its quotes
	argument bool   // the body or the headers stand under the sentence
}

// option is the next option of a request: a group for what follows "from", "with a time-out of", a bound, a quoted body,
// and the announcement of a doc string or table.
var option = regexp.MustCompile(`^(?: from ([^":]+?)| with a time-?out of ([^":]+?)| ((?:within|for|while) [^":]+?)| with ("(?:[^"]|"")*")|( with(?: the)?(?: headers?| body)?:))((?: from| with| within| for| while) .*| with:|)$`)

func parseRequestOptions(text string) (requestOptions, error) {
	var o requestOptions
	for text != "" {
		m := option.FindStringSubmatch(text)
		if m == nil {
			return o, fmt.Errorf("%q: no part of a request\nhint: after the URL write `from node2`, `with a time-out of 2s`, `within 10s`, `with \"body\"`, or at the end `with:`", strings.TrimSpace(text))
		}
		var err error
		var twice bool
		switch text = m[6]; {
		case m[1] != "":
			var from selector.Selector
			from, err = selector.Parse(m[1])
			twice = o.from != nil
			o.from = &from
		case m[2] != "":
			twice = o.timeout != 0
			o.timeout, err = lasting(m[0], m[2])
		case m[3] != "":
			twice = o.bound.Kind != world.Now
			o.bound, err = parseBound(m[3])
			if err == nil && o.bound.Kind != world.Within {
				err = fmt.Errorf("%q: a request takes no such bound\nhint: write `within 10s`: it is repeated until there is an answer", m[3])
			}
		case m[4] != "":
			twice = o.body != ""
			o.body = m[4]
		default:
			twice = o.argument
			o.argument = true
			if text != "" {
				err = fmt.Errorf("%q: what announces the text under the sentence stands at its end", strings.TrimSpace(m[5]))
			}
		}
		if err == nil && twice {
			err = errors.New("a request takes each of its parts once")
		}
		if err != nil {
			return o, err
		}
	}
	return o, nil
}

// headers reads a table of names and values; a first row "header, value" or "name, value" is its heading.
func (s *words) headers(table [][]string) []world.Field {
	var fields []world.Field
	for i, row := range table {
		if len(row) != 2 {
			s.keep(fmt.Errorf("%d columns: expected two in a table of headers: name and value", len(row)))
			return nil
		}
		if title := strings.ToLower(row[0]); i == 0 && strings.EqualFold(row[1], "value") && (title == "header" || title == "name") {
			continue
		}
		fields = append(fields, world.Field{Name: s.expand(row[0]), Value: s.expand(row[1])})
	}
	return fields
}
