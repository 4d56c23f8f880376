package random

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"brine.test/brine/world/quantity"
)

// File is what a schedule file holds: the schedules of one scenario's sentences, in the order in which they were begun.
//
//	# scenario: Registers stay linearizable
//	# seed: 42
//
//	# random faults strike for 30s
//	these faults strike for 30s:
//	  | at    | for  | fault             |
//	  | 1.25s | 2.5s | node2 is isolated |
type File struct {
	Scenario  string // its name; "" for any
	Seed      uint64
	Schedules []Schedule
}

// Head is the beginning of the file, before the schedules.
func (f File) Head() string { return fmt.Sprintf("# scenario: %s\n# seed: %d\n", f.Scenario, f.Seed) }

// Part is a schedule as the file has it.
func Part(s Schedule) string {
	asked := strings.Join(strings.Fields(s.Asked), " ")
	if asked != "" {
		asked = "# " + asked + "\n"
	}
	return "\n" + asked + s.String()
}

// String is the whole file.
func (f File) String() string {
	text := f.Head()
	for _, s := range f.Schedules {
		text += Part(s)
	}
	return text
}

// Strikes counts those of all schedules.
func (f File) Strikes() int {
	n := 0
	for _, s := range f.Schedules {
		n += len(s.Strikes)
	}
	return n
}

// ParseFile reads a schedule file. Errors begin with name and line.
func ParseFile(name, text string) (File, error) {
	p := parser{}
	for i, line := range strings.Split(text, "\n") {
		if err := p.line(strings.TrimSpace(line)); err != nil {
			return File{}, fmt.Errorf("%s:%d: %w", name, i+1, err)
		}
	}
	if err := p.close(); err != nil {
		return File{}, fmt.Errorf("%s: %w", name, err)
	}
	if len(p.file.Schedules) == 0 {
		return File{}, fmt.Errorf("%s: no schedule\nhint: a run leaves one among a scenario's artifacts, as schedule.txt", name)
	}
	return p.file, nil
}

type parser struct {
	file  File
	asked string
	open  *Schedule
	rows  [][]string
}

func (p *parser) line(line string) error {
	switch {
	case strings.HasPrefix(line, "#"):
		p.remark(strings.TrimSpace(strings.TrimPrefix(line, "#")))
		return nil
	case line == "":
		return nil
	case strings.HasPrefix(line, "|"):
		if p.open == nil {
			return errors.New("a row before its sentence\nhint: `these faults strike for 30s:` stands above a table")
		}
		row, err := splitRow(line)
		if err == nil {
			p.rows = append(p.rows, row)
			_, err = ParseRows(p.rows) // here the line is known
		}
		return err
	}
	if err := p.close(); err != nil {
		return err
	}
	s, err := ParseStep(line)
	if err != nil {
		return err
	}
	s.Asked, p.asked = p.asked, ""
	p.open = &s
	return nil
}

func (p *parser) remark(text string) {
	if name, ok := strings.CutPrefix(text, "scenario: "); ok {
		p.file.Scenario = name
	} else if seed, ok := strings.CutPrefix(text, "seed: "); ok {
		p.file.Seed, _ = strconv.ParseUint(seed, 10, 64) // only told again
	} else {
		p.asked = text
	}
}

// close ends the schedule that is being read.
func (p *parser) close() error {
	if p.open == nil {
		return nil
	}
	strikes, err := ParseRows(p.rows)
	if err != nil {
		return err
	}
	p.open.Strikes = strikes
	p.file.Schedules = append(p.file.Schedules, *p.open)
	p.open, p.rows = nil, nil
	return nil
}

// ParseStep reads the sentence above a schedule's table.
func ParseStep(line string) (Schedule, error) {
	rest, ok := strings.CutPrefix(strings.TrimSuffix(line, ":"), "these faults strike")
	if !ok || !strings.HasSuffix(line, ":") {
		return Schedule{}, fmt.Errorf("`%s`: expected `these faults strike for 30s:`", line)
	}
	var s Schedule
	if rest == "" {
		return s, nil
	}
	length, ok := strings.CutPrefix(rest, " for ")
	if !ok {
		return s, fmt.Errorf("`%s`: expected `these faults strike for 30s:`", line)
	}
	length, s.Next = strings.CutPrefix(length, "the next ")
	d, err := quantity.Duration(length)
	if err == nil && d <= 0 {
		err = fmt.Errorf("%q: a length of time above zero is expected", length)
	}
	s.Length = d
	return s, err
}

// splitRow gives the cells of a row as Gherkin reads them.
func splitRow(line string) ([]string, error) {
	if len(line) < 2 || !strings.HasSuffix(line, "|") {
		return nil, fmt.Errorf("`%s`: a row ends with a |", line)
	}
	var row []string
	var b strings.Builder
	for i := 1; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\' && i+1 < len(line) && strings.IndexByte(`\|n`, line[i+1]) >= 0:
			i++
			b.WriteString(map[byte]string{'\\': `\`, '|': "|", 'n': "\n"}[line[i]])
		case c == '|':
			row = append(row, strings.TrimSpace(b.String()))
			b.Reset()
		default:
			b.WriteByte(c)
		}
	}
	return row, nil
}

// ParseRows reads a schedule's table, the header first: at, for, fault, in any order. What has no "for" lasts until the
// faults stop where it can.
func ParseRows(rows [][]string) ([]Strike, error) {
	if len(rows) == 0 {
		return nil, errors.New("a table is missing\nhint: its columns are at, for and fault")
	}
	place := map[string]int{}
	for i, name := range rows[0] {
		name = strings.ToLower(strings.TrimSpace(name))
		if name != "at" && name != "for" && name != "fault" {
			return nil, fmt.Errorf("column %q: expected at, for and fault", name)
		}
		place[name] = i
	}
	for _, name := range []string{"at", "fault"} {
		if _, ok := place[name]; !ok {
			return nil, fmt.Errorf("column %q is missing\nhint: its columns are at, for and fault", name)
		}
	}
	var strikes []Strike
	for _, row := range rows[1:] {
		s, err := parseRow(row, place)
		if err != nil {
			return nil, err
		}
		strikes = append(strikes, s)
	}
	byTime(strikes)
	return strikes, nil
}

func parseRow(row []string, place map[string]int) (s Strike, err error) {
	get := func(name string) string {
		if i, ok := place[name]; ok && i < len(row) {
			return strings.TrimSpace(row[i])
		}
		return ""
	}
	if s.Fault = get("fault"); s.Fault == "" {
		return s, errors.New("a row without a fault")
	}
	if s.At, err = quantity.Duration(strings.TrimPrefix(get("at"), "+")); err != nil {
		return s, err
	}
	if text := get("for"); text != "" {
		s.For, err = quantity.Duration(text)
	}
	return s, err
}
