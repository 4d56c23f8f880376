package history

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// What the values of workloads look like. Each value that is written is unique in its key: a stamp, or text with one.
//
//	register   3.17                client 3's 17th
//	set        in                  one key for each element
//	list       1.1,2.1,1.2 | -     its elements, which are stamps, or that it has none
//	counter    12 3.17             the count, and who made it so
//	accounts   90 3.17             the balance, and who made it so
//	lock       3.17 | free 3.18    the holder, or that it is free
//	queue      1.1,2.1 3.17        its elements, the oldest first, and who made it so

// none is a list without elements: not every service tells an empty value from none.
const none = "-"

// Elements are those of a list's value.
func Elements(value string) []string {
	if value == "" || value == none {
		return nil
	}
	return strings.Split(value, ",")
}

// ListValue is a list with these elements.
func ListValue(elements []string) string {
	if len(elements) == 0 {
		return none
	}
	return strings.Join(elements, ",")
}

// Amount is the number in a counter's or an account's value.
func Amount(value string) (int, error) {
	digits, _, _ := strings.Cut(value, " ")
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0, fmt.Errorf("%q: expected a number", shorten(value))
	}
	return n, nil
}

// AmountValue is that number with the stamp of who set it.
func AmountValue(n int, stamp string) string { return strconv.Itoa(n) + " " + stamp }

// Holder is who holds a lock with this value; "" for nobody.
func Holder(value string) string {
	if value == "" || strings.HasPrefix(value, "free ") {
		return ""
	}
	return value
}

// FreeValue is a lock that nobody holds, with the stamp of who freed it.
func FreeValue(stamp string) string { return "free " + stamp }

// Waiting are the elements of a queue's value, the oldest first.
func Waiting(value string) []string {
	list, _, _ := strings.Cut(value, " ")
	return Elements(list)
}

// QueueValue is a queue with these elements and the stamp of who set it.
func QueueValue(elements []string, stamp string) string { return ListValue(elements) + " " + stamp }

// twice gives an element that is in a list more than once.
func twice(elements []string) (string, bool) {
	seen := make(map[string]bool, len(elements))
	for _, e := range elements {
		if seen[e] {
			return e, true
		}
		seen[e] = true
	}
	return "", false
}

// extends tells whether a list begins with all of another.
func extends(long, short []string) bool {
	return len(long) >= len(short) && slices.Equal(long[:len(short)], short)
}
