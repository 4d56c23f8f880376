package steps

import (
	"regexp"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"
)

// most is how many near sentences are offered.
const most = 3

// Near gives the sentences of the language that are nearest to one that it does not have, best first, in backquotes, the
// writer's own names, texts and numbers put in. It gives none where nothing is near.
//
// It compares the tokens of the sentence with those of each example (Levenshtein's distance): a name for a name, a text
// for a text or a number for a number costs nothing, a word for a word the share of its letters that differ.
func Near(text string) []string {
	body, tail := cutTail(text)
	got := tokens(body)
	type candidate struct {
		text string
		cost float64
	}
	var found []candidate
	for _, s := range Catalogue() {
		for _, example := range s.Examples {
			exampleBody, _ := cutTail(example)
			words, cost := align(got, tokens(exampleBody))
			if cost > nearEnough(len(got)) {
				continue
			}
			found = append(found, candidate{"`" + offer(agree(strings.Join(words, " ")), tail, example) + "`", cost})
		}
	}
	sort.SliceStable(found, func(i, j int) bool { return found[i].cost < found[j].cost })
	var near []string
	seen := map[string]bool{}
	for _, c := range found {
		if seen[c.text] || len(near) == most || c.cost > 2*found[0].cost+0.3 {
			continue
		}
		seen[c.text] = true
		near = append(near, c.text)
	}
	return near
}

// offer puts the writer's tail back where the sentence takes it; when the writer's own words do not make a sentence, the
// example is offered as it is.
func offer(written, tail, example string) string {
	if found := Matches(written + tail); len(found) == 1 && slices.Contains(found[0].Args, tail) {
		return written + tail
	}
	if len(Matches(written)) == 1 {
		return written
	}
	return example
}

var (
	singular = regexp.MustCompile(`^(` + selectors + `) are `)
	plural   = regexp.MustCompile(`^([^" ]+(?: and|,) [^"]+?) is `)
)

// agree makes the verb agree with one name before it, or several.
func agree(text string) string {
	if m := singular.FindStringSubmatch(text); m != nil && !strings.HasSuffix(m[1], "s") {
		return m[1] + " is " + text[len(m[0]):]
	}
	return plural.ReplaceAllString(text, "$1 are ")
}

// nearEnough is how far a sentence of n tokens may be from one that is offered for it.
func nearEnough(n int) float64 {
	return 0.6 + 0.2*float64(n)
}

var tailed = regexp.MustCompile(` (?:within|for|while) [^"]*$`)

func cutTail(text string) (body, tail string) {
	if at := tailed.FindStringIndex(text); at != nil {
		return text[:at[0]], text[at[0]:]
	}
	return text, ""
}

type tokenKind int

const (
	wordToken tokenKind = iota
	whoToken
	quoteToken
	numberToken
)

type tokenText struct {
	kind tokenKind
	text string
}

// tokenPattern is a quoted text, a selector that is not one plain word, a number with its unit, or a word.
var tokenPattern = regexp.MustCompile(`"(?:[^"]|"")*"|` + selectors + `(?:(?:,|,? and) ` + selectors + `)*|[^ ]+`)

const selectors = `(?:(?:all nodes|every node|each node|the other nodes?|the leader|the followers|a follower|the old leader` +
	`|(?:a|\d+) random nodes?|a (?:minority|majority)(?: with(?:out)? the leader)?|zone \S+|the (?:isolated|killed|paused) nodes?` +
	`|the clients|[A-Za-z][A-Za-z_.-]*\d+)\b)`

func tokens(text string) []tokenText {
	var out []tokenText
	for _, t := range tokenPattern.FindAllString(text, -1) {
		kind := wordToken
		switch {
		case t[0] == '"':
			kind = quoteToken
		case t[0] >= '0' && t[0] <= '9' && !strings.Contains(t, "random"):
			kind = numberToken
		case isWho.MatchString(t):
			kind = whoToken
		}
		out = append(out, tokenText{kind, t})
	}
	return out
}

var isWho = regexp.MustCompile(`^` + selectors)

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
			if got[i].kind == example[j].kind && got[i].kind != wordToken {
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
	for i, j := 0, len(words)-1; i < j; i, j = i+1, j-1 {
		words[i], words[j] = words[j], words[i]
	}
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
	longest := max(utf8.RuneCountInString(a.text), utf8.RuneCountInString(b.text))
	if share := float64(edits(a.text, b.text)) / float64(longest); share <= 0.5 {
		return share
	}
	return 1
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
