package catalogue

import (
	"fmt"
	"sort"
	"strings"
)

// didYouMean gives the hint that names the candidate nearest to word, or "" when none is near.
func didYouMean(word string, candidates []string) string {
	if near := nearest(word, candidates); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return ""
}

// nearest is the candidate with the smallest edit distance to word, if at most a third of the letters differ
// (one letter always may); among equals the first in the alphabet.
func nearest(word string, candidates []string) string {
	word = strings.ToLower(word)
	best, bestDistance := "", max(1, len(word)/3)+1
	for _, c := range sorted(candidates) {
		if d := editDistance(word, strings.ToLower(c)); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

// editDistance counts insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
func editDistance(a, b string) int {
	s, t := []rune(a), []rune(b)
	if len(s) > 64 || len(t) > 64 {
		return len(s) + len(t)
	}
	rows := make([][]int, len(s)+1)
	for i := range rows {
		rows[i] = make([]int, len(t)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(s); i++ {
		for j := 1; j <= len(t); j++ {
			replace := rows[i-1][j-1]
			if s[i-1] != t[j-1] {
				replace++
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, replace)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(s)][len(t)]
}

func sorted(words []string) []string {
	out := append([]string(nil), words...)
	sort.Strings(out)
	return out
}

// list words a list for a person: "a, b, or c" with the last word given.
func list(words []string, last string) string {
	switch len(words) {
	case 0:
		return "nothing"
	case 1:
		return words[0]
	case 2:
		return words[0] + " " + last + " " + words[1]
	}
	return strings.Join(words[:len(words)-1], ", ") + ", " + last + " " + words[len(words)-1]
}

// Nearest is the one candidate that is nearest to word, or "" when none is near, or several are.
func Nearest(word string, candidates []string) string {
	best := nearest(word, candidates)
	for _, c := range candidates {
		if c != best && editDistance(strings.ToLower(word), strings.ToLower(c)) <= editDistance(strings.ToLower(word), strings.ToLower(best)) {
			return ""
		}
	}
	return best
}
