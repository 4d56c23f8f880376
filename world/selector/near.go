package selector

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// unknown is the error of words that stand for nobody, with those that may be meant or else all that may be written.
func unknown(words string) error {
	problem := fmt.Sprintf("%q: neither a name nor a known way to say who", words)
	switch {
	case words == "":
		problem = "a name is missing"
	case reserved[words]:
		problem = fmt.Sprintf("%q: a word of the language, not a name", words)
	}
	if meant := near(words); meant != "" {
		return fmt.Errorf("%s\nhint: did you mean `%s`?", problem, meant)
	}
	return fmt.Errorf("%s\n%s", problem, forms)
}

// others are ways to say who that the language does not have, and those that it has.
var others = []struct {
	said  *regexp.Regexp
	meant string
}{
	{regexp.MustCompile(`^(?:(?:all |the )*nodes?|those) (?:in|of) (?:the )?(zone \S+)$`), "$1"},
	{regexp.MustCompile(`^(?:the )?zones? "?([A-Za-z][\w.-]*)"?$`), "zone $1"},
	{regexp.MustCompile(`^(?:all |the )*(?:others|other nodes?)$|^(?:each|every) other node$`), "the other nodes"},
	{regexp.MustCompile(`^(?:the |all |every |each )*(?:nodes?|cluster)$`), "all nodes"},
	{regexp.MustCompile(`^(?:any|some|one)(?: random)? nodes?$`), "a random node"},
	{regexp.MustCompile(`^(?:any|some|one|a)(?: random)? follower$`), "a follower"},
	{regexp.MustCompile(`^(?:all |a |every )*(leader|followers|clients)$`), "the $1"},
	{regexp.MustCompile(`^the stopped (nodes?)$`), "the killed $1"},
	{regexp.MustCompile(`^(\S+)(?: or | ?& ?| ?/ ?)(\S+)$`), "$1 and $2"},
	{regexp.MustCompile(`^(?:the )?node ?(\d+)$`), "node$1"},
	{regexp.MustCompile(`^the ([A-Za-z][\w.-]*\d)$`), "$1"},
}

// near gives the words that may be meant, or "".
func near(words string) string {
	words = strings.ToLower(words)
	for _, o := range others {
		if o.said.MatchString(words) {
			return o.said.ReplaceAllString(words, o.meant)
		}
	}
	var best string
	least := max(2, len(words)/5) + 1
	for phrase := range phrases {
		if d := distance(words, phrase); strings.Contains(words, " ") && (d < least || d == least && phrase < best) {
			best, least = phrase, d
		}
	}
	return best
}

// distance is the number of letters to add, drop or change to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := slices.Clone(row)
		row[0] = i + 1
		for j := range len(b) {
			change := last[j]
			if a[i] != b[j] {
				change++
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, change)
		}
	}
	return row[len(b)]
}
