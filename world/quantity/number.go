package quantity

import (
	"fmt"
	"math/big"
	"strings"
)

// maxDigits bounds a number's text: more digits than this are a mistake, and arithmetic on them is slow.
const maxDigits = 30

// splitNumber takes the number off the front of text: digits, and at most one point with digits on both sides.
// It returns the number exactly (1.1 stays eleven tenths) and the rest without leading blanks.
func splitNumber(text string) (number *big.Rat, rest string, err error) {
	end := 0
	for end < len(text) && (text[end] >= '0' && text[end] <= '9' || text[end] == '.') {
		end++
	}
	digits := text[:end]
	switch {
	case end == 0 && strings.HasPrefix(text, "-"):
		return nil, "", fmt.Errorf("is negative")
	case end == 0:
		return nil, "", fmt.Errorf("does not begin with a number")
	case end > maxDigits:
		return nil, "", fmt.Errorf("has more than %d digits", maxDigits)
	case strings.Count(digits, ".") > 1, digits[0] == '.', digits[end-1] == '.':
		return nil, "", fmt.Errorf("has a malformed number %s", digits)
	}
	number, ok := new(big.Rat).SetString(digits)
	if !ok {
		return nil, "", fmt.Errorf("has a malformed number %s", digits)
	}
	return number, strings.TrimLeft(text[end:], " "), nil
}

// splitUnit takes the unit off the front of text: everything up to the next digit, point or blank.
func splitUnit(text string) (unit, rest string) {
	end := strings.IndexAny(text, " .0123456789")
	if end < 0 {
		return text, ""
	}
	return text[:end], strings.TrimLeft(text[end:], " ")
}

// whole returns number×scale as an integer; it fails where a part of a unit would be lost or 63 bits do not suffice.
func whole(number *big.Rat, scale int64) (n int64, exact, fits bool) {
	product := new(big.Rat).Mul(number, new(big.Rat).SetInt64(scale))
	if !product.IsInt() {
		return 0, false, true
	}
	if !product.Num().IsInt64() {
		return 0, true, false
	}
	return product.Num().Int64(), true, true
}

// refuse words every error of the package: the text first, what is wrong with it, and what to write instead.
func refuse(text, problem, hint string) error {
	return fmt.Errorf("%q: %s\nhint: %s", text, problem, hint)
}
