// Package shrink finds the smallest schedule of faults that still lets a scenario fail.
//
//	8 strikes ──► halves, quarters … without what does not matter ──► 1 strike of 3s ──► 1 strike of 400ms, earlier
//	               (delta debugging)                                    (shorter, earlier)
//
// It is ddmin of Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input" (IEEE Transactions on Software
// Engineering 28(2), 2002): of the strikes first, then their lengths and the pauses before them are halved as long as the
// scenario fails. What a candidate does is asked of a function; the package runs nothing and owns nothing.
package shrink
