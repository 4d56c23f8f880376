package steps

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	messages "github.com/cucumber/messages/go/v21"

	"brine.test/brine/world/random"
)

// Chosen is one scenario of a feature file.
type Chosen struct {
	File    string
	Name    string
	feature *feature
	pickle  *messages.Pickle
}

// ChooseOne gives the one scenario that file.feature:line names: that of the line, or of a row of examples.
func ChooseOne(arg string) (Chosen, error) {
	file, line := splitLine(arg)
	f, err := parseFeature(file)
	if err != nil {
		return Chosen{}, err
	}
	c := &choice{feature: f, picked: map[int]bool{}}
	all, _ := parseTags("")
	if err := c.add(line, all, regexp.MustCompile("")); err != nil {
		return Chosen{}, err
	}
	var found []Chosen
	for i, p := range f.pickles {
		if c.picked[i] {
			found = append(found, Chosen{file, p.Name, f, p})
		}
	}
	if len(found) != 1 {
		return Chosen{}, fmt.Errorf("%s: %d scenarios\nhint: file.feature:12 names one, by its line or that of a row of examples", arg, len(found))
	}
	return found[0], nil
}

// Place is the scenario as the command line takes it.
func (c Chosen) Place() string {
	line := c.feature.scenarioLine(c.pickle)
	if row := c.feature.rowLine(c.pickle); row > 0 {
		line = row
	}
	return fmt.Sprintf("%s:%d", c.File, line)
}

// LetsStrike counts the sentences that let faults strike.
func (c Chosen) LetsStrike() int {
	n := 0
	for _, st := range c.pickle.Steps {
		if strikes(st.Text) {
			n++
		}
	}
	return n
}

func strikes(text string) bool {
	m, err := only(text)
	return err == nil && slices.Contains(strikers, m.Sentence.Name) && m.Sentence.Name != "faultsStop"
}

// With writes the scenario as a feature of its own in which each sentence that lets faults strike is replaced by its
// schedule: in plain sentences where the scenario waits for them and the language has the words, else as a table.
func (c Chosen) With(schedules []random.Schedule, plain bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Feature: %s, with the faults that matter\n\n", c.feature.doc.Feature.Name)
	if len(c.pickle.Tags) > 0 {
		b.WriteString(" ")
		for _, t := range c.pickle.Tags {
			b.WriteString(" " + t.Name)
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "  Scenario: %s\n", c.pickle.Name)
	part := 0
	for _, st := range c.pickle.Steps {
		keyword := c.feature.nodes[st.AstNodeIds[0]].keyword
		if !strikes(st.Text) || part >= len(schedules) {
			writeStep(&b, keyword, st.Text, st.Argument)
			continue
		}
		s := schedules[part]
		part++
		sentences, ok := plainly(s)
		if !plain || !ok {
			fmt.Fprintf(&b, "    %s%s\n%s", keyword, s.Step(), random.Table(s.Rows(), "      "))
			continue
		}
		for _, sentence := range sentences {
			writeStep(&b, keyword, sentence, nil)
			keyword = "And "
		}
	}
	return b.String()
}

func writeStep(b *strings.Builder, keyword, text string, arg *messages.PickleStepArgument) {
	fmt.Fprintf(b, "    %s%s\n", keyword, text)
	switch {
	case arg == nil:
	case arg.DocString != nil:
		fence := `"""`
		if strings.Contains(arg.DocString.Content, fence) {
			fence = "```"
		}
		b.WriteString("      " + fence + arg.DocString.MediaType + "\n")
		for line := range strings.Lines(arg.DocString.Content + "\n") {
			b.WriteString(strings.TrimRight("      "+line, " \n") + "\n")
		}
		b.WriteString("      " + fence + "\n")
	case arg.DataTable != nil:
		var rows [][]string
		for _, row := range arg.DataTable.Rows {
			var cells []string
			for _, c := range row.Cells {
				cells = append(cells, c.Value)
			}
			rows = append(rows, cells)
		}
		b.WriteString(random.Table(rows, "      "))
	}
}

// moment is a sentence and when it is said.
type moment struct {
	at   time.Duration
	text string
}

// plainly says a schedule in sentences, with waits between them. It cannot where the scenario does not wait for the
// faults, for its next sentences would come later.
func plainly(s random.Schedule) ([]string, bool) {
	if s.Length == 0 || s.Next {
		return nil, false
	}
	var moments []moment
	for _, k := range s.Strikes {
		m, err := only(k.Fault)
		if err != nil {
			return nil, false
		}
		end, lasts := ending(m)
		switch {
		case lasts && k.For > 0:
			moments = append(moments, moment{k.At, k.Fault + " for the next " + k.For.String()})
		case lasts:
			return nil, false
		default:
			moments = append(moments, moment{k.At, k.Fault})
			if end != "" {
				moments = append(moments, moment{k.At + k.For, end})
			}
		}
	}
	slices.SortStableFunc(moments, func(a, b moment) int { return int(a.at - b.at) })
	var out []string
	now := time.Duration(0)
	for _, m := range append(moments, moment{at: s.Length}) {
		if m.at > now {
			out = append(out, "I wait "+(m.at-now).String())
			now = m.at
		}
		if m.text != "" {
			out = append(out, m.text)
		}
	}
	return out, true
}

// ending is the sentence that ends a momentary harm, where one does; lasts tells of a harm that takes a length.
func ending(m Match) (end string, lasts bool) {
	who := m.Args[0]
	verb := "is"
	if strings.Contains(who, " and ") || strings.Contains(who, "nodes") || strings.HasSuffix(who, "followers") {
		verb = "are"
	}
	switch m.Sentence.Name {
	case "kill", "losePower", "runOutOfMemory":
		return fmt.Sprintf("%s %s started again", who, verb), false
	case "clockJumps":
		if verb == "are" {
			return "the clocks of " + who + " are right again", false
		}
		return "the clock of " + who + " is right again", false
	case "resetConnections", "restart", "crashLoop", "startAgain", "resume", "healEverything":
		return "", false
	}
	return "", true
}
