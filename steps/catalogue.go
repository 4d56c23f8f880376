package steps

import (
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"sync"
)

// Sentence is one entry of the catalogue: a step function, the patterns that lead to it, and what its doc comment says.
type Sentence struct {
	Section  string           // heading
	Name     string           // of the step function
	Doc      string           // what the sentence does, without the examples
	Examples []string         // sentences that it takes
	Patterns []*regexp.Regexp // in the order stated
	Harms    bool             // it harms or heals

	call reflect.Value
}

// Match is one pattern that fits a sentence as it was written, and what its groups captured.
type Match struct {
	Sentence *Sentence
	Pattern  *regexp.Regexp
	Args     []string
}

// recorder is a Registrar that keeps what is stated.
type recorder struct {
	section   section
	sentences []*Sentence
	byName    map[string]*Sentence
}

var _ Registrar = (*recorder)(nil)

// Step notes a pattern under its function.
func (r *recorder) Step(expr, stepFunc any) {
	call := reflect.ValueOf(stepFunc)
	full := runtime.FuncForPC(call.Pointer()).Name()
	name := full[strings.LastIndexByte(full, '.')+1:]
	s := r.byName[name]
	if s == nil {
		s = &Sentence{Section: r.section.title, Name: name, Harms: r.section.harms, call: call}
		r.byName[name] = s
		r.sentences = append(r.sentences, s)
	}
	s.Patterns = append(s.Patterns, regexp.MustCompile(expr.(string)))
}

var catalogued struct {
	once      sync.Once
	sentences []*Sentence
}

// Catalogue gives every sentence of the language, in the order in which it is stated. Callers must not change it.
func Catalogue() []*Sentence {
	catalogued.once.Do(func() {
		r := &recorder{byName: map[string]*Sentence{}}
		for _, s := range sections() {
			r.section = s
			s.add(r)
		}
		comments := docComments()
		for _, s := range r.sentences {
			s.Doc, s.Examples = splitDoc(s.Name, comments[s.Name])
		}
		catalogued.sentences = r.sentences
	})
	return catalogued.sentences
}

// Matches gives every pattern that fits a sentence. A sentence of the language has exactly one.
func Matches(text string) []Match {
	var found []Match
	for _, s := range Catalogue() {
		for _, pattern := range s.Patterns {
			if groups := pattern.FindStringSubmatch(text); groups != nil {
				found = append(found, Match{Sentence: s, Pattern: pattern, Args: groups[1:]})
			}
		}
	}
	return found
}
