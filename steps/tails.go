package steps

import (
	"fmt"
	"strings"
	"time"

	"brine.test/brine/world"
	"brine.test/brine/world/quantity"
)

// A tail is what follows a sentence, with its leading blank, or "":
//
//	… within 10s            looks: tried again until it holds
//	… for 5s                looks: holds at every look; harms: harm, wait, heal, go on
//	… for the next 5s       harms: harm, go on, heal
//	… while node2 was …     looks: over the time of that harm
//	… before node2 was …    what clients did: before that harm; also "after"

// parseBound reads the tail of a sentence that looks at the system.
func parseBound(tail string) (world.Bound, error) {
	switch first, rest, _ := strings.Cut(strings.TrimSpace(tail), " "); first {
	case "":
		return world.Bound{Kind: world.Now}, nil
	case "within":
		d, err := lasting(tail, rest)
		return world.Bound{Kind: world.Within, D: d}, err
	case "for":
		if next, ok := strings.CutPrefix(rest, "the next "); ok {
			return world.Bound{}, fmt.Errorf("%q: only a harm goes on by itself\nhint: write `for %s`: it must hold at every look in that time", strings.TrimSpace(tail), next)
		}
		d, err := lasting(tail, rest)
		return world.Bound{Kind: world.For, D: d}, err
	case "while":
		if rest == "" {
			break
		}
		return world.Bound{Kind: world.While, While: rest}, nil
	}
	return world.Bound{}, fmt.Errorf("%q: no time bound\nhint: write `within 10s`, `for 5s`, or `while node2 was isolated`", strings.TrimSpace(tail))
}

// parseBoundOfWork reads the tail of a sentence about what clients did: that may be before or after a harm as well.
func parseBoundOfWork(tail string) (world.Bound, error) {
	switch first, rest, _ := strings.Cut(strings.TrimSpace(tail), " "); first {
	case "before":
		return world.Bound{Kind: world.Before, While: rest}, nil
	case "after":
		return world.Bound{Kind: world.After, While: rest}, nil
	}
	return parseBound(tail)
}

// parseBoundOfNot reads the tail of a sentence that says that something did not happen: "within" would hold at the
// first look, before anything could happen.
func parseBoundOfNot(tail string) (world.Bound, error) {
	b, err := parseBound(tail)
	if err == nil && b.Kind == world.Within {
		return b, fmt.Errorf("%q: a sentence that says that something did not happen could only look once\nhint: write `for %s`: it must not happen in all that time", strings.TrimSpace(tail), b.D)
	}
	return b, err
}

// parseLength reads the tail of a sentence that harms the system.
func parseLength(tail string) (world.Length, error) {
	first, rest, _ := strings.Cut(strings.TrimSpace(tail), " ")
	switch first {
	case "":
		return world.Length{Kind: world.UntilHealed}, nil
	case "for":
		if next, ok := strings.CutPrefix(rest, "the next "); ok {
			d, err := lasting(tail, next)
			return world.Length{Kind: world.ForNext, D: d}, err
		}
		d, err := lasting(tail, rest)
		return world.Length{Kind: world.ForWait, D: d}, err
	}
	return world.Length{}, fmt.Errorf("%q: a harm takes a length, not a time bound\nhint: write `for 5s` (harm, wait, heal, go on) or `for the next 5s` (harm, go on, heal after 5s)", strings.TrimSpace(tail))
}

// lasting reads the duration of a tail, which is above zero.
func lasting(tail, text string) (time.Duration, error) {
	d, err := quantity.Duration(text)
	if err != nil {
		return 0, err
	}
	if d <= 0 {
		return 0, fmt.Errorf("%q: a length of time above zero is expected", strings.TrimSpace(tail))
	}
	return d, nil
}
