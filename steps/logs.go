package steps

import (
	"context"

	"brine.test/brine/world"
)

// logs states the sentences about what services wrote.
func logs(sc Registrar) {
	sc.Step(`^the logs? of ([^"]+?) (contains?|match(?:es)?|(?:does|do) not contain) "((?:[^"]|"")*)"( (?:within|for|while) .+)?$`, logOf)
	sc.Step(`^the logs? of ([^"]+?) (contains?|match(?:es)?|(?:does|do) not contain)( (?:within|for|while) [^"]+)?:$`, logOfDoc)
}

// comparisons are the ways in which text is compared, in both numbers.
var comparisons = map[string]world.TextKind{
	"contains": world.Contains, "contain": world.Contains,
	"matches": world.Matches, "match": world.Matches,
	"does not contain": world.DoesNotContain, "do not contain": world.DoesNotContain,
}

// logOf looks for text, or a regular expression (RE2), in a line that the nodes' services wrote to standard output or
// standard error since the scenario began.
//
//	the log of node2 contains "…" within 10s
//	the log of node2 matches "regexp"
//	the log of node2 does not contain "…" for 5s
func logOf(ctx context.Context, who, how, want, tail string) error {
	s := read(ctx)
	return s.log(ctx, who, world.Text{Kind: comparisons[how], Want: s.data(want)}, tail)
}

// logOfDoc looks for the doc string.
//
//	the log of node2 contains:
//	the log of node2 contains within 10s:
func logOfDoc(ctx context.Context, who, how, tail string) error {
	s := read(ctx)
	return s.log(ctx, who, world.Text{Kind: comparisons[how], Want: s.doc()}, tail)
}

func (s *words) log(ctx context.Context, who string, text world.Text, tail string) error {
	nodes, bound := s.who(who), s.boundOf(text, tail)
	return s.do(func(w *world.World) error { return w.Log(ctx, nodes, text, bound) })
}

// boundOf reads the tail of a sentence that compares text.
func (s *words) boundOf(text world.Text, tail string) world.Bound {
	if text.Kind == world.DoesNotContain {
		return s.boundOfNot(tail)
	}
	return s.bound(tail)
}
