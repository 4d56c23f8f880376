package pxl

import "strings"

// prepare blanks what Python and PxL have and Starlark has not: import statements, and the types of parameters and
// results. The text keeps its length, so that lines and columns in errors are those of the script.
//
//	import px                                            →            (blanks)
//	def f(start: str, s: px.Service = "a") -> px.DataFrame:  →  def f(start     , s              = "a")                :
func prepare(src string) string {
	p := preparer{src: src, out: []byte(src)}
	p.run()
	return string(p.out)
}

type preparer struct {
	src string
	out []byte
	at  int
}

func (p *preparer) run() {
	begin := true // of a statement
	depth := 0
	for p.at < len(p.src) {
		rest := p.src[p.at:]
		c := rest[0]
		switch {
		case c == '#':
			p.at += lineLength(rest)
		case c == '"' || c == '\'':
			p.at += stringLength(rest)
			// Pixie's own scripts have `'''import px` after a doc string.
			begin = depth == 0
		case c == '\n' || c == ';':
			begin = depth == 0
			p.at++
		case c == ' ' || c == '\t' || c == '\r':
			p.at++
		case wordStart(c) && (p.at == 0 || !wordByte(p.src[p.at-1])):
			word := wordAt(rest)
			switch {
			case begin && depth == 0 && (word == "import" || word == "from"):
				p.blank(p.at, p.at+lineLength(rest))
				p.at += lineLength(rest)
			case begin && word == "def":
				p.def()
			default:
				p.at += len(word)
			}
			begin = false
		default:
			switch c {
			case '(', '[', '{':
				depth++
			case ')', ']', '}':
				depth = max(0, depth-1)
			}
			begin = false
			p.at++
		}
	}
}

// def goes over a function's head and blanks its types.
func (p *preparer) def() {
	depth := 0
	for p.at < len(p.src) {
		rest := p.src[p.at:]
		switch c := rest[0]; {
		case c == '#':
			p.at += lineLength(rest)
		case c == '"' || c == '\'':
			p.at += stringLength(rest)
		case c == '(' || c == '[' || c == '{':
			depth++
			p.at++
		case c == ')' || c == ']' || c == '}':
			depth--
			p.at++
		case c == ':' && depth == 0:
			p.at++
			return
		case c == '\n' && depth == 0:
			return // no function's head: the parser tells
		case c == ':' && depth == 1:
			p.annotation(",)=")
		case depth == 0 && strings.HasPrefix(rest, "->"):
			p.annotation(":\n")
		default:
			p.at++
		}
	}
}

// annotation blanks up to one of the ends, which stays.
func (p *preparer) annotation(ends string) {
	from, depth := p.at, 0
	p.at++
	for p.at < len(p.src) {
		c := p.src[p.at]
		if depth == 0 && strings.IndexByte(ends, c) >= 0 {
			break
		}
		switch c {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		case '"', '\'':
			p.at += stringLength(p.src[p.at:]) - 1
		}
		p.at++
	}
	p.blank(from, min(p.at, len(p.src)))
}

func (p *preparer) blank(from, to int) {
	for i := from; i < to; i++ {
		if c := p.out[i]; c != '\n' && c != '\r' {
			p.out[i] = ' '
		}
	}
}

func lineLength(s string) int {
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		return i
	}
	return len(s)
}

// stringLength is the length of the string literal that s begins with.
func stringLength(s string) int {
	quote := s[:1]
	if strings.HasPrefix(s, quote+quote+quote) {
		quote = s[:3]
	}
	for i := len(quote); i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case strings.HasPrefix(s[i:], quote):
			return i + len(quote)
		case s[i] == '\n' && len(quote) == 1:
			return i
		}
	}
	return len(s)
}

func wordStart(c byte) bool { return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func wordByte(c byte) bool  { return wordStart(c) || c >= '0' && c <= '9' }

func wordAt(s string) string {
	n := 0
	for n < len(s) && wordByte(s[n]) {
		n++
	}
	return s[:n]
}
