package selector

import (
	"fmt"
	"regexp"
)

var name = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]*$`)

// reserved words are no names: a sentence that holds one would have two meanings.
var reserved = map[string]bool{
	"each": true, "every": true, "all": true, "other": true, "network": true, "clients": true, "leader": true,
	"zone": true, "it": true, "everything": true,
}

const letters = "hint: a name is letters, digits, `_`, `.` and `-`, and begins with a letter"

// CheckName tells whether a word may name a node, a service, a zone, a cluster or a remembered value: letters, digits,
// "_", "." and "-", beginning with a letter, and none of the language's own words.
func CheckName(word string) error {
	switch {
	case word == "":
		return fmt.Errorf("a name is missing\n%s", letters)
	case reserved[word]:
		return fmt.Errorf("%q: a word of the language, not a name\nhint: take another", word)
	case !name.MatchString(word):
		return fmt.Errorf("%q: not a name\n%s", word, letters)
	}
	return nil
}
