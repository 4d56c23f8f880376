package record

import (
	"sort"
	"strings"
)

// minWrapped is the least length of a form that is searched for across line breaks: shorter ones would hit innocent text.
const minWrapped = 8

// unwrapped masks secrets that a line break splits: as base64 tools and logs wrap what is long, with blanks that set the
// next line in, and as JSON writes a break.
func (r *Redactor) unwrapped(text string) string {
	if !strings.Contains(text, "\n") && !strings.Contains(text, `\n`) {
		return text
	}
	var joined strings.Builder
	var at []int // where each byte of joined stands in text
	for i := 0; i < len(text); {
		if n := lineBreak(text[i:]); n > 0 {
			i += n
			continue
		}
		joined.WriteByte(text[i])
		at = append(at, i)
		i++
	}
	type span struct{ from, to int }
	var found []span
	r.mu.RLock()
	for n := range r.needles {
		if len(n) < minWrapped {
			continue
		}
		for from, rest := 0, joined.String(); ; {
			i := strings.Index(rest[from:], n)
			if i < 0 {
				break
			}
			from += i
			found = append(found, span{at[from], at[from+len(n)-1] + 1})
			from += len(n)
		}
	}
	r.mu.RUnlock()
	if len(found) == 0 {
		return text
	}
	sort.Slice(found, func(i, j int) bool { return found[i].from < found[j].from })
	var out strings.Builder
	end := 0
	for _, f := range found {
		if f.from >= end {
			out.WriteString(text[end:f.from] + Mask)
		}
		end = max(end, f.to)
	}
	out.WriteString(text[end:])
	return out.String()
}

// lineBreak is the length of a line break at the beginning of text, with the blanks after it; 0 where there is none.
func lineBreak(text string) int {
	n := 0
	for _, b := range []string{"\r\n", "\n", `\r\n`, `\n`} {
		if strings.HasPrefix(text, b) {
			n = len(b)
			break
		}
	}
	if n == 0 {
		return 0
	}
	for n < len(text) && (text[n] == ' ' || text[n] == '\t') {
		n++
	}
	return n
}

// InURL hides the parts of secrets that a URL holds: who reads the URL takes them apart, and tells of a host that does
// not resolve, a path or a value that it does not like. What is in known stays readable.
func (r *Redactor) InURL(url string, known ...string) {
	r.mu.RLock()
	var used []string
	for v := range r.values {
		if strings.Contains(url, v) {
			used = append(used, v)
		}
	}
	r.mu.RUnlock()
	for _, v := range used {
		for part := range strings.FieldsFuncSeq(v, func(c rune) bool { return strings.ContainsRune("/?#&=+:@;,%", c) }) {
			if len(part) >= minURLPart && part != v && part != "http" && part != "https" && !contains(known, part) {
				r.AddSecret(part)
			}
		}
	}
}

// minURLPart is the least length of a part of a secret that is hidden by itself.
const minURLPart = 4

func contains(all []string, one string) bool {
	for _, s := range all {
		if s == one {
			return true
		}
	}
	return false
}
