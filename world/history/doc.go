// Package history keeps what the clients of a workload did, loses nothing of it, and judges it.
//
//	clients ──Operation──► Writer ──► history.jsonl ──► Load ──► History ──► a checker ──► nil, *Violation or *Undecided
//	                        (an artifact of the scenario)            │
//	                                                                 └──► Availability
//
// An operation is a call of one client with its begin, its end and its outcome: ok, failed (certainly not done) or
// unknown (done or not, now or later). Times are CLOCK_MONOTONIC nanoseconds.
//
// Whatever a workload does, it comes down to reads, writes and compare-and-sets of values that are unique in the
// history, so one checker of linearizability serves all. The other checkers judge what a workload means: elements of a
// set or list, amounts, holders of a lock.
//
// A checker never passes on an empty history, nor on one that leaves it undecided: both are errors.
//
//	h, err := history.Load("out/artifacts/a-split/history.jsonl")
//	result := history.Linearizable(h, history.Limits{})
//	if v := result.Violation; v != nil {
//		fmt.Println(v) // the few operations that prove it
//	}
//
// The package owns the file that it writes, and nothing else.
package history
