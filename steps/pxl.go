package steps

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"brine.test/brine/observe/tolerance"
	"brine.test/brine/world"
)

// pxlScripts states the sentences that run PxL scripts and judge their results.
func pxlScripts(sc Registrar) {
	sc.Step(`^I run the PxL script "((?:[^"]|"")*)"$`, runPxLFile)
	sc.Step(`^I run the PxL script:$`, runPxL)
	sc.Step(`^the (median|\d+(?:st|nd|rd|th) percentile) of column "((?:[^"]|"")*)"((?: in (?:seconds|milliseconds|microseconds)| in table "(?:[^"]|"")*"| where "(?:[^"]|"")*" matches "(?:[^"]|"")*")*) is (below|above|at most|at least) (-?\d+(?:\.\d+)?)((?: in (?:seconds|milliseconds|microseconds)| in table "(?:[^"]|"")*"| where "(?:[^"]|"")*" matches "(?:[^"]|"")*")*)( (?:within|for|while) .+)?$`, judgeColumn)
}

// runPxLFile runs a script of PxL, the language of Pixie, on the traffic seen in this scenario: its tables http_events,
// conn_stats and dns_events have Pixie's columns. What the script displays are artifacts.
//
//	I run the PxL script "latency.py"
func runPxLFile(ctx context.Context, path string) error {
	s := read(ctx)
	file := s.data(path)
	return s.do(func(w *world.World) error { return w.RunPxLFile(ctx, file) })
}

// runPxL runs the script that stands under the sentence.
//
//	I run the PxL script:
func runPxL(ctx context.Context) error {
	s := read(ctx)
	source := s.doc()
	return s.do(func(w *world.World) error { return w.RunPxL(ctx, "script", source) })
}

// judgeColumn judges a column of the last script's result as chaostoolkit-pixie does: the percentile is that of Python's
// statistics.quantiles (n=100), the bound is included, too few values fail. "Where" takes the rows in whose column the
// regular expression (RE2) matches somewhere. With a bound of time the script runs again for each look.
//
//	the 99th percentile of column "latency_p99" in milliseconds is below 300
//	the median of column "requests" in table "output" is above 10
//	the median of column "latency_p50" is at most 20 in table "output" where "service" matches "default/.*"
//	the median of column "latency_p50" in milliseconds where "service" matches "default/.*" is below 20
func judgeColumn(ctx context.Context, stat, column, options, than, limit, more, tail string) error {
	s := read(ctx)
	t := world.Tolerance{Rule: tolerance.Rule{Column: s.data(column), Below: below(than)}}
	if digits, _, ok := strings.Cut(stat, " "); ok {
		t.Rule.Percentile = s.number(digits[:len(digits)-2])
		if t.Rule.Percentile < 1 || t.Rule.Percentile > 99 {
			s.keep(fmt.Errorf("%s: expected the 1st to the 99th percentile", stat))
		}
	}
	value, err := strconv.ParseFloat(limit, 64)
	s.keep(err)
	t.Rule.Threshold = value
	for _, m := range columnOption.FindAllStringSubmatch(options+more, -1) {
		switch {
		case m[1] != "":
			t.Rule.Unit = m[1]
		case m[2] != "":
			t.Table = s.quoted(m[2])
		default:
			t.Rule.Target = &tolerance.Target{Column: s.quoted(m[3]), Pattern: s.quoted(m[4]), Strict: true}
		}
	}
	bound := s.bound(tail)
	return s.do(func(w *world.World) error { return w.Judge(ctx, t, bound) })
}

var columnOption = regexp.MustCompile(` in (seconds|milliseconds|microseconds)| in table ("(?:[^"]|"")*")| where ("(?:[^"]|"")*") matches ("(?:[^"]|"")*")`)
