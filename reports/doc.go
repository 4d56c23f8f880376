// Package reports renders a run's record for people and for other tools. It reads the record and the artifacts beside it,
// and nothing else; it owns the files that it writes into the output folder.
//
//	out/events.jsonl ─┬─► report.html      one file, no network: what broke, when, under which harm
//	out/artifacts/… ──┤   junit.xml        CI readers
//	                  ├─► cucumber.json    Cucumber's older JSON
//	                  ├─► messages.ndjson  Cucumber Messages
//	                  └─► $GITHUB_STEP_SUMMARY, annotations, the console's closing line
//
//	run, err := record.Read("out/events.jsonl")
//	if err != nil { … }
//	err = reports.Write("out", run)
//	reports.Closing(os.Stdout, "out", run)
package reports
