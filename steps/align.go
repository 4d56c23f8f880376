package steps

import (
	"slices"
	"unicode/utf8"

	"brine.test/brine/world/selector"
)

// align gives the example's words with what is the writer's own put in, and the cost of the nearest alignment.
func align(got, example []tokenText) (words []string, cost float64) {
	type cell struct {
		cost float64
		from int // 0: start, 1: replace, 2: drop the writer's, 3: take the example's
	}
	table := make([][]cell, len(got)+1)
	for i := range table {
		table[i] = make([]cell, len(example)+1)
		for j := range table[i] {
			switch {
			case i == 0 && j == 0:
				continue
			case i == 0:
				table[i][j] = cell{float64(j), 3}
				continue
			case j == 0:
				table[i][j] = cell{float64(i), 2}
				continue
			}
			best := cell{table[i-1][j-1].cost + differ(got[i-1], example[j-1]), 1}
			if c := table[i-1][j].cost + 1; c < best.cost {
				best = cell{c, 2}
			}
			if c := table[i][j-1].cost + 1; c < best.cost {
				best = cell{c, 3}
			}
			table[i][j] = best
		}
	}
	for i, j := len(got), len(example); i > 0 || j > 0; {
		switch table[i][j].from {
		case 1:
			i, j = i-1, j-1
			if got[i].kind == example[j].kind && got[i].kind != wordToken || ofTheirOwn(got[i], example[j]) {
				words = append(words, got[i].text)
			} else {
				words = append(words, example[j].text)
			}
		case 2:
			i--
		case 3:
			j--
			words = append(words, example[j].text)
		}
	}
	slices.Reverse(words)
	return words, table[len(got)][len(example)].cost
}

// differ is the cost of one token in another's place, from 0 to 1.
func differ(a, b tokenText) float64 {
	switch {
	case a.kind == b.kind && a.kind != wordToken:
		return 0
	case a.text == b.text:
		return 0
	case a.kind != wordToken && b.kind != wordToken:
		return 1
	}
	if ofTheirOwn(a, b) {
		return 0.3
	}
	longest := max(utf8.RuneCountInString(a.text), utf8.RuneCountInString(b.text))
	if share := float64(edits(a.text, b.text)) / float64(longest); share <= 0.5 {
		return share
	}
	return 1
}

// services are those that stand in the examples for the writer's own.
var services = []string{"etcd", "redis", "redis-sentinel", "consumer"}

// ofTheirOwn tells whether a word stands where an example names a service.
func ofTheirOwn(got, example tokenText) bool {
	return got.kind == wordToken && slices.Contains(services, example.text) && selector.CheckName(got.text) == nil
}

// edits is the number of letters to add, drop, change, or swap with the next, to make b of a.
func edits(a, b string) int {
	x, y := []rune(a), []rune(b)
	table := make([][]int, len(x)+1)
	for i := range table {
		table[i] = make([]int, len(y)+1)
		for j := range table[i] {
			switch {
			case i == 0:
				table[i][j] = j
				continue
			case j == 0:
				table[i][j] = i
				continue
			}
			change := 1
			if x[i-1] == y[j-1] {
				change = 0
			}
			table[i][j] = min(table[i-1][j]+1, table[i][j-1]+1, table[i-1][j-1]+change)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				table[i][j] = min(table[i][j], table[i-2][j-2]+1)
			}
		}
	}
	return table[len(x)][len(y)]
}
