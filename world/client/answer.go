package client

import (
	"fmt"
	"net/http"
	"strings"

	"brine.test/brine/world/catalogue"
)

// answer is what a node said: an HTTP answer, or a program's output.
type answer struct {
	body    []byte // or standard output
	header  http.Header
	isHTTP  bool
	nothing bool // there is no value, as the answer's code says
}

// value takes a value out of the answer; found is false where there is none. One line end at the end of a text is not
// part of it. A program that prints nothing found nothing.
func (a answer) value(where *catalogue.Value) (value string, found bool, err error) {
	switch where.From {
	case catalogue.FromJSON:
		value, found, err = where.Path.Find(a.body)
		if err != nil {
			return "", false, fmt.Errorf("value at %q: %w%s", where.Path, err, excerpt(a.body))
		}
		return value, found, nil
	case catalogue.FromHeader:
		values := a.header.Values(where.Header)
		if len(values) == 0 {
			return "", false, nil
		}
		return values[0], true, nil
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(a.body), "\n"), "\r")
	return text, a.isHTTP || len(a.body) > 0, nil
}

// excerptLength is how much of an answer an error shows.
const excerptLength = 200

// excerpt is the beginning of an answer on one line, for errors: ": …".
func excerpt(body []byte) string {
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(body[:min(len(body), 4*excerptLength)]), "?")), " ")
	if text == "" {
		return ""
	}
	if runes := []rune(text); len(runes) > excerptLength {
		text = string(runes[:excerptLength]) + "…"
	}
	return ": " + text
}
