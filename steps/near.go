package steps

import (
	"regexp"
	"slices"
	"sort"
	"strings"
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

const selectors = `(?:(?:all nodes|every node|each node|the other nodes?|(?:the leader|the followers|a follower|the old leader)(?: of [A-Za-z][\w.-]*)?` +
	`|(?:a|\d+) random nodes?|a (?:minority|majority)(?: with(?:out)? the leader)?(?: of [A-Za-z][\w.-]*)?|zone \S+|the (?:isolated|killed|paused) nodes?` +
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
