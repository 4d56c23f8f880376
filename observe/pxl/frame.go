package pxl

import (
	"strings"

	"brine.test/brine/observe/table"
)

// frame is a DataFrame. Its columns stand behind row numbers: a filter makes new numbers and copies no column until
// one is used.
//
//	data      a b c d e        (the observed table)
//	numbers   0 2 4            (df[condition])
//	column    a c e            (made when asked for, then kept)
type frame struct {
	rows  int
	cols  []part
	ctx   []part
	table string // that it comes from
}

// part is a column of a frame: data behind numbers, nil for all of data.
type part struct {
	name    string
	data    *table.Column
	numbers []int32
}

func frameOf(t *table.Table) *frame {
	df := &frame{rows: t.Rows(), table: t.Name}
	for _, c := range t.Columns {
		df.cols = append(df.cols, part{name: c.Name, data: c})
	}
	for _, c := range t.Context {
		df.ctx = append(df.ctx, part{name: c.Name, data: c})
	}
	return df
}

func find(parts []part, name string) int {
	for i := range parts {
		if parts[i].name == name {
			return i
		}
	}
	return -1
}

// made gives the column itself.
func (p *part) made() *table.Column {
	if p.numbers != nil {
		p.data, p.numbers = gather(p.data, p.numbers), nil
	}
	return p.data
}

// column gives a column, or nil.
func (df *frame) column(name string) *table.Column {
	if i := find(df.cols, name); i >= 0 {
		return df.cols[i].made()
	}
	return nil
}

// context gives a column of df.ctx, or nil. A name and an id are the thing itself here: ctx['pod_name'] is ctx['pod'].
func (df *frame) context(name string) *table.Column {
	for _, suffix := range []string{"", "_name", "_id"} {
		bare, ok := strings.CutSuffix(name, suffix)
		if i := find(df.ctx, bare); ok && i >= 0 {
			return df.ctx[i].made()
		}
	}
	return nil
}

func (df *frame) names() []string { return partNames(df.cols) }

func (df *frame) list() string { return strings.Join(df.names(), ", ") }

func (df *frame) contexts() string {
	if len(df.ctx) == 0 {
		return "none after an aggregate"
	}
	return strings.Join(partNames(df.ctx), ", ")
}

func partNames(parts []part) []string {
	out := make([]string, len(parts))
	for i, p := range parts {
		out[i] = p.name
	}
	return out
}

// with gives the frame with one column more, or another in its place.
func (df *frame) with(name string, c *table.Column) *frame {
	out := &frame{rows: df.rows, ctx: df.ctx, table: df.table}
	out.cols = append(append([]part(nil), df.cols...), part{})
	i := find(df.cols, name)
	if i < 0 {
		i = len(df.cols)
	} else {
		out.cols = out.cols[:len(df.cols)]
	}
	out.cols[i] = part{name: name, data: c}
	return out
}

// only gives the frame with just some columns, in that order.
func (df *frame) only(names []string) *frame {
	out := &frame{rows: df.rows, ctx: df.ctx, table: df.table}
	for _, name := range names {
		out.cols = append(out.cols, df.cols[find(df.cols, name)])
	}
	return out
}

// keep gives the rows that match.
func (df *frame) keep(match func(row int) bool) *frame {
	numbers := make([]int32, 0, df.rows/4)
	for i := range df.rows {
		if match(i) {
			numbers = append(numbers, int32(i))
		}
	}
	return df.pick(numbers)
}

// pick gives rows by their numbers.
func (df *frame) pick(numbers []int32) *frame {
	out := &frame{rows: len(numbers), table: df.table}
	composed := map[*int32][]int32{} // numbers that columns share are composed once
	pick := func(parts []part) []part {
		picked := make([]part, len(parts))
		for i, p := range parts {
			picked[i] = part{name: p.name, data: p.data, numbers: numbers}
			if len(p.numbers) == 0 {
				continue
			}
			key := &p.numbers[0]
			if composed[key] == nil {
				c := make([]int32, len(numbers))
				for j, n := range numbers {
					c[j] = p.numbers[n]
				}
				composed[key] = c
			}
			picked[i].numbers = composed[key]
		}
		return picked
	}
	out.cols, out.ctx = pick(df.cols), pick(df.ctx)
	return out
}

// table makes the frame a table of its own.
func (df *frame) out(name string) *table.Table {
	t := &table.Table{Name: name}
	for i := range df.cols {
		c := *df.cols[i].made()
		c.Name = df.cols[i].name
		t.Columns = append(t.Columns, &c)
	}
	return t
}

func gather(c *table.Column, numbers []int32) *table.Column {
	out := &table.Column{Type: c.Type}
	switch c.Type {
	case table.Boolean:
		out.Bools = pickOf(c.Bools, numbers)
	case table.Int64, table.Time64NS:
		out.Ints = pickOf(c.Ints, numbers)
	case table.Float64:
		out.Floats = pickOf(c.Floats, numbers)
	default:
		out.Strings = pickOf(c.Strings, numbers)
	}
	return out
}

func pickOf[T any](from []T, numbers []int32) []T {
	out := make([]T, len(numbers))
	for i, n := range numbers {
		out[i] = from[n]
	}
	return out
}
