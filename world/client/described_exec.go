package client

import (
	"context"
	"fmt"
	"strings"
	"time"

	"brine.test/brine/world/catalogue"
)

// program runs an action's program in the node's container and judges its exit code.
func (d *described) program(ctx context.Context, a *catalogue.Action, changes bool, data catalogue.OpData) reply {
	start := time.Now()
	if d.target.Exec == nil {
		return reply{Result: unsupported("running a program in " + d.target.Name)}
	}
	argv := make([]string, 0, len(a.Exec))
	for _, word := range a.Exec {
		text, err := word.Execute(data)
		if err != nil {
			return reply{Result: Result{Outcome: Failed, Err: fmt.Errorf("exec: %w", err)}}
		}
		argv = append(argv, text)
	}
	stdout, stderr, code, err := d.target.Exec(ctx, argv)
	switch {
	case ctx.Err() != nil:
		return reply{Result: noAnswer(ctx, start)}
	case err != nil:
		return reply{Result: Result{Outcome: Failed, Err: fmt.Errorf("run %s: %w", argv[0], err)}}
	}
	verdict := OK
	if code != 0 {
		verdict = Unknown
	}
	output := stderr
	if len(strings.TrimSpace(string(output))) == 0 {
		output = stdout
	}
	return judge(a, verdict, code, changes, answer{body: stdout}, fmt.Sprintf("%s: exit code %d%s", strings.Join(argv, " "), code, excerpt(output)))
}
