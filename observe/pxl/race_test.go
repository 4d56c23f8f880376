//go:build race

package pxl

// slower is how much longer the race detector may make things take.
const slower = 10
