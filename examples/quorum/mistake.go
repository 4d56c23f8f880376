package main

import "slices"

// mistake is what the service does wrong; "" is nothing.
type mistake string

const (
	early    mistake = "early"
	forgets  mistake = "forgets"
	stale    mistake = "stale"
	split    mistake = "split"
	repeats  mistake = "repeats"
	compares mistake = "compares"
	torn     mistake = "torn"
)

var mistakes = []mistake{early, forgets, stale, split, repeats, compares, torn}

func (m mistake) known() bool { return m == "" || slices.Contains(mistakes, m) }
