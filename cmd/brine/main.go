// Command brine runs acceptance tests for distributed systems that are written in
// plain English, and tells what the machine and the language offer.
//
//	brine run features/etcd      run features, as go test does
//	brine shrink x.feature:12    the faults that matter to a scenario that fails
//	brine report out1 out2       one report of several runs
//	brine doctor                 what this machine offers and lacks
//	brine steps leader           the sentences that a feature may use
//	brine version
//
// All that a person reads is in tui.go and doctor_view.go.
package main

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/pflag"
)

// Exit codes.
const (
	exitOK    = 0
	exitFail  = 1 // a scenario failed; something essential is missing
	exitUsage = 2 // the command line was not understood
)

// A command is one of brine's subcommands.
type command struct {
	name  string
	args  string // what may follow the name, for the usage
	brief string
	// run parses what follows the name with flags and does the work; it returns the exit code.
	run func(ctx context.Context, flags *pflag.FlagSet, args []string) int
}

func commands() []command {
	return []command{
		{"run", "[features…]", "run features: files, folders, file.feature:line", runFeatures},
		{"shrink", "feature:line", "find the random faults that matter to a scenario that fails", shrinkFaults},
		{"report", "DIR…", "make one report of several runs, and compare it with an earlier one", mergeReports},
		{"doctor", "", "tell what this machine offers, lacks, and how to mend it", runDoctor},
		{"steps", "[word]", "print the sentences that a feature may use", printSteps},
		{"version", "", "print the version, and those of the engine", printVersion},
	}
}

func main() { os.Exit(program(os.Args[1:])) }

// program runs the subcommand that args name and returns the exit code.
func program(args []string) int {
	if len(args) == 0 {
		usage(os.Stderr)
		return exitUsage
	}
	switch args[0] {
	case "help", "--help", "-h":
		usage(os.Stdout)
		return exitOK
	case "--version":
		args = []string{"version"}
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.run(context.Background(), newFlags(c), args[1:])
		}
	}
	complain("unknown command %q", args[0])
	usage(os.Stderr)
	return exitUsage
}

// newFlags makes an empty set of flags that reports to the caller.
func newFlags(c command) *pflag.FlagSet {
	flags := pflag.NewFlagSet(c.name, pflag.ContinueOnError)
	flags.SortFlags = false
	flags.Usage = func() {} // parse prints it where it belongs
	flags.SetOutput(os.Stderr)
	return flags
}

// parse parses a subcommand's flags. If it returns false the command is over, with
// that exit code: help was asked for, or the line was not understood.
func parse(c command, flags *pflag.FlagSet, args []string) (code int, goOn bool) {
	err := flags.Parse(args)
	if err == nil {
		if c.args == "" && flags.NArg() > 0 {
			err = errors.New("takes no arguments, got " + flags.Arg(0))
		} else {
			return exitOK, true
		}
	}
	if errors.Is(err, pflag.ErrHelp) {
		usageOf(os.Stdout, c, flags)
		return exitOK, false
	}
	complain("%s: %v", c.name, err)
	usageOf(os.Stderr, c, flags)
	return exitUsage, false
}

// named finds a subcommand that is known to exist.
func named(name string) command {
	for _, c := range commands() {
		if c.name == name {
			return c
		}
	}
	return command{name: name}
}
