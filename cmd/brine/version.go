package main

import (
	"context"
	"os"
	"runtime/debug"

	"github.com/spf13/pflag"

	"brine.test/brine/containers/engine"
)

// version is set by the linker (make build); a build of a released module knows
// it without.
var version string

func printVersion(_ context.Context, flags *pflag.FlagSet, args []string) int {
	if code, goOn := parse(named("version"), flags, args); !goOn {
		return code
	}
	if info, ok := debug.ReadBuildInfo(); ok && version == "" {
		version = info.Main.Version
	}
	showVersion(os.Stdout, or(version, "(devel)"), engine.Versions())
	return exitOK
}
