package steps

import (
	"fmt"
	"io"
	"strings"
)

// told is an error for godog: its words are without secrets, and what godog prints of it, with %+v at two or three
// places, is one line. The whole story is told once, at the run's end (reports.Closing).
type told struct {
	err  error
	text string
}

func (t *told) Error() string { return t.text }
func (t *told) Unwrap() error { return t.err }

// Format implements fmt.Formatter.
func (t *told) Format(s fmt.State, _ rune) {
	text := t.text
	if s.Flag('+') {
		text = brief(text)
	}
	_, _ = io.WriteString(s, text)
}

// briefly is how many letters godog prints of an error.
const briefly = 200

// brief is the first line of an error, without what leads on to the next.
func brief(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	if r := []rune(line); len(r) > briefly {
		return string(r[:briefly-1]) + "…"
	}
	return strings.TrimSuffix(line, ":")
}

// hide makes an error that godog may print.
func hide(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := err.(*told); ok { //nolint:errorlint // only what is told as a whole
		return err
	}
	return &told{err, current.redact(err.Error())}
}

// redact gives text without the values of secrets that the suite has met.
func (s *session) redact(text string) string {
	if s.suite == nil {
		return text
	}
	return s.suite.Record().Redact(text)
}
