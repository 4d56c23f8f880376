package steps

import (
	"context"

	"brine.test/brine/world"
)

// commands states the sentences that run programs in containers.
func commands(sc Registrar) {
	sc.Step(`^I run "((?:[^"]|"")*)" (?:on|in) ([^"]+?)( (?:within|for|while) .+)?$`, runLine)
	sc.Step(`^I run (?:on|in) ([^"]+?)( (?:within|for|while) [^"]+)?:$`, runDoc)
	sc.Step(`^the command (succeeds|fails)( (?:within|for|while) .+)?$`, commandSucceeds)
	sc.Step(`^its exit code is (\d+)( (?:within|for|while) .+)?$`, exitCode)
	sc.Step(`^its (error )?output (contains|matches|does not contain) "((?:[^"]|"")*)"( (?:within|for|while) .+)?$`, output)
	sc.Step(`^its (error )?output (contains|matches|does not contain)( (?:within|for|while) [^"]+)?:$`, outputDoc)
}

// runLine runs a program inside the container of a node's service: words split as a shell does, but no shell. How it ended
// is for the next sentences; "within" repeats it until it succeeds.
//
//	I run "etcdctl endpoint health" on node1
//	I run "redis-cli ping" in redis on node1
//	I run "etcdctl endpoint health" on node1 within 10s
func runLine(ctx context.Context, line, on, tail string) error {
	s := read(ctx)
	command, who, bound := s.data(line), s.who(on), s.bound(tail)
	return s.do(func(w *world.World) error { return w.RunCommand(ctx, command, who, bound) })
}

// runDoc runs the program in the doc string.
//
//	I run on node1:
//	I run in redis on node1 within 10s:
func runDoc(ctx context.Context, on, tail string) error {
	s := read(ctx)
	command, who, bound := s.doc(), s.who(on), s.bound(tail)
	return s.do(func(w *world.World) error { return w.RunCommand(ctx, command, who, bound) })
}

// ofCommand looks at how the last command ended. With a time bound the command is run again before each further look.
func (s *words) ofCommand(ctx context.Context, b world.Bound, look func(context.Context, *world.World) error) error {
	return s.do(func(w *world.World) error {
		return w.Check(ctx, b, again(w.RunCommandAgain, func(ctx context.Context) error { return look(ctx, w) }))
	})
}

// commandSucceeds: the last command ended with exit code 0; or with another one. With a time bound the command is run
// again for every further look (so do all sentences about the command).
//
//	the command succeeds
//	the command succeeds within 10s
//	the command fails
func commandSucceeds(ctx context.Context, how, tail string) error {
	s := read(ctx)
	bound := s.bound(tail)
	return s.ofCommand(ctx, bound, func(ctx context.Context, w *world.World) error {
		if how == "fails" {
			return w.CommandFails(ctx)
		}
		return w.CommandSucceeds(ctx)
	})
}

// exitCode compares the last command's exit code.
//
//	its exit code is 2
func exitCode(ctx context.Context, code, tail string) error {
	s := read(ctx)
	n, bound := s.number(code), s.bound(tail)
	return s.ofCommand(ctx, bound, func(ctx context.Context, w *world.World) error { return w.CommandExit(ctx, n) })
}

// output looks for text, or a regular expression (RE2), in the last command's output or error output.
//
//	its output contains "…"
//	its output does not contain "…"
//	its error output matches "regexp"
func output(ctx context.Context, stderr, how, want, tail string) error {
	s := read(ctx)
	text := world.Text{Kind: comparisons[how], Want: s.data(want)}
	return s.output(ctx, text, stderr, tail)
}

// outputDoc looks for the doc string in the last command's output or error output.
//
//	its output contains:
func outputDoc(ctx context.Context, stderr, how, tail string) error {
	s := read(ctx)
	text := world.Text{Kind: comparisons[how], Want: s.doc()}
	return s.output(ctx, text, stderr, tail)
}

func (s *words) output(ctx context.Context, text world.Text, stderr, tail string) error {
	bound := s.boundOf(text, tail)
	return s.ofCommand(ctx, bound, func(ctx context.Context, w *world.World) error { return w.CommandOutput(ctx, text, stderr != "") })
}
