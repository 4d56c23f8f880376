package steps

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// steady states the sentences about a steady state.
func steady(sc Registrar) {
	sc.Step(`^the steady state "((?:[^"]|"")*)":$`, steadyState)
	sc.Step(`^the steady state holds( (?:within|for|while) .+)?$`, steadyStateHolds)
}

// steadyState states what is normal, as sentences under it, a line each. They are checked at once, and again after the
// last step. When they do not hold at once the test could not begin; when they do not hold after, the harm was felt: the
// hypothesis failed.
//
//	the steady state "stays fast":
func steadyState(ctx context.Context, name string) error {
	s := read(ctx)
	title := s.data(name)
	lines := sentencesOf(s.doc())
	if s.err == nil {
		s.keep(sound(lines))
	}
	check := func(ctx context.Context) error {
		for _, line := range lines {
			if err := Dispatch(ctx, line, Argument{}); err != nil {
				return fmt.Errorf("%s: %w", line, err)
			}
		}
		return nil
	}
	if s.err != nil {
		return s.err
	}
	return s.world.SteadyState(ctx, title, check) // its sentences tell of the harm that was on
}

// steadyStateHolds checks every steady state of the scenario now.
//
//	the steady state holds
//	the steady state holds within 10s
//	the steady state holds for 5s
func steadyStateHolds(ctx context.Context, tail string) error {
	s := read(ctx)
	bound := s.bound(tail)
	if s.err != nil {
		return s.err
	}
	return s.world.SteadyStateHolds(ctx, bound)
}

var keyword = regexp.MustCompile(`^(?:Given|When|Then|And|But|\*) `)

// sentencesOf gives the sentences of a doc string, a line each, without their keywords; # begins a remark.
func sentencesOf(doc string) []string {
	var out []string
	for line := range strings.Lines(doc) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "#") {
			out = append(out, keyword.ReplaceAllString(line, ""))
		}
	}
	return out
}

// sound refuses a steady state that says nothing, has a sentence with no meaning, or changes what it looks at.
func sound(lines []string) error {
	if len(lines) == 0 {
		return errors.New("a steady state without a sentence\nhint: put sentences between two lines of \"\"\", such as: the p99 latency of HTTP requests to consumer is below 300ms")
	}
	var errs []error
	for _, line := range lines {
		m, err := only(line)
		switch {
		case err != nil:
			errs = append(errs, err)
		case strings.HasSuffix(line, ":"):
			errs = append(errs, fmt.Errorf("`%s`: a sentence with text under it cannot stand in a steady state", line))
		case m.Sentence.Harms:
			errs = append(errs, fmt.Errorf("`%s`: harms: a steady state only looks", line))
		}
	}
	return errors.Join(errs...)
}
