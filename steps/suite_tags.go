package steps

import (
	"fmt"
	"strings"
)

// tagExpr decides by a scenario's tags, each with its "@".
type tagExpr func(tags map[string]bool) bool

// parseTags reads Cucumber's tag expressions, "@slow and not (@wip or @flaky)",
// and godog's older form, "@slow && ~@wip,@fast", where a comma means "or".
//
//	expression = term { "or" term }        term = factor { "and" factor }
//	factor     = "not" factor | "(" expression ")" | tag
func parseTags(text string) (tagExpr, error) {
	spaced := strings.NewReplacer("&&", " and ", "||", " or ", ",", " or ", "~", " not ", "!", " not ", "(", " ( ", ")", " ) ").Replace(text)
	if strings.Contains(text, ",") && strings.Contains(text, "&&") {
		// In the older form a comma binds more tightly than "&&".
		parts := strings.Split(text, "&&")
		for i, p := range parts {
			parts[i] = "(" + p + ")"
		}
		return parseTags(strings.NewReplacer(",", " or ").Replace(strings.Join(parts, " and ")))
	}
	p := &tagParser{words: strings.Fields(spaced), text: text}
	if len(p.words) == 0 {
		return func(map[string]bool) bool { return true }, nil
	}
	e, err := p.or()
	if err == nil && len(p.words) > 0 {
		err = p.wrong("the end")
	}
	return e, err
}

type tagParser struct {
	words []string
	text  string
}

func (p *tagParser) wrong(expected string) error {
	got := "the end"
	if len(p.words) > 0 {
		got = fmt.Sprintf("%q", p.words[0])
	}
	return fmt.Errorf("tags %q: expected %s, got %s\nhint: write `@slow`, `not @slow`, or `@net and (@ipv4 or @ipv6)`", p.text, expected, got)
}

func (p *tagParser) take(word string) bool {
	if len(p.words) > 0 && p.words[0] == word {
		p.words = p.words[1:]
		return true
	}
	return false
}

func (p *tagParser) or() (tagExpr, error) {
	left, err := p.and()
	for err == nil && p.take("or") {
		var right tagExpr
		right, err = p.and()
		l := left
		left = func(t map[string]bool) bool { return l(t) || right(t) }
	}
	return left, err
}

func (p *tagParser) and() (tagExpr, error) {
	left, err := p.factor()
	for err == nil && p.take("and") {
		var right tagExpr
		right, err = p.factor()
		l := left
		left = func(t map[string]bool) bool { return l(t) && right(t) }
	}
	return left, err
}

func (p *tagParser) factor() (tagExpr, error) {
	switch {
	case p.take("not"):
		e, err := p.factor()
		return func(t map[string]bool) bool { return !e(t) }, err
	case p.take("("):
		e, err := p.or()
		if err == nil && !p.take(")") {
			err = p.wrong("a closing bracket")
		}
		return e, err
	case len(p.words) > 0 && strings.HasPrefix(p.words[0], "@") && len(p.words[0]) > 1:
		tag := p.words[0]
		p.words = p.words[1:]
		return func(t map[string]bool) bool { return t[tag] }, nil
	}
	return nil, p.wrong("a tag")
}
