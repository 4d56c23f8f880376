package steps

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"brine.test/brine/world"
)

// Dispatch runs a sentence that stands inside another one, with what would stand under it. The context carries the
// World. It fails when the sentence has no meaning, more than one, or fails itself.
func Dispatch(ctx context.Context, text string, under Argument) error {
	m, err := only(text)
	if err != nil {
		return err
	}
	if err := argumentFits(text, under); err != nil {
		return err
	}
	w, err := world.From(ctx)
	if err != nil {
		return err
	}
	ctx, end := w.Sentence(ctx, text)
	defer end()
	in := []reflect.Value{reflect.ValueOf(WithArgument(ctx, under))}
	for _, arg := range m.Args {
		in = append(in, reflect.ValueOf(arg))
	}
	err, _ = m.Sentence.call.Call(in)[0].Interface().(error)
	return err
}

// only gives the one meaning of a sentence.
func only(text string) (Match, error) {
	switch found := Matches(text); len(found) {
	case 0:
		return Match{}, Undefined(text)
	case 1:
		return found[0], nil
	default:
		patterns := make([]string, len(found))
		for i, m := range found {
			patterns[i] = m.Pattern.String()
		}
		return Match{}, fmt.Errorf("`%s`: has %d meanings:\n  %s", text, len(found), strings.Join(patterns, "\n  "))
	}
}

// harms tells whether a sentence is one that harms or heals, which alone may wait for its moment.
func harms(text string) error {
	m, err := only(text)
	if err == nil && !m.Sentence.Harms {
		return fmt.Errorf("`%s`: no harm\nhint: what waits for its moment is a harm, such as `node2 is killed`", text)
	}
	return err
}

// Undefined is the error of a sentence that the language does not have, with the nearest that it has; nil when it has it.
func Undefined(text string) error {
	if len(Matches(text)) > 0 {
		return nil
	}
	near := Near(text)
	if len(near) == 0 {
		return fmt.Errorf("`%s`: no such sentence\nhint: `brine steps` prints the sentences there are", text)
	}
	return fmt.Errorf("`%s`: no such sentence\nhint: did you mean %s?", text, strings.Join(near, ", or "))
}
