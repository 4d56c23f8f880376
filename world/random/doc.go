// Package random draws schedules of faults from a seed, and reads and writes them as text.
//
//	seed 42, node1 … node3, weights ──New──► Generator ──Next──► +1.25s for 2.5s: node2 is isolated
//	                                                             +4.1s  for 1.2s: node1 is killed …
//	                                   Schedule ──String──► a step with a table ──ParseFile──► Schedule
//
// A schedule depends on nothing but its Config: not on the clock, not on what the system under test does. So the same
// seed gives the same schedule, byte for byte. A fault is a sentence of the language, so that a person can read a
// schedule, put it into a feature, and run it again.
//
// What is drawn keeps limits: a node has at most one fault at a time, and never is a majority of a group down, unless
// AllowMajority says otherwise.
//
// The package owns nothing and harms nobody: the world does what it drew.
package random
