package main

import (
	"context"
	"os"

	"github.com/spf13/pflag"

	"brine.test/brine/reports"
)

// mergeReports makes one report of the records of several runs, of machines or
// shards, and shows what changed since an earlier one.
func mergeReports(_ context.Context, flags *pflag.FlagSet, args []string) int {
	out := flags.String("out", "merged", "folder that the report is written into")
	before := flags.StringSlice("before", nil, "output folder of an earlier run to compare with, or several of its shards: newly failing, fixed, slower")
	if code, goOn := parse(named("report"), flags, args); !goOn {
		return code
	}
	if flags.NArg() == 0 {
		complain("report: expected the output folders of one or more runs, each with its events.jsonl")
		return exitUsage
	}
	ok, err := reports.Combine(os.Stdout, *out, *before, flags.Args()...)
	switch {
	case err != nil:
		complain("report: %v", err)
		return exitUsage
	case !ok:
		return exitFail
	}
	return exitOK
}
