package history

import (
	"errors"
	"fmt"
	"strings"
)

// ErrEmpty is in the error of a history that holds nothing that could be judged.
var ErrEmpty = errors.New("the history is empty")

// Violation is a property that a history breaks, with the operations that prove it.
type Violation struct {
	Anomaly string      // the field's word: "lost", "stale read", "G-single"
	Text    string      // what is wrong, in one sentence
	Proof   []Operation // that prove it, the fewest found, by their start
	Judged  int         // out of so many operations
	Count   int         // how many such violations there are, where they were counted
	base    int64
}

// Error tells what is wrong and shows the proof.
func (v *Violation) Error() string {
	var b strings.Builder
	b.WriteString(v.Text)
	if v.Count > 1 {
		fmt.Fprintf(&b, " (and %d more)", v.Count-1)
	}
	if len(v.Proof) > 0 {
		shown := v.Proof[:min(len(v.Proof), maxProof)]
		fmt.Fprintf(&b, "\nproved by %s of %d:\n%s", count(len(v.Proof), "operation"), v.Judged, table(shown, v.base, "  "))
		if len(shown) < len(v.Proof) {
			fmt.Fprintf(&b, "\n  … and %d more", len(v.Proof)-len(shown))
		}
	}
	return b.String()
}

// maxProof bounds how many operations are shown.
const maxProof = 24

// Undecided is a judgement that could not be made: it never counts as a pass.
type Undecided struct {
	Text string
	Hint string
}

func (u *Undecided) Error() string {
	text := "undecided: " + u.Text
	if u.Hint != "" {
		text += "\nhint: " + u.Hint
	}
	return text
}

// judged makes a violation out of a history.
func (h History) violation(anomaly, text string, proof ...Operation) *Violation {
	return &Violation{Anomaly: anomaly, Text: text, Proof: byStart(proof), Judged: len(h), Count: 1, base: h.Began()}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func empty(what string) error {
	return fmt.Errorf("%w: it has no %s, so there is nothing to judge\nhint: look into the history file: did the clients reach the nodes at all?", ErrEmpty, what)
}
