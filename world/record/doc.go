// Package record keeps what happened in a run: one append-only file, one JSON
// object a line, in the order in which things happened. Whatever a person sees
// (console, HTML page, JUnit, Cucumber JSON, messages) is derived from it, and
// nothing is shown that is not in it.
//
//	world, steps ──► Recorder ──► out/events.jsonl ──► Read ──► Run ──► reports
//	                    │  redaction, ids, two clocks              │
//	                    └─► listeners (live progress)              ├─ Scenarios ─ Steps
//	                                                               ├─ Harms with receipts
//	                                                               └─ operations, states, logs …
//
// The recorder owns events.jsonl and hands out the names of files below
// artifacts/. It owns no kernel object. Each event carries CLOCK_MONOTONIC, the
// clock that BPF programs stamp packets with, and the wall clock, both in
// nanoseconds; the run's first event carries a pair of both, so that either can
// be turned into the other.
//
// Writing never stops a test: the methods return nothing, the first write error
// is kept and returned by Err and Close.
//
//	rec, err := record.Open("out/events.jsonl", record.RunInfo{Seed: 42})
//	sc := rec.Scenario(record.ScenarioInfo{URI: "a.feature", Line: 3, Name: "One node cut off"})
//	st := sc.Step(record.StepInfo{Keyword: "When ", Text: "node2 is isolated", Line: 5})
//	h := sc.Harm(record.HarmInfo{Kind: "isolate", Asked: "node2 is isolated", Targets: []string{"node2"}})
//	st.End(record.Passed, nil)
//	h.End(record.HealedAtEnd, record.Receipt{Dropped: record.Count{Packets: 12, Bytes: 900}})
//	sc.End(record.Passed, nil)
//	err = rec.Close()
package record
