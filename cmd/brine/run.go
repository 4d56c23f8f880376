package main

import (
	"context"

	"github.com/spf13/pflag"

	"brine.test/brine/steps"
)

// runFeatures runs features as `go test` would: the environment says what the
// flags leave out.
func runFeatures(_ context.Context, flags *pflag.FlagSet, args []string) int {
	sel, err := steps.SelectionFromEnv()
	if err != nil {
		complain("%v", err)
		return exitUsage
	}
	flags.StringVar(&sel.Tags, "tags", sel.Tags, "only scenarios that match this tag expression: \"@fast and not @wip\"")
	flags.StringVar(&sel.Name, "name", sel.Name, "only scenarios whose name matches this regular expression")
	flags.Uint64Var(&sel.Seed, "seed", sel.Seed, "seed of all that is chosen at random, as a report shows it (default: drawn)")
	flags.IntVar(&sel.Concurrency, "concurrency", max(sel.Concurrency, 1), "scenarios at the same time")
	flags.StringVar(&sel.Out, "out", or(sel.Out, "out"), "folder for the report and the artifacts")
	flags.StringVar(&sel.Schedule, "schedule", sel.Schedule, "schedule of random faults to replay, as a run leaves it among a scenario's artifacts")
	if code, goOn := parse(named("run"), flags, args); !goOn {
		return code
	}
	if sel.Concurrency < 1 {
		complain("run: --concurrency=%d: expected a number from 1 on", sel.Concurrency)
		return exitUsage
	}
	if flags.NArg() > 0 {
		sel.Features = flags.Args()
	}
	return steps.Run(sel)
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
