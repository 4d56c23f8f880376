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

// CheckName tells whether a word may name a node, a service, a zone, a cluster or a remembered value: letters, digits,
// "_", "." and "-", beginning with a letter, and none of the language's own words.
func CheckName(word string) error {
	switch {
	case word == "":
		return fmt.Errorf("a name is missing\n%s", forms)
	case reserved[word]:
		return fmt.Errorf("%q: a word of the language, not a name\n%s", word, forms)
	case !name.MatchString(word):
		return fmt.Errorf("%q: neither a name nor a known way to say who (a name is letters, digits, \"_\", \".\", \"-\", and begins with a letter)\n%s", word, forms)
	}
	return nil
}
