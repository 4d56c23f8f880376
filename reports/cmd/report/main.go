// Command report makes one report of the records of several runs, and shows what changed since an earlier one.
//
//	go run ./reports/cmd/report -out merged -before last-night/out shard1/out shard2/out
package main

import (
	"flag"
	"fmt"
	"os"

	"brine.test/brine/reports"
)

func main() {
	out := flag.String("out", "out", "folder that the report is written into")
	before := flag.String("before", "", "output folder of an earlier run to compare with")
	flag.Parse()
	ok, err := reports.Combine(os.Stdout, *out, *before, flag.Args()...)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}
