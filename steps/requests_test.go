package steps

import (
	"testing"
	"time"

	"brine.test/brine/world"
)

func TestParseRequestOptions(t *testing.T) {
	for text, want := range map[string]struct {
		from     string
		timeout  time.Duration
		within   time.Duration
		body     string
		argument bool
	}{
		"":                                      {},
		" from node2":                           {from: "node2"},
		" from the leader with a timeout of 2s": {from: "the leader", timeout: 2 * time.Second},
		" with a time-out of 2s from node2 within 10s": {
			from: "node2", timeout: 2 * time.Second, within: 10 * time.Second,
		},
		" within 10s with a time-out of 500ms": {timeout: 500 * time.Millisecond, within: 10 * time.Second},
		" with:":                               {argument: true},
		" with headers:":                       {argument: true},
		" with the headers:":                   {argument: true},
		` with "a ""b"" within 3s: x" within 10s`: {
			body: `"a ""b"" within 3s: x"`, within: 10 * time.Second,
		},
		` from node2 with "x" with:`:              {from: "node2", body: `"x"`, argument: true},
		" from node2 with a time-out of 2s with:": {from: "node2", timeout: 2 * time.Second, argument: true},
		" within 10s from node1 with a time-out of 1m30s with:": {
			from: "node1", timeout: 90 * time.Second, within: 10 * time.Second, argument: true,
		},
	} {
		o, err := parseRequestOptions(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		from := ""
		if o.from != nil {
			from = o.from.String()
		}
		if from != want.from || o.timeout != want.timeout || o.bound.D != want.within || o.body != want.body || o.argument != want.argument {
			t.Errorf("%q: got %+v from %q, want %+v", text, o, from, want)
		}
		if want.within != 0 && o.bound.Kind != world.Within {
			t.Errorf("%q: bound %+v", text, o.bound)
		}
	}
	for text, want := range map[string]string{
		" from node1 from node2":  "each of its parts once",
		" for 5s":                 "takes no such bound",
		" while node2 was paused": "takes no such bound",
		" quickly":                "no part of a request",
		" with: from node2":       "at its end",
		" from the leadr":         "neither a name",
		" with a time-out of 2":   "needs a unit",
		` with "a" with "b"`:      "each of its parts once",
	} {
		refused(t, text, want, second(parseRequestOptions(text)))
	}
}
