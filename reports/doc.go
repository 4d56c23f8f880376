// Package reports renders a run's record for people and for other tools. It reads the record and the artifacts beside it,
// and nothing else; it owns the files that it writes into the output folder.
//
//	out/events.jsonl ─┬─► report.html      one file, no network: what broke, when, under which harm
//	out/artifacts/… ──┤   junit.xml        CI readers
//	                  ├─► cucumber.json    Cucumber's older JSON
//	                  ├─► messages.ndjson  Cucumber Messages
//	                  └─► $GITHUB_STEP_SUMMARY, annotations, the console's closing lines
//
//	run, err := record.Read("out/events.jsonl")
//	if err != nil { … }
//	err = reports.Write("out", run)
//	reports.Closing(os.Stdout, "out", run)
//
// While a run goes on, a Console that listens to the recorder shows what takes long. Combine merges the records of
// several machines or shards, and compares them with an earlier run; `brine report` calls it.
//
// The page is made of the files in page/: Go puts the facts into it as JSON (page.go, detail.go), its scripts draw them.
// How it looks and works is tested in a browser, with the record of a made-up run and that of a real one; these tests need
// Chromium, and Node.js for Cucumber's own formatter, so they have a build tag:
//
//	go test -tags browser ./reports/ -shots /tmp
package reports
