package random

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Strike is one fault of a schedule.
type Strike struct {
	At    time.Duration // after the faults began to strike
	For   time.Duration // how long it lasts until it heals
	Fault string        // the sentence that harms, without a length

	Nodes []string // whom it was drawn for; none of one that was given
	Down  bool     // it was drawn as one that takes these nodes down
}

// String is for people: "+1.25s node2 is isolated for 2.5s".
func (s Strike) String() string {
	text := fmt.Sprintf("+%s %s", s.At, s.Fault)
	if s.For > 0 {
		text += " for " + s.For.String()
	}
	return text
}

// Schedule is what one sentence lets strike.
type Schedule struct {
	Asked   string        // the sentence
	Length  time.Duration // how long the faults strike; 0: until they are told to stop
	Next    bool          // the scenario goes on meanwhile
	Strikes []Strike      // by At
}

// Columns are the header of a schedule's table.
var Columns = []string{"at", "for", "fault"}

// Step is the sentence that replays the schedule; its table stands under it.
func (s Schedule) Step() string {
	switch {
	case s.Length == 0:
		return "these faults strike:"
	case s.Next:
		return fmt.Sprintf("these faults strike for the next %s:", s.Length)
	}
	return fmt.Sprintf("these faults strike for %s:", s.Length)
}

// Rows are the strikes as a table has them, the header first.
func (s Schedule) Rows() [][]string {
	rows := [][]string{Columns}
	for _, k := range s.Strikes {
		rows = append(rows, []string{k.At.String(), k.For.String(), k.Fault})
	}
	return rows
}

// String is the schedule as a step with its table, as it stands in a schedule file, and may stand in a feature:
//
//	these faults strike for 30s:
//	  | at    | for  | fault             |
//	  | 1.25s | 2.5s | node2 is isolated |
func (s Schedule) String() string { return s.Step() + "\n" + Table(s.Rows(), "  ") }

// Last is when the last strike is over.
func (s Schedule) Last() time.Duration {
	var last time.Duration
	for _, k := range s.Strikes {
		last = max(last, k.At+k.For)
	}
	return last
}

var cell = strings.NewReplacer(`\`, `\\`, `|`, `\|`, "\n", `\n`)

// Table lays rows out as Gherkin does, each line led by indent.
func Table(rows [][]string, indent string) string {
	var wide []int
	cells := make([][]string, len(rows))
	for i, row := range rows {
		for j, text := range row {
			text = cell.Replace(text)
			cells[i] = append(cells[i], text)
			if j == len(wide) {
				wide = append(wide, 0)
			}
			wide[j] = max(wide[j], len([]rune(text)))
		}
	}
	var b strings.Builder
	for _, row := range cells {
		b.WriteString(indent)
		for j, text := range row {
			b.WriteString("| " + text + strings.Repeat(" ", wide[j]-len([]rune(text))) + " ")
		}
		b.WriteString("|\n")
	}
	return b.String()
}

// byTime sorts strikes by when they begin; of those at one moment the order stays.
func byTime(strikes []Strike) {
	slices.SortStableFunc(strikes, func(a, b Strike) int { return int(a.At - b.At) })
}
