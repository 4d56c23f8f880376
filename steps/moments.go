package steps

import (
	"context"

	"brine.test/brine/world"
)

// moments states the sentence that arms a harm.
func moments(sc Registrar) {
	sc.Step(`^(?:when )?the logs? of ([^"]+?) (contains?|match(?:es)?) "((?:[^"]|"")*)", (.+)$`, whenLog)
}

// whenLog arms a harm that waits for a line of a log: it is done within 50 ms of the first line that fits and is written
// from now on. One whose moment never comes fails the scenario at its end. The "when" may be the keyword.
//
//	when the log of node2 contains "x", node2 is killed
//	the log of node2 matches "x", node2 is isolated for 5s
func whenLog(ctx context.Context, who, how, want, sentence string) error {
	s := read(ctx)
	nodes, text := s.who(who), world.Text{Kind: comparisons[how], Want: s.data(want)}
	s.keep(harms(sentence))
	if s.err == nil {
		s.keep(rehearse(ctx, sentence))
	}
	return s.do(func(w *world.World) error {
		return w.OnLog(ctx, nodes, text, sentence, func(moment context.Context) error {
			return Dispatch(world.Into(moment, w), sentence, Argument{})
		})
	})
}
