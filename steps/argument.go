package steps

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/cucumber/godog"
)

// Argument is what stands under a sentence: a doc string, a table, or neither.
type Argument struct {
	Doc   *string
	Table [][]string // rows of cells, the header first
}

type argumentKey struct{}

// WithArgument hands an argument to the step function that ctx goes to.
func WithArgument(ctx context.Context, a Argument) context.Context {
	return context.WithValue(ctx, argumentKey{}, a)
}

func argument(ctx context.Context) Argument {
	a, _ := ctx.Value(argumentKey{}).(Argument)
	return a
}

func argumentOf(step *godog.Step) Argument {
	var a Argument
	if step.Argument == nil {
		return a
	}
	if doc := step.Argument.DocString; doc != nil {
		a.Doc = &doc.Content
	}
	if table := step.Argument.DataTable; table != nil {
		a.Table = make([][]string, len(table.Rows))
		for i, row := range table.Rows {
			for _, cell := range row.Cells {
				a.Table[i] = append(a.Table[i], cell.Value)
			}
		}
	}
	return a
}

// argumentFits tells whether a sentence has under it what its end announces: a sentence that takes a doc string or a
// table ends with a colon, and no other does.
func argumentFits(text string, a Argument) error {
	given := a.Doc != nil || a.Table != nil
	switch announced := strings.HasSuffix(text, ":"); {
	case announced && !given:
		return fmt.Errorf("`%s`: nothing stands under it\nhint: a sentence that ends with a colon wants a doc string (\"\"\") or a table under it", text)
	case given && !announced && !mayHold(text):
		return fmt.Errorf("`%s`: a doc string or a table stands under it, but it takes none\nhint: a sentence that takes one ends with a colon", text)
	}
	return nil
}

// mayHold tells of sentences that a table may stand under without being announced.
func mayHold(text string) bool {
	m, err := only(text)
	return err == nil && (m.Sentence.Name == "randomFaults" || m.Sentence.Name == "everySoOften")
}

// doc gives the doc string under the sentence.
func (a Argument) doc() (string, error) {
	if a.Doc == nil {
		return "", errors.New("a doc string is missing under the sentence\nhint: put the text between two lines of \"\"\"")
	}
	return *a.Doc, nil
}
