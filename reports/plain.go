package reports

import (
	"regexp"
	"strings"
	"unicode"
)

// escapes are terminal control sequences: CSI, OSC and the two-character ones (ECMA-48).
var escapes = regexp.MustCompile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)|[@-Z\\\\^_=>78c])")

// plain makes text of the system under test harmless for a terminal, an XML reader and a page: terminal escapes go,
// other control characters and those that turn the writing direction become visible.
func plain(text string) string {
	if strings.IndexFunc(text, odd) < 0 {
		return text
	}
	text = escapes.ReplaceAllString(text, "")
	return strings.Map(func(c rune) rune {
		switch {
		case !odd(c):
			return c
		case c < 0x20:
			return 0x2400 + c // the control pictures block
		}
		return unicode.ReplacementChar
	}, strings.ReplaceAll(text, "\r\n", "\n"))
}

func odd(c rune) bool {
	switch {
	case c == '\n' || c == '\t':
		return false
	case c < 0x20, c >= 0x7f && c < 0xa0, c == unicode.ReplacementChar, c == 0xfffe, c == 0xffff:
		return true
	case c >= 0x202a && c <= 0x202e, c >= 0x2066 && c <= 0x2069, c == 0x2028, c == 0x2029:
		return true // bidirectional controls, line separators
	}
	return false
}
