// Command benchtable passes the output of `go test -bench` through and prints at
// its end what it means: a table of the speeds and accuracies that Brine aims at,
// what was measured, and whether the aim was met. A missed aim is no failure: on a
// busy machine all times are longer, and only the ratios mean something.
//
//	go test -run '^$' -bench . ./... | go run ./.ci/benchtable
package main

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func main() {
	m, err := read(os.Stdin, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchtable:", err)
		os.Exit(1)
	}
	m.print(os.Stdout, table)
}

// measured are the values of a run by "package Benchmark/sub unit", as they came:
// several where a benchmark ran several times.
type measured map[string][]float64

// The number of processors ends the name of each benchmark, if it is above one.
var procs = regexp.MustCompile(`-\d+$`)

func read(from io.Reader, to io.Writer) (measured, error) {
	m, pkg := measured{}, ""
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		fmt.Fprintln(to, lines.Text())
		if name, ok := strings.CutPrefix(lines.Text(), "pkg: brine.test/brine/"); ok {
			pkg = name
			continue
		}
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name := procs.ReplaceAllString(strings.TrimPrefix(fields[0], "Benchmark"), "")
		for i := 2; i+1 < len(fields); i += 2 {
			if v, err := strconv.ParseFloat(fields[i], 64); err == nil {
				key := pkg + " " + name + " " + fields[i+1]
				m[key] = append(m[key], v)
			}
		}
	}
	return m, lines.Err()
}

// median is that of all values of a key.
func (m measured) median(key string) (float64, bool) {
	all := slices.Sorted(slices.Values(m[key]))
	if len(all) == 0 {
		return 0, false
	}
	return all[len(all)/2], true
}

// of is a row's value, in its unit.
func (m measured) of(r row) (float64, bool) {
	v, ok := m.median(r.key)
	if r.scale != 0 {
		v *= r.scale
	}
	if r.per == "" {
		return v, ok
	}
	per, also := m.median(r.per)
	return v / per, ok && also && per != 0
}

func (m measured) print(to io.Writer, table []row) {
	met, missed, absent := 0, 0, 0
	fmt.Fprintf(to, "\n%s\n%-62s %12s   %s\n", legend, "", "measured", "aim")
	for _, r := range table {
		if r.key == "" {
			fmt.Fprintf(to, "\n%s\n", r.what)
			if r.about != "" {
				fmt.Fprintln(to, r.about)
			}
			continue
		}
		v, ok := m.of(r)
		if !ok {
			absent++
			fmt.Fprintf(to, "  %-60s %12s   %s\n", r.what, "–", r.aim())
			continue
		}
		verdict := ""
		switch {
		case !r.met(v):
			missed++
			verdict = "  MISSED"
		case r.aim() != "":
			met++
			verdict = "  met"
		}
		unit := r.unit
		if unit == "" {
			unit = "×"
		}
		line := fmt.Sprintf("  %-60s %12s   %s%s", r.what, short(v)+" "+unit, r.aim(), verdict)
		fmt.Fprintln(to, strings.TrimRight(line, " "))
	}
	fmt.Fprintf(to, "\n%d aims met, %d missed, %d not measured.\n", met, missed, absent)
}

const legend = `Measured, and what Brine aims at. A value in × is a ratio of two that were measured side by side in this run;
it holds on other machines too. Times and rates are this machine's, and other work on it makes them worse.`

// short is a number with two digits that mean something, and no more.
func short(v float64) string {
	if v == 0 {
		return "0"
	}
	v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', 2, 64), 64)
	return strconv.FormatFloat(v, 'f', max(0, 1-int(math.Floor(math.Log10(math.Abs(v))))), 64)
}
