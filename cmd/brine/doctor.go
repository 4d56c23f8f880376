package main

import (
	"context"
	"os"
	"slices"

	"github.com/spf13/pflag"

	"brine.test/brine/world/doctor"
)

// runDoctor looks at the machine; it fails if something essential is missing, or
// something that --require names is not there.
func runDoctor(ctx context.Context, flags *pflag.FlagSet, args []string) int {
	require := flags.StringSlice("require", nil, "names of the first column that must be ok as well")
	if code, goOn := parse(named("doctor"), flags, args); !goOn {
		return code
	}
	checks := doctor.Run(ctx, doctor.Options{})
	showChecks(os.Stdout, checks, colours(os.Stdout))
	code := exitOK
	for _, c := range checks {
		if c.Essential && c.Status == doctor.Missing {
			code = exitFail
		}
	}
	for _, name := range *require {
		if !slices.ContainsFunc(checks, func(c doctor.Check) bool { return c.Name == name && c.Status == doctor.OK }) {
			complain("doctor: %s is required, and not ok", name)
			code = exitFail
		}
	}
	return code
}
