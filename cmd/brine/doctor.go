package main

import (
	"context"
	"os"

	"github.com/spf13/pflag"

	"brine.test/brine/world/doctor"
)

// runDoctor looks at the machine; it fails if something essential is missing.
func runDoctor(ctx context.Context, flags *pflag.FlagSet, args []string) int {
	if code, goOn := parse(named("doctor"), flags, args); !goOn {
		return code
	}
	checks := doctor.Run(ctx, doctor.Options{})
	showChecks(os.Stdout, checks, colours(os.Stdout))
	for _, c := range checks {
		if c.Essential && c.Status == doctor.Missing {
			return exitFail
		}
	}
	return exitOK
}
