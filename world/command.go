package world

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kballard/go-shellquote"

	"brine.test/brine/containers"
	"brine.test/brine/world/record"
	sel "brine.test/brine/world/selector"
)

// command is the last command that a sentence ran.
type command struct {
	line           string
	args           []string
	on             *Service
	code           int
	stdout, stderr string
}

func (c *command) String() string {
	return fmt.Sprintf("%q on %s exited with code %d\noutput: %s\nerror output: %s",
		c.line, c.on.node.Name, c.code, orNothing(clip(c.stdout)), orNothing(clip(c.stderr)))
}

// RunCommand runs a program inside a service's container, words split as a
// shell does but no shell. Its outcome is for the sentences that follow; with
// "within" it is repeated until its exit code is 0.
func (w *World) RunCommand(ctx context.Context, line string, on sel.Selector, b Bound) error {
	args, err := shellquote.Split(line)
	if err != nil {
		return fmt.Errorf("%q: %w", line, err)
	}
	if len(args) == 0 {
		return fmt.Errorf("%q: expected a program and its arguments", line)
	}
	n, err := w.One(ctx, on)
	if err != nil {
		return err
	}
	s, err := n.service(on.Service)
	if err != nil {
		return err
	}
	if b.Kind == Now {
		if w.frozen(n) {
			return fmt.Errorf("%s: is paused until a sentence resumes it, so no command could begin there\nhint: say `%s resumes` before it, or let it be paused `for the next 5s`", n.Name, n.Name)
		}
		_, err := w.runOn(ctx, s, line, args)
		return err
	}
	return w.Check(ctx, b, func(ctx context.Context) error {
		c, err := w.runOn(ctx, s, line, args)
		if err != nil {
			return err
		}
		if c.code != 0 {
			return errors.New(c.String())
		}
		return nil
	})
}

// runOn runs a command and keeps its outcome for the sentences that follow.
func (w *World) runOn(ctx context.Context, s *Service, line string, args []string) (*command, error) {
	res, err := w.exec(ctx, s, args)
	if err != nil {
		return nil, err
	}
	c := &command{line: line, args: args, on: s, code: res.Code, stdout: string(res.Stdout), stderr: string(res.Stderr)}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.command = c
	return c, nil
}

// exec runs a program in a service's container and records it.
func (w *World) exec(ctx context.Context, s *Service, args []string) (containers.ExecResult, error) {
	began, start := time.Now(), w.suite.rec.Now()
	res, err := s.box.Exec(ctx, containers.ExecSpec{Args: args})
	c := record.Command{
		Node: s.node.Name, Service: s.Name, Args: args, Code: res.Code,
		Stdout: string(res.Stdout), Stderr: string(res.Stderr), Start: start.Mono, Took: time.Since(began),
	}
	if err != nil {
		c.Error = err.Error()
	}
	w.rec.Command(c)
	return res, err
}

func (w *World) lastCommand() (*command, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.command == nil {
		return nil, errors.New("no command was run yet\nhint: say When I run \"…\" on node1 before it")
	}
	return w.command, nil
}

// CommandSucceeds holds when the last command's exit code was 0.
func (w *World) CommandSucceeds(ctx context.Context) error { return w.CommandExit(ctx, 0) }

// CommandFails holds when the last command's exit code was not 0.
func (w *World) CommandFails(_ context.Context) error {
	c, err := w.lastCommand()
	if err != nil {
		return err
	}
	if c.code == 0 {
		return fmt.Errorf("expected the command to fail: %s", c)
	}
	return nil
}

// CommandExit compares the last command's exit code.
func (w *World) CommandExit(_ context.Context, want int) error {
	c, err := w.lastCommand()
	if err != nil {
		return err
	}
	if c.code != want {
		return fmt.Errorf("expected exit code %d: %s", want, c)
	}
	return nil
}

// CommandOutput looks at the last command's output, or its error output.
func (w *World) CommandOutput(_ context.Context, t Text, stderr bool) error {
	c, err := w.lastCommand()
	if err != nil {
		return err
	}
	out, what := c.stdout, "output"
	if stderr {
		out, what = c.stderr, "error output"
	}
	if err := t.check(out); err != nil {
		return fmt.Errorf("%s: %w\n%s", what, err, c)
	}
	return nil
}
