package world

import (
	"fmt"
	"os"
	"regexp"
	"strings"

	"brine.test/brine/world/record"
)

var variable = regexp.MustCompile(`\$\{([^}]*)\}`)

// secretWords are the words that make a variable's name look secret, beside
// those of record.SecretName.
var secretWords = []string{"KEY", "TOKEN", "SECRET", "PASSWORD"}

// Expand replaces each ${NAME} in data by the value remembered under NAME in
// this scenario, else by the environment's. An unset name is an error. The
// value of a name that looks secret never reaches the record.
func (w *World) Expand(text string) (string, error) {
	var err error
	out := variable.ReplaceAllStringFunc(text, func(m string) string {
		name := m[2 : len(m)-1]
		w.mu.Lock()
		v, ok := w.memo[name]
		w.mu.Unlock()
		if !ok {
			v, ok = os.LookupEnv(name)
		}
		if !ok {
			if err == nil {
				err = fmt.Errorf("${%s}: is not set\nhint: set %s in the environment, or remember it in an earlier step", name, name)
			}
			return m
		}
		w.keepSecret(name, v)
		return v
	})
	return out, err
}

// LooksSecret tells whether the value of a name must not be shown.
func LooksSecret(name string) bool {
	name = strings.ToUpper(name)
	for _, word := range secretWords {
		if strings.Contains(name, word) {
			return true
		}
	}
	return record.SecretName(name)
}
