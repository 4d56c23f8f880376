package catalogue

import (
	"errors"
	"fmt"
	"sort"
	"strings"
)

// maxErrors bounds how many mistakes of one file are listed.
const maxErrors = 10

// Error is one mistake in a service file.
type Error struct {
	File         string
	Line, Column int    // from 1
	Field        string // as ready.http.path or args[2]; "" for the file as a whole
	Problem      string // what is wrong
	Expected     string // what would be right; "" where Problem says it
	Hint         string // what to do; "" for nothing
}

// Error gives place, field, problem and expectation on one line, and the hint on a second.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: ", e.File, e.Line, e.Column)
	if e.Field != "" {
		fmt.Fprintf(&b, "%s: ", e.Field)
	}
	b.WriteString(e.Problem)
	if e.Expected != "" {
		fmt.Fprintf(&b, ", expected %s", e.Expected)
	}
	if e.Hint != "" {
		fmt.Fprintf(&b, "\nhint: %s", e.Hint)
	}
	return b.String()
}

// inOrder joins the mistakes in the order of the file.
func inOrder(mistakes []*Error) error {
	sort.SliceStable(mistakes, func(i, j int) bool { return mistakes[i].Line < mistakes[j].Line })
	var all []error
	for i, m := range mistakes {
		if i == maxErrors {
			all = append(all, fmt.Errorf("%s: and %d more", m.File, len(mistakes)-i))
			break
		}
		all = append(all, m)
	}
	return errors.Join(all...)
}
