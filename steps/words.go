package steps

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"brine.test/brine/world"
	"brine.test/brine/world/quantity"
	"brine.test/brine/world/selector"
)

// words reads what a sentence captured. The first mistake is kept, so that a step function reads everything it needs
// and asks once, in do.
type words struct {
	world *world.World
	arg   Argument
	dry   bool
	err   error
}

func read(ctx context.Context) *words {
	w, err := world.From(ctx)
	return &words{world: w, arg: argument(ctx), dry: ctx.Value(rehearsal{}) != nil, err: err}
}

// rehearsal marks a context in which sentences are read, and name what is there, but do nothing.
type rehearsal struct{}

// rehearse tells what is wrong with a sentence that is to be done later.
func rehearse(ctx context.Context, sentence string) error {
	return Dispatch(context.WithValue(ctx, rehearsal{}, true), sentence, Argument{})
}

// do calls the World when all words were right.
func (s *words) do(call func(*world.World) error) (err error) {
	defer func() { err = hide(err) }()
	defer recovered("the sentence", &err)
	if s.err != nil || s.dry {
		return s.err
	}
	return s.world.Explain(call(s.world))
}

func (s *words) keep(err error) {
	if s.err == nil {
		s.err = err
	}
}

// who reads a selector.
func (s *words) who(text string) selector.Selector {
	who, err := selector.Parse(text)
	s.keep(err)
	if s.dry && s.err == nil {
		s.keep(s.world.CheckNames(who))
	}
	return who
}

// data gives what stands between double quotes: "" is a quote, ${NAME} is replaced.
func (s *words) data(text string) string {
	return s.expand(strings.ReplaceAll(text, `""`, `"`))
}

// quoted is data with its double quotes still on.
func (s *words) quoted(text string) string {
	return s.data(strings.TrimSuffix(strings.TrimPrefix(text, `"`), `"`))
}

// doc gives the doc string under the sentence, ${NAME} replaced.
func (s *words) doc() string {
	text, err := s.arg.doc()
	s.keep(err)
	return s.expand(text)
}

func (s *words) expand(text string) string {
	if s.err != nil {
		return ""
	}
	out, err := s.world.Expand(text)
	s.keep(err)
	return out
}

// name reads a word that is to become a name.
func (s *words) name(text string) string {
	s.keep(selector.CheckName(text))
	return text
}

// number reads a whole number from 0 on.
func (s *words) number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		s.keep(fmt.Errorf("%s: expected a whole number that is not too large", text))
	}
	return n
}

// atLeastOne reads how many of something there are.
func (s *words) atLeastOne(text, what string) int {
	n := s.number(text)
	if n < 1 {
		s.keep(fmt.Errorf("%s: expected at least 1", what))
	}
	return n
}

func (s *words) share(text string) float64 {
	part, err := quantity.Share(text)
	s.keep(err)
	return part
}

func (s *words) bitRate(text string) uint64 {
	rate, err := quantity.BitRate(text)
	s.keep(err)
	return rate
}

func (s *words) duration(text string) time.Duration {
	d, err := quantity.Duration(text)
	s.keep(err)
	return d
}

// time reads a length of time above zero: what lasts, waits or comes late by nothing is a mistake.
func (s *words) time(text string) time.Duration {
	d := s.duration(text)
	if s.err == nil && d == 0 {
		s.keep(fmt.Errorf("%q: expected a length of time above zero", text))
	}
	return d
}

// bound reads the tail of a sentence that looks at the system.
func (s *words) bound(tail string) world.Bound {
	b, err := parseBound(tail)
	s.keep(err)
	return b
}

// boundOfWork reads the tail of a sentence about what clients did.
func (s *words) boundOfWork(tail string) world.Bound {
	b, err := parseBoundOfWork(tail)
	s.keep(err)
	return b
}

// boundOfNot reads the tail of a sentence that says that something did not happen.
func (s *words) boundOfNot(tail string) world.Bound {
	b, err := parseBoundOfNot(tail)
	s.keep(err)
	return b
}

// length reads the tail of a sentence that harms the system.
func (s *words) length(tail string) world.Length {
	l, err := parseLength(tail)
	s.keep(err)
	return l
}

// none refuses any tail, and says why.
func (s *words) none(tail, why string) {
	if tail != "" {
		s.keep(fmt.Errorf("%q: %s", strings.TrimSpace(tail), why))
	}
}
