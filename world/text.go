package world

import (
	"fmt"
	"regexp"
	"strings"
)

// TextKind says how a sentence compares text.
type TextKind int

const (
	// Contains wants the text somewhere.
	Contains TextKind = iota
	// Matches wants the regular expression (RE2) somewhere.
	Matches
	// DoesNotContain wants the text nowhere.
	DoesNotContain
)

// Text is what a sentence wants of an output, a log or a body.
type Text struct {
	Kind TextKind
	Want string
}

// finder compiles the text to a test of one piece of output.
func (t Text) finder() (func(string) bool, error) {
	if t.Kind != Matches {
		return func(s string) bool { return strings.Contains(s, t.Want) }, nil
	}
	re, err := regexp.Compile(t.Want)
	if err != nil {
		return nil, fmt.Errorf("%q: expected a regular expression: %w", t.Want, err)
	}
	return re.MatchString, nil
}

// check judges a whole output.
func (t Text) check(s string) error {
	find, err := t.finder()
	if err != nil {
		return err
	}
	if find(s) == (t.Kind != DoesNotContain) {
		return nil
	}
	return fmt.Errorf("expected %s, got %s", t, orNothing(clip(s)))
}

// String says what is wanted.
func (t Text) String() string {
	switch t.Kind {
	case Matches:
		return fmt.Sprintf("a match of %q", t.Want)
	case DoesNotContain:
		return fmt.Sprintf("no %q", t.Want)
	}
	return fmt.Sprintf("%q", t.Want)
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}
