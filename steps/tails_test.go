package steps

import (
	"strings"
	"testing"
	"time"

	"brine.test/brine/world"
)

func TestParseBound(t *testing.T) {
	for tail, want := range map[string]world.Bound{
		"":                                 {},
		" within 10s":                      {Kind: world.Within, D: 10 * time.Second},
		" within 2 minutes":                {Kind: world.Within, D: 2 * time.Minute},
		" for 1m30s":                       {Kind: world.For, D: 90 * time.Second},
		" while node2 was isolated":        {Kind: world.While, While: "node2 was isolated"},
		" while the network was split for": {Kind: world.While, While: "the network was split for"},
	} {
		got, err := parseBound(tail)
		if err != nil || got != want {
			t.Errorf("%q: got %+v, %v, want %+v", tail, got, err, want)
		}
	}
	for tail, want := range map[string]string{
		" for the next 5s": "write `for 5s`",
		" within 0s":       "above zero",
		" within soon":     "soon",
		" for 5":           "needs a unit",
		" while":           "no time bound",
		" until noon":      "no time bound",
	} {
		refused(t, tail, want, second(parseBound(tail)))
	}
	refused(t, " within 10s", "could only look once", second(parseBoundOfNot(" within 10s")))
	if b, err := parseBoundOfNot(" for 5s"); err != nil || b.Kind != world.For {
		t.Errorf("not … for 5s: got %+v, %v", b, err)
	}
}

func TestParseLength(t *testing.T) {
	for tail, want := range map[string]world.Length{
		"":                        {},
		" for 5s":                 {Kind: world.ForWait, D: 5 * time.Second},
		" for the next 500ms":     {Kind: world.ForNext, D: 500 * time.Millisecond},
		" for the next 5 seconds": {Kind: world.ForNext, D: 5 * time.Second},
	} {
		got, err := parseLength(tail)
		if err != nil || got != want {
			t.Errorf("%q: got %+v, %v, want %+v", tail, got, err, want)
		}
	}
	for tail, want := range map[string]string{
		" within 10s":               "takes a length",
		" while node2 was isolated": "takes a length",
		" for the next":             "the next",
		" for 0s":                   "above zero",
	} {
		refused(t, tail, want, second(parseLength(tail)))
	}
}

func second[T any](_ T, err error) error { return err }

func refused(t *testing.T, text, want string, err error) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%q: got %v, want an error with %q", text, err, want)
	}
}
