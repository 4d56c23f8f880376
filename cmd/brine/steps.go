package main

import (
	"context"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"brine.test/brine/steps"
)

// printSteps prints the catalogue of sentences, or those that have a word in them.
func printSteps(_ context.Context, flags *pflag.FlagSet, args []string) int {
	patterns := flags.Bool("patterns", false, "print the regular expressions too")
	if code, goOn := parse(named("steps"), flags, args); !goOn {
		return code
	}
	word := strings.ToLower(strings.Join(flags.Args(), " "))
	var found []*steps.Sentence
	for _, s := range steps.Catalogue() {
		text := strings.ToLower(strings.Join(append([]string{s.Section, s.Doc}, s.Examples...), "\n"))
		if strings.Contains(text, word) {
			found = append(found, s)
		}
	}
	if len(found) == 0 {
		complain("steps: no sentence has %q in it", word)
		return exitFail
	}
	showSentences(os.Stdout, found, *patterns, colours(os.Stdout))
	return exitOK
}
