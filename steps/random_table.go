package steps

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"brine.test/brine/world"
	"brine.test/brine/world/quantity"
	"brine.test/brine/world/random"
)

// allowMajority is what stands in a table where a majority may go down.
const allowMajority = "allow majority"

// weights reads the table under random faults, if there is one:
//
//	| fault          | weight | min   | max |
//	| kill           | 3      |       |     |
//	| pause          | 1      | 500ms | 2s  |
//	| allow majority |        |       |     |
//
// A row without a fault says min and max of all that have none.
func (s *words) weights(faults *world.RandomFaults) {
	if s.arg.Doc != nil {
		s.keep(fmt.Errorf("random faults take a table, not a doc string\nhint: its columns are fault and weight, and may be min and max"))
		return
	}
	rows, allowed := majorityAllowed(s.arg.Table)
	faults.AllowMajority = allowed
	if len(rows) == 0 {
		return
	}
	for _, name := range rows[0] {
		if !slices.Contains([]string{"fault", "weight", "min", "max", ""}, plainWord(name)) {
			s.keep(fmt.Errorf("column %q: expected fault, weight, min and max", name))
			return
		}
	}
	var all *random.Fault
	for _, row := range rows[1:] {
		f, err := faultRow(rows[0], row)
		s.keep(err)
		if f.Name == "" {
			all = &f
			continue
		}
		faults.Faults = append(faults.Faults, f)
	}
	if all == nil {
		return
	}
	switch {
	case faults.Every > 0:
		faults.Faults = append(faults.Faults, *all)
		return
	case len(faults.Faults) == 0:
		faults.Faults = random.Usual()
	}
	for i, f := range faults.Faults {
		if f.Min == 0 && f.Max == 0 {
			faults.Faults[i].Min, faults.Faults[i].Max = all.Min, all.Max
		}
	}
}

// faultRow reads one row by its header. A fault's weight is 1 unless it says another.
func faultRow(header, row []string) (f random.Fault, err error) {
	f.Weight = 1
	for i, name := range header {
		text := strings.TrimSpace(row[i])
		if text == "" || err != nil {
			continue
		}
		switch plainWord(name) {
		case "fault":
			f.Name = text
		case "weight":
			if f.Weight, err = strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(text, "%")), 64); err != nil {
				err = fmt.Errorf("weight %q: expected a number", text)
			}
		case "min":
			f.Min, err = quantity.Duration(text)
		case "max":
			f.Max, err = quantity.Duration(text)
		}
	}
	return f, err
}

// majorityAllowed takes `allow majority` out of a table, where it stands as a row or as a column; "no" beside or under it
// forbids.
func majorityAllowed(table [][]string) (rows [][]string, allowed bool) {
	column := -1
	if len(table) > 0 {
		column = slices.IndexFunc(table[0], func(c string) bool { return plainWord(c) == allowMajority })
	}
	for i, row := range table {
		kept := slices.Clone(row)
		if column >= 0 {
			allowed = allowed || i > 0 && !isNo(row[column]) || len(table) == 1
			kept = slices.Delete(kept, column, column+1)
		}
		if at := slices.IndexFunc(kept, func(c string) bool { return plainWord(c) == allowMajority }); at >= 0 {
			allowed = !slices.ContainsFunc(kept, isNo)
			continue
		}
		if len(kept) > 0 {
			rows = append(rows, kept)
		}
	}
	return rows, allowed
}

func isNo(text string) bool {
	return slices.Contains([]string{"no", "false", "0", "never", "forbidden"}, plainWord(text))
}

func plainWord(text string) string { return strings.ToLower(strings.Join(strings.Fields(text), " ")) }

// randomNeeds is what random faults ask for before their cluster starts, by the table under them.
func randomNeeds(table [][]string) world.Needs {
	s, faults := &words{arg: Argument{Table: table}}, world.RandomFaults{}
	s.weights(&faults)
	if len(faults.Faults) == 0 {
		faults.Faults = random.Usual()
	}
	var all world.Needs
	for _, f := range faults.Faults {
		all = union(all, world.Needs{Disk: f.NeedsDisk() && f.Weight > 0, Clock: f.NeedsClock() && f.Weight > 0})
		if !f.IsKind() {
			all = union(all, Needs(f.Name))
		}
	}
	return all
}

// scheduleNeeds is what the faults of a schedule file ask for.
func scheduleNeeds(f *random.File) world.Needs {
	var all world.Needs
	if f == nil {
		return all
	}
	for _, s := range f.Schedules {
		for _, k := range s.Strikes {
			all = union(all, Needs(k.Fault))
		}
	}
	return all
}
