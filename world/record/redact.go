package record

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"sort"
	"strings"
	"sync"
	"unicode/utf16"
)

// Mask stands where a secret was.
const Mask = "***"

// minEncoded is the least length of an encoded form that is searched for: shorter ones would hit innocent text.
const minEncoded = 6

// Redactor replaces secrets in text: as they are, URL-encoded, in base64 (also inside a longer text, as in an
// Authorization header), in hex, as JSON and HTML write them, and wrapped into lines. Its zero value is not usable; see NewRedactor.
type Redactor struct {
	mu       sync.RWMutex
	values   map[string]struct{} // as they were given
	needles  map[string]struct{}
	replacer *strings.Replacer
	longest  int
}

// NewRedactor knows no secret yet.
func NewRedactor() *Redactor {
	return &Redactor{values: map[string]struct{}{}, needles: map[string]struct{}{}}
}

// AddSecret makes value unreadable in all that is written from now on. An empty value is no secret.
func (r *Redactor) AddSecret(value string) {
	if strings.TrimSpace(value) == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.values[value] = struct{}{}
	for _, n := range forms(value) {
		r.needles[n] = struct{}{}
		r.longest = max(r.longest, len(n))
	}
	all := make([]string, 0, len(r.needles))
	for n := range r.needles {
		all = append(all, n)
	}
	// The longest first: a secret that is the beginning of another must not leave its rest.
	sort.Slice(all, func(i, j int) bool {
		if len(all[i]) != len(all[j]) {
			return len(all[i]) > len(all[j])
		}
		return all[i] < all[j]
	})
	pairs := make([]string, 0, 2*len(all))
	for _, n := range all {
		pairs = append(pairs, n, Mask)
	}
	r.replacer = strings.NewReplacer(pairs...)
}

// Redact returns text without the secrets.
func (r *Redactor) Redact(text string) string {
	rep, _ := r.state()
	if rep == nil {
		return text
	}
	return r.unwrapped(rep.Replace(text))
}

func (r *Redactor) state() (*strings.Replacer, int) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.replacer, r.longest
}

// forms are the ways in which a secret may be written.
func forms(s string) []string {
	out := []string{s}
	add := func(f string) {
		if len(f) >= minEncoded || f == s {
			out = append(out, f)
		}
	}
	add(url.QueryEscape(s))
	add(url.PathEscape(s))
	add((&url.URL{Path: s}).EscapedPath())
	add(strings.ToLower(url.QueryEscape(s)))
	add(html.EscapeString(s))
	if j, err := json.Marshal(s); err == nil {
		inside := string(j[1 : len(j)-1])
		add(inside)
		add(ascii(inside)) // as Python and Java write it
		if twice, err := json.Marshal(inside); err == nil {
			add(string(twice[1 : len(twice)-1])) // a log in JSON of a body in JSON
		}
	}
	add(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s))
	add(hex.EncodeToString([]byte(s)))
	for shift := range 3 {
		for _, e := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
			add(base64Inside(e, s, shift))
		}
	}
	for line := range strings.Lines(s) { // a key in PEM is logged line by line
		if line = strings.TrimSpace(line); len(line) >= 16 {
			add(line)
		}
	}
	return out
}

// ascii writes letters beyond ASCII as JSON's escapes.
func ascii(text string) string {
	var b strings.Builder
	for _, c := range text {
		switch {
		case c < 0x80:
			b.WriteRune(c)
		case c > 0xffff:
			high, low := utf16.EncodeRune(c)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, c)
		}
	}
	return b.String()
}

// base64Inside is the part of the encoding of s that does not depend on what stands before and after it, when s begins
// shift bytes into a group of three.
func base64Inside(e *base64.Encoding, s string, shift int) string {
	text := strings.TrimRight(e.EncodeToString(append(make([]byte, shift), s...)), "=")
	from := []int{0, 2, 3}[shift]
	to := len(text)
	if (shift+len(s))%3 != 0 {
		to-- // the last character holds bits of the next byte
	}
	if from >= to {
		return ""
	}
	return text[from:to]
}

// SecretName tells that a variable of this name holds something that must not be shown: its name has KEY as a word or at
// its end, or TOKEN, SECRET or PASSWORD anywhere.
func SecretName(name string) bool {
	n := strings.ToUpper(name)
	for _, w := range []string{"TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL"} {
		if strings.Contains(n, w) {
			return true
		}
	}
	for w := range strings.FieldsFuncSeq(n, func(c rune) bool { return c == '_' || c == '-' || c == '.' }) {
		if w == "KEY" || w == "KEYS" || strings.HasSuffix(w, "KEY") {
			return true
		}
	}
	return false
}
